import type { Expectation, TimelineStep } from '../scenario/scenario.ts';

/** An entry of the timeline with the devices that it is for. */
export interface PlannedStep {
  readonly place: number;
  readonly step: TimelineStep;
  /** Of a configure step: those that get it newly; who has had it before stays. */
  readonly devices: readonly number[];
  /** What is to become of each command of a send step, on each of `devices` in turn; empty for other steps. */
  readonly expected: readonly (readonly Expectation[])[];
  /** Of a sendToApps step: places of the apps among all apps of the plan, in the order of `devices`. */
  readonly apps?: readonly number[] | undefined;
}
