import type { AuthorizeResult } from './dynamics-runtime.ts';

/** How a stage of `authorize`, or another use of the password, fails. */
export type StageFailure = Pick<AuthorizeResult, 'code' | 'error' | 'triesLeft' | 'faults'>;
