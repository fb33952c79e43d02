import type { Clock } from '@uemkit/protocol';
import type { ConfigurationApi } from '../admin/configuration-api.ts';
import { type HeldConfiguration, missingOnDevice } from '../audit/held-configuration.ts';
import { configuresApps } from '../plan/app-policies.ts';
import { ConfigurationTargets, devicesOf, objectName, type PlannedObject } from '../plan/configuration-targets.ts';
import { devicesInWords } from '../plan/count-in-words.ts';
import type { Plan } from '../plan/plan.ts';
import type { PlannedStep } from '../plan/planned-step.ts';
import type { AppCommander, OpenAppCommand } from './app-commander.ts';
import type { Progress } from './progress.ts';
import type { RunObserver } from './run-observer.ts';
import type { RunState } from './run-state.ts';

export interface ConfiguratorOptions {
  readonly api: ConfigurationApi;
  readonly state: RunState;
  readonly plan: Plan;
  readonly observer: RunObserver;
  /** What the device holds at this moment; undefined: it is not managed. */
  readonly held: (index: number) => HeldConfiguration | undefined;
  /** Absent: the plan has no apps. */
  readonly apps?: Pick<AppCommander, 'given'> | undefined;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * Assigns and changes policies and profiles (F5.1), and knows on which devices they have not arrived. UEM makes the updates by itself, so their ids are not known here: an update is
 * through when the device holds what the plan wants.
 */
export class Configurator {
  readonly #options: ConfiguratorOptions;
  readonly #targets: ConfigurationTargets;
  /** Steps that are open on a device, by their name among the commands. BOUNDED by devices and steps. */
  readonly #open: Map<number, Set<string>> = new Map();
  /** Of two steps that change the same thing the later one must come last. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: ConfiguratorOptions) {
    this.#options = options;
    this.#targets = new ConfigurationTargets(options.plan.steps);
    options.observer.onAnswered((index) => this.#look(index));
  }

  /** Takes up what an earlier start has done. */
  resume(): void {
    const { plan, state } = this.#options;
    for (const planned of plan.steps) {
      if (planned.step.kind !== 'configure' || state.step(planned.place) !== 'done') continue;
      this.#targets.begin(planned);
      this.#await(planned);
    }
  }

  /** Carries out the steps that come before the first activation, as far as an earlier start has not. What they want is awaited by `resume`, when there are devices. */
  async beforeActivation(): Promise<void> {
    const { plan, state, clock } = this.#options;
    for (const planned of plan.steps)
      if (planned.step.before === 'activation' && state.step(planned.place) !== 'done') await this.configure(planned, clock.monotonicMs());
  }

  /** Carries out one step; resolves when UEM has it. After a crash it is made again, which changes nothing. */
  async configure(planned: PlannedStep, intendedMs: number): Promise<void> {
    const { state, progress, clock, observer, plan, signal } = this.#options;
    const { step, place } = planned;
    if (step.kind !== 'configure') return;
    await state.putStep(place, 'begun');
    this.#targets.begin(planned);
    const devices = devicesOf(this.#targets, planned);
    progress.note(`administrator: ${step.configure.map(({ kind, name }) => `${kind} ${name}`).join(', ')} for ${devicesInWords(devices.length)}`);
    const releasedMs = clock.monotonicMs();
    const turn = this.#turn.then(async () => {
      for (const entry of step.configure) {
        signal.throwIfAborted();
        await this.#put(this.#targets.of(entry), planned.devices, plan.fleetId);
      }
    });
    this.#turn = turn.catch(() => undefined);
    await turn;
    const times = { intendedMs, releasedMs, sentMs: releasedMs };
    for (const index of this.#await(planned, times)) observer.stepSent(index, times);
    await state.putStep(place, 'done');
  }

  /** The group of those who have an object bears its name. */
  async #put({ entry, rank }: PlannedObject, newMembers: readonly number[], fleetId: string): Promise<void> {
    const { api, state } = this.#options;
    const name = objectName(fleetId, entry);
    const resource = entry.kind === 'policy' ? 'policies' : 'profiles';
    const body = entry.kind === 'policy' ? { name, rank, rules: entry.content } : { kind: entry.profileKind, name, rank, content: entry.content };
    const guid = await api.ensure(resource, body);
    await api.replace(resource, guid, body);
    if (newMembers.length === 0) return;
    const group = await api.ensure('groups', { name: `${name} (${entry.kind})` });
    const users = newMembers.flatMap((index) => state.userGuid(index) ?? []);
    await api.addMembers(group, users);
    await api.assign(group, resource, guid);
  }

  /** Notes the step as open on its devices, but for those that it has reached already. Gives those that it had to reach. */
  #await(planned: PlannedStep, times?: OpenAppCommand['sent']): readonly number[] {
    const { observer, held, apps } = this.#options;
    const devices = devicesOf(this.#targets, planned).filter((index) => held(index) !== undefined);
    for (const index of devices) {
      const id = `configuration ${planned.place} of device ${index}`;
      const open = this.#open.get(index) ?? new Set<string>();
      this.#open.set(index, open.add(id));
      observer.outstanding.sent(index, id);
      this.#look(index);
    }
    if (configuresApps(planned.step)) apps?.given(planned.place, devices, times);
    return devices;
  }

  /** The device has answered something: what was open is through when it holds what the plan wants. */
  #look(index: number): void {
    const open = this.#open.get(index);
    const wanted = this.#targets.ofDevice(index);
    const held = open === undefined ? undefined : this.#options.held(index);
    if (open === undefined || wanted === undefined || held === undefined || missingOnDevice(held, wanted, this.#options.plan.fleetId) !== undefined) return;
    this.#open.delete(index);
    for (const id of open) this.#options.observer.configurationThrough(index, id);
  }
}
