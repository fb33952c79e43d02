import { commandDefinition } from '@uemkit/protocol';
import { type AuditedDevice, isRefusedAsPlanned } from '../audit/audit.ts';
import { outcomeOf } from '../audit/check-expectations.ts';
import type { SystemId } from '../operating-systems/system-definition.ts';
import type { Plan } from '../plan/plan.ts';
import type { DevicePushes } from './run-observer.ts';

/** What became of the devices of one kind. */
export interface KindFigures {
  readonly devices: number;
  readonly activated: number;
  /** Those that UEM refused to activate, as the plan expects. */
  readonly activationsRefused: number;
  /** Wake-ups that arrived through the notification service of the kind and led to idle; of this start alone, as `pushesLost`. */
  readonly pushesThrough: number;
  readonly pushesLost: number;
  /** Commands that UEM took. Always `commandsDone` + `refusedByDevice`, once the audit agrees and nobody has left. */
  readonly commandsSent: number;
  readonly commandsDone: number;
  /** Among the done ones: as the plan expects, they changed nothing. */
  readonly withoutEffect: number;
  readonly refusedByUem: number;
  readonly refusedByDevice: number;
  /** Of both kinds of refusal, those that the plan expects. */
  readonly refusedAsDocumented: number;
  /** Updates of policy, profiles, applications and compliance that the devices carried out. */
  readonly updatesDone: number;
}

const NOTHING: KindFigures = {
  devices: 0,
  activated: 0,
  activationsRefused: 0,
  pushesThrough: 0,
  pushesLost: 0,
  commandsSent: 0,
  commandsDone: 0,
  withoutEffect: 0,
  refusedByUem: 0,
  refusedByDevice: 0,
  refusedAsDocumented: 0,
  updatesDone: 0,
};

/** Figures by kind of device, in the order of the populations. */
export function kindFigures(plan: Plan, audited: readonly AuditedDevice[], pushesOf: (index: number) => DevicePushes): ReadonlyMap<SystemId, KindFigures> {
  const kinds = new Map<SystemId, KindFigures>();
  const byIndex = new Map(audited.map((device) => [device.index, device]));
  const places = new Map(plan.scenario.populations.map(({ operatingSystem }, place) => [operatingSystem, place]));
  for (const { index, system } of plan.devices.toSorted((a, b) => (places.get(a.system) as number) - (places.get(b.system) as number))) {
    const device = byIndex.get(index);
    if (device !== undefined) kinds.set(system, sum(kinds.get(system) ?? NOTHING, figuresOf(device, pushesOf(index))));
  }
  return kinds;
}

/** All kinds together. */
export function totalOf(kinds: Iterable<KindFigures>): KindFigures {
  return [...kinds].reduce(sum, NOTHING);
}

function figuresOf(device: AuditedDevice, { through, lost }: DevicePushes): KindFigures {
  const { activatedAs, sent, executions } = device;
  const executed = new Map(executions.map((execution) => [execution.commandId, execution]));
  const commands = sent.map((command) => ({ command, outcome: outcomeOf(command, executed) }));
  const count = (holds: (one: (typeof commands)[number]) => boolean): number => commands.filter(holds).length;
  const isRefused = ({ outcome }: (typeof commands)[number]): boolean => outcome === 'refusedByUem' || outcome === 'refusedByDevice';
  return {
    devices: 1,
    activated: activatedAs === undefined ? 0 : 1,
    activationsRefused: isRefusedAsPlanned(device) ? 1 : 0,
    pushesThrough: through,
    pushesLost: lost,
    commandsSent: count(({ command }) => command.commandId !== undefined),
    commandsDone: count(({ outcome }) => outcome === 'done' || outcome === 'noEffect'),
    withoutEffect: count(({ command, outcome }) => command.expected === 'noEffect' && outcome === 'noEffect'),
    refusedByUem: count(({ outcome }) => outcome === 'refusedByUem'),
    refusedByDevice: count(({ outcome }) => outcome === 'refusedByDevice'),
    refusedAsDocumented: count((one) => isRefused(one) && one.command.expected === one.outcome),
    updatesDone: executions.filter(({ type, status }) => status === 'done' && commandDefinition(type)?.givenBy === 'uem').length,
  };
}

function sum(a: KindFigures, b: KindFigures): KindFigures {
  return Object.fromEntries(Object.entries(a).map(([name, value]) => [name, value + b[name as keyof KindFigures]])) as unknown as KindFigures;
}
