// What an account needs before the server is asked; the server checks again.

export const SHORTEST_PASSWORD = 12;

/**
 * @param {{ name: string, email: string, password: string }} given
 * @param {boolean} whole whether name and e-mail are asked for too
 * @returns {{ name?: true, email?: true, password?: true }}
 */
export function accountErrors({ name, email, password }, whole) {
  /** @type {{ name?: true, email?: true, password?: true }} */
  const errors = {};
  if (whole && !name.trim()) errors.name = true;
  if (whole && !/^[^\s@]+@[^\s@]+$/u.test(email.trim())) errors.email = true;
  if ([...password].length < SHORTEST_PASSWORD) errors.password = true;
  return errors;
}
