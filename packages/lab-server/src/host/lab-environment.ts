import type { Clock, CryptoProvider, Entropy } from '@uemkit/protocol';
import type { Faults } from '../faults/faults.ts';
import type { RingJournal } from '../journal/journal.ts';
import type { LinkGuard } from '../roles/link-guard.ts';

/** What all roles of one process share. */
export interface LabEnvironment {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly journal: RingJournal;
  readonly faults: Faults;
  readonly guard: LinkGuard;
}
