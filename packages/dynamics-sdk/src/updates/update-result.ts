/** What of an app has changed; each but `console` has an event of its own. `console`: what administrators want of it. */
export type ChangedPart = 'configuration' | 'policy' | 'services' | 'entitlements' | 'console';

/** How `update` ends. */
export interface UpdateResult {
  /** What is another one now. */
  readonly changed: readonly ChangedPart[];
  /** False: UEM may not know yet that it was carried out; the next question tells it. */
  readonly isConfirmed: boolean;
}
