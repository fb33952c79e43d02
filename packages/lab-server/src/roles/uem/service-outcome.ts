import type { Outcome } from '../role-answers.ts';

/** Answer of one service, with what the journal is told. */
export interface ServiceOutcome extends Outcome {
  readonly step?: string | undefined;
  readonly userId?: string | undefined;
  readonly deviceId?: string | undefined;
  /** The service does not know such a frame. */
  readonly unknown?: boolean | undefined;
}
