/** What a run tells while it goes on; a terminal and a log show it in their own ways. */
export interface Progress {
  /** A phase of the run begins. */
  phase(title: string): void;
  /** How far the phase is; may come often. */
  step(done: number, total: number, what: string): void;
  /** Something worth a line of its own. */
  note(text: string): void;
  /** Something that should not be, but does not end the run. */
  warn(text: string): void;
}
