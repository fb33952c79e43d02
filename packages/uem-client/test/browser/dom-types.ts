import { openBrowserState } from '../../src/browser/index.ts';

/** What a page has fits, as the types of the DOM describe it. Checked by tsconfig.dom.json, and never run. */
export const state: ReturnType<typeof openBrowserState> = openBrowserState({ indexedDB, locks: navigator.locks, subtle: crypto.subtle });
