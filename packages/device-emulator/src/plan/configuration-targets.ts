import { RANKED_PROFILE_KINDS } from '@uemkit/protocol';
import type { ConfigurationEntry } from '../scenario/scenario.ts';
import type { PlannedStep } from './planned-step.ts';

/** A policy or profile as the timeline has it so far, with its place among the others: of several that compete the lowest goes first. */
export interface PlannedObject {
  readonly entry: ConfigurationEntry;
  readonly rank: number;
}

/** What the plan wants in force on a device. */
export interface PlannedConfiguration {
  readonly policy?: PlannedObject | undefined;
  readonly profiles: readonly PlannedObject[];
}

interface Known {
  readonly rank: number;
  readonly members: Set<number>;
  entry: ConfigurationEntry;
  /** Place of the step that `entry` is from, in the order in which steps are due. */
  order: number;
}

/** Says what the configure steps of a plan want in force on each device, as far as they have been begun. */
export class ConfigurationTargets {
  // BOUNDED by the entries of the timeline.
  readonly #ranks: Map<string, number> = new Map();
  readonly #begun: Map<string, Known> = new Map();
  readonly #order: ReadonlyMap<number, number>;

  /** `steps` in the order in which they are due. */
  constructor(steps: readonly PlannedStep[]) {
    this.#order = new Map(steps.map(({ place }, order) => [place, order]));
    for (const { step } of steps) {
      if (step.kind !== 'configure') continue;
      for (const entry of step.configure) if (!this.#ranks.has(keyOf(entry))) this.#ranks.set(keyOf(entry), this.#ranks.size + 1);
    }
  }

  /** A step takes effect. In any order: what the latest step says counts. */
  begin({ step, place, devices }: PlannedStep): void {
    if (step.kind !== 'configure') return;
    const order = this.#order.get(place) as number;
    for (const entry of step.configure) {
      const key = keyOf(entry);
      const known = this.#begun.get(key) ?? { rank: this.#ranks.get(key) as number, members: new Set<number>(), entry, order };
      if (order > known.order) Object.assign(known, { entry, order });
      for (const index of devices) known.members.add(index);
      this.#begun.set(key, known);
    }
  }

  /** An object as it is now, and who has it. @throws RangeError for one that no step has begun */
  of(entry: ConfigurationEntry): PlannedObject & { readonly members: ReadonlySet<number> } {
    const known = this.#begun.get(keyOf(entry));
    if (known === undefined) throw new RangeError(`no step has begun with ${keyOf(entry)}`);
    return known;
  }

  /** Undefined: no step has anything for this device. */
  ofDevice(index: number): PlannedConfiguration | undefined {
    const assigned = [...this.#begun.values()].filter(({ members }) => members.has(index)).sort((a, b) => a.rank - b.rank);
    if (assigned.length === 0) return undefined;
    const kinds = new Set<string>();
    const profiles = assigned.filter(({ entry }) => {
      if (entry.kind !== 'profile') return false;
      if (!(RANKED_PROFILE_KINDS as readonly string[]).includes(entry.profileKind)) return true;
      const isFirst = !kinds.has(entry.profileKind);
      kinds.add(entry.profileKind);
      return isFirst;
    });
    return { policy: assigned.find(({ entry }) => entry.kind === 'policy'), profiles };
  }
}

/** Devices that a configure step changes something for: those that have it already, and those that get it. */
export function devicesOf(targets: ConfigurationTargets, { step }: PlannedStep): readonly number[] {
  if (step.kind !== 'configure') return [];
  return [...new Set(step.configure.flatMap((entry) => [...targets.of(entry).members]))];
}

function keyOf({ kind, name }: ConfigurationEntry): string {
  return `${kind} ${name}`;
}

/** Name of an object at the server: no other fleet has it. */
export function objectName(fleetId: string, { name }: ConfigurationEntry): string {
  return `${fleetId} ${name}`;
}
