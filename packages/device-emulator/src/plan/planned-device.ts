import type { SystemId } from '../operating-systems/system-definition.ts';
import type { CredentialKind } from '../scenario/scenario.ts';
import type { DecidedRule } from './activation-refusals.ts';

/** One device as planned: everything about it that is decided before the run. */
export interface PlannedDevice {
  readonly index: number;
  readonly population: string;
  readonly system: SystemId;
  readonly activationType: string;
  readonly credential: CredentialKind;
  readonly userId: string;
  readonly serialNumber: string;
  readonly supervised: boolean;
  readonly compromised: boolean;
  readonly hasDevicePassword: boolean;
  readonly labels: readonly string[];
  /** Planned start of its activation, from the start of the activations. */
  readonly activateAtMs: number;
  /** Compliance rules of the plan for which UEM has to refuse its activation; absent: it has to let it in. */
  readonly refusedFor?: readonly DecidedRule[] | undefined;
}
