// The reference of the API is made on the server; here is what finding something in it needs.

const field = /** @type {HTMLInputElement} */ (document.getElementById('find'));
const found = /** @type {HTMLElement} */ (document.getElementById('found'));
const none = /** @type {HTMLElement} */ (document.getElementById('none'));
const requests = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('[data-find]')]);
const sections = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('.api-sections > section')]);

/** Leaves what has every word of the search in its method, address or summary. */
function find() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const each of requests) {
    const text = (each.dataset.find ?? '').toLowerCase();
    each.hidden = !words.every((word) => text.includes(word));
    if (!each.hidden) count += 1;
  }
  for (const each of sections) {
    each.hidden = words.length > 0 && !each.querySelector('[data-find]:not([hidden])');
    const link = document.querySelector(`.api-nav a[href="#${each.getAttribute('aria-labelledby')}"]`);
    if (link?.parentElement) link.parentElement.hidden = each.hidden;
  }
  found.textContent = count === 1 ? '1 request' : `${count} requests`;
  none.hidden = count > 0;
}

/** Opens what the address leads to, also in browsers that do not by themselves, and shows it if the search hid it. */
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.closest('[hidden]')) {
    field.value = '';
    find();
  }
  const around = target.closest('details');
  if (around) around.open = true;
  target.scrollIntoView();
}

/** @type {HTMLElement} */ (document.querySelector('.api-search')).hidden = false;
field.addEventListener('input', find);
addEventListener('hashchange', reveal);
if (field.value) find(); // the browser kept it over a reload
reveal();
