// Doing one thing at a time with the server: whether it is under way, and what came in between.

import { useEffect, useState } from '../../vendor/preact-hooks.js';
import { ApiError } from '../api.js';
import { hasWords, lengthOf, t } from '../i18n.js';
import { Note, html } from './ui.js';

/** What to tell the person; what the server did not say is a mistake in this page, and is not hidden. @param {unknown} error */
export function wordsFor(error) {
  if (!(error instanceof ApiError)) throw error;
  const { code, waitS, message } = error;
  // The server says it in English; where the page knows the code, it says it in the reader's language.
  const known = `refused.${code}`;
  if (!hasWords(known)) return message || t('start.unreachable');
  return t(known, { wait: waitS < 90 ? lengthOf(Math.max(1, waitS), 'second') : lengthOf(Math.ceil(waitS / 60), 'minute') });
}

/** `act` runs the work and tells whether it was done; `problem` says why not. */
export function useAct() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const act = async (/** @type {() => Promise<unknown>} */ work) => {
    setBusy(true);
    setProblem('');
    try {
      await work();
      return true;
    } catch (error) {
      setProblem(wordsFor(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, setProblem, act };
}

/**
 * What a part of a page shows, asked for when it appears; null until it is there.
 * @template T
 * @param {() => Promise<T>} load
 */
export function useLoaded(load) {
  const [value, setValue] = useState(/** @type {T | null} */ (null));
  const { busy, problem, act } = useAct();
  const reload = () => act(async () => setValue(await load()));
  useEffect(() => { void reload(); }, []);
  return { value, busy, problem, reload };
}

/** What went wrong, or nothing. @param {{ text: string }} props */
export function Problem({ text }) {
  return text && html`<${Note} tone="danger" icon="circle-alert"><p>${text}</p></${Note}>`;
}

/** Until something is there, or it is known why not. @param {{ problem: string }} props */
export function Waiting({ problem }) {
  return problem ? html`<${Problem} text=${problem} />` : html`<p class="quiet-text" role="status">${t('app.loading')}</p>`;
}
