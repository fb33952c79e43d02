export { type BrowserState, type BrowserStateOptions, openBrowserState } from './browser-state.ts';
export type { IndexedDatabaseFactory, LockManagerLike, SubtleLike } from './platform.ts';
