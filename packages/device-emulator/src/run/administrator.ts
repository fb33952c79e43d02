import type { Clock } from '@uemkit/protocol';
import type { AdminApi, NewCommand, ServerCommand } from '../admin/admin-api.ts';
import { AdminError, isUndecided } from '../admin/admin-error.ts';
import { forEachBounded } from '../concurrency/for-each-bounded.ts';
import { pause } from '../concurrency/pause.ts';
import { devicesInWords } from '../plan/count-in-words.ts';
import type { Plan } from '../plan/plan.ts';
import type { PlannedStep } from '../plan/planned-step.ts';
import { describeFault } from '../scenario/describe-fault.ts';
import type { CommandEntry, FaultStep, TimelineStep } from '../scenario/scenario.ts';
import type { AppCommander } from './app-commander.ts';
import type { Configurator } from './configurator.ts';
import type { OrderProof } from './order-proof.ts';
import type { Progress } from './progress.ts';
import type { RunObserver } from './run-observer.ts';
import type { RunState } from './run-state.ts';

/** Devices that get their commands at the same time. */
const WIDTH = 8;

export interface AdministratorOptions {
  readonly api: AdminApi;
  readonly state: RunState;
  readonly plan: Plan;
  readonly observer: RunObserver;
  readonly order: OrderProof;
  readonly configurator: Configurator;
  /** Absent: the plan has no apps. */
  readonly apps?: AppCommander | undefined;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Carries out the timeline of a scenario (F5.1): commands to devices and apps, policies and profiles to groups, faults to the lab. A step that a crash interrupted goes on where it was. */
export class Administrator {
  readonly #options: AdministratorOptions;
  /** BOUNDED by the devices. */
  readonly #turns: Map<number, Promise<void>> = new Map();

  constructor(options: AdministratorOptions) {
    this.#options = options;
  }

  /** Runs every step that is not done, at its time counted from now; after a crash the time counts from the first step that is left. */
  async run(): Promise<void> {
    const { plan, state, clock, signal } = this.#options;
    const beganMs = clock.monotonicMs();
    const timeline = plan.steps.filter(({ step }) => step.before === undefined);
    const left = timeline.filter(({ place }) => state.step(place) !== 'done');
    const passedMs = left.length === timeline.length ? 0 : (left[0]?.step.atMs ?? 0);
    // An open model: a step that takes long does not hold up the next one.
    const running: Promise<void>[] = [];
    /** What `drained` waits for before it looks whether everything is through. */
    const sends: Promise<void>[] = [];
    let movedMs = 0;
    this.#options.configurator.resume();
    for (const planned of left) {
      const plannedMs = beganMs + planned.step.atMs - passedMs;
      await pause(clock, plannedMs + movedMs - clock.monotonicMs(), signal);
      if (planned.step.after === 'drained') {
        await this.#drained(sends);
        movedMs = Math.max(movedMs, clock.monotonicMs() - plannedMs);
      }
      signal.throwIfAborted();
      if (planned.step.kind !== 'fault') {
        const send = this.#carryOut(planned, planned.step, plannedMs + movedMs);
        sends.push(send);
        running.push(send);
      } else running.push((await this.#fault(planned.place, planned.step)).ended);
      // Waited for below; until then a failure is nobody's.
      running.at(-1)?.catch(() => undefined);
    }
    await Promise.all(running);
    signal.throwIfAborted();
  }

  async #carryOut(planned: PlannedStep, step: Exclude<TimelineStep, FaultStep>, intendedMs: number): Promise<void> {
    if (step.kind === 'send') return this.#send(planned, step.send, intendedMs);
    if (step.kind === 'sendToApps') return this.#options.apps?.send(planned, intendedMs);
    return this.#options.configurator.configure(planned, intendedMs);
  }

  /** Waits until everything that was sent is through, as long as the scenario allows for that. */
  async #drained(sends: readonly Promise<void>[]): Promise<void> {
    const { observer, plan, clock, progress, signal } = this.#options;
    await Promise.all(sends);
    const late = new AbortController();
    const cancel = clock.setTimer(plan.scenario.drainWithinMs, () => late.abort());
    const drained = await observer.condition.until(() => observer.drained, AbortSignal.any([signal, late.signal]));
    cancel();
    if (!drained && !signal.aborted) progress.warn('the timeline goes on although not everything is through');
  }

  async #send(planned: PlannedStep, send: readonly CommandEntry[], intendedMs: number): Promise<void> {
    const { state, progress, clock, signal } = this.#options;
    const releasedMs = clock.monotonicMs();
    const again = state.step(planned.place) === 'begun';
    await state.putStep(planned.place, 'begun');
    progress.note(`administrator: ${send.map(({ command }) => command).join(', ')} to ${devicesInWords(planned.devices.length)}`);
    await forEachBounded(planned.devices, WIDTH, async (index) => {
      signal.throwIfAborted();
      await this.#inTurn(index, () => this.#sendTo(index, planned.place, send, { intendedMs, releasedMs, again }));
    });
    await state.putStep(planned.place, 'done');
  }

  /** One step at a time for each device, so that its commands keep their order. */
  async #inTurn(index: number, work: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(index) ?? Promise.resolve()).then(work);
    this.#turns.set(
      index,
      turn.catch(() => undefined),
    );
    await turn;
  }

  async #sendTo(
    index: number,
    place: number,
    send: readonly CommandEntry[],
    { intendedMs, releasedMs, again }: { readonly intendedMs: number; readonly releasedMs: number; readonly again: boolean },
  ): Promise<void> {
    const { state, observer, clock } = this.#options;
    const sentMs = clock.monotonicMs();
    let sent = 0;
    for (const [entry, command] of send.entries()) {
      if (state.command(index, place, entry) !== undefined) continue;
      if (await this.#sendOne(index, place, entry, command, again)) sent++;
    }
    if (sent > 0) observer.stepSent(index, { intendedMs, releasedMs, sentMs });
  }

  async #sendOne(index: number, place: number, entry: number, { command: type, properties, application }: CommandEntry, again: boolean): Promise<boolean> {
    const { state, observer, order, clock } = this.#options;
    const deviceId = state.deviceId(index);
    const userGuid = state.userGuid(index);
    if (deviceId === undefined || userGuid === undefined) return false;
    const device = { deviceId, userGuid };
    let commandId: string | undefined;
    try {
      // After a crash the server may have this command without our knowing.
      commandId = again ? await this.#adopt(device, index, type) : undefined;
      commandId ??= await this.#sendSurely(device, index, { type, properties, application });
    } catch (error) {
      if (!(error instanceof AdminError)) throw error;
      // Whether it had to be refused says the audit.
      if (error.id === 'COMMAND_NOT_APPLICABLE') await state.putCommand({ index, place, entry, type, refusal: error.id });
      else if (error.id === 'DEVICE_NOT_ACTIVE' || error.id === 'DEVICE_NOT_FOUND') await state.putCommand({ index, place, entry, type });
      else throw error;
      return false;
    }
    observer.outstanding.sent(index, commandId);
    order.accepted(index, commandId, type, clock.monotonicMs());
    await state.putCommand({ index, place, entry, type, commandId });
    return true;
  }

  async #sendSurely(device: { readonly deviceId: string; readonly userGuid: string }, index: number, command: NewCommand): Promise<string> {
    for (;;) {
      try {
        return await this.#options.api.sendCommand(device, command);
      } catch (error) {
        this.#options.signal.throwIfAborted();
        if (!isUndecided(error)) throw error;
      }
      // The connection broke in the middle: look whether the server took it before sending it again.
      const adopted = await this.#adopt(device, index, command.type);
      if (adopted !== undefined) return adopted;
    }
  }

  /** The id of a command of this type that the server has and we have not noted: the one whose answer was lost. */
  async #adopt(device: { readonly deviceId: string; readonly userGuid: string }, index: number, type: string): Promise<string | undefined> {
    const { api, state } = this.#options;
    const noted = new Set(state.commandsOf(index).map(({ commandId }) => commandId));
    const found = await api.commands(device);
    return found.find((command: ServerCommand) => command.type === type && !noted.has(command.guid))?.guid;
  }

  /** Begins a fault and resolves when it is in force. */
  async #fault(place: number, step: FaultStep): Promise<{ readonly ended: Promise<void> }> {
    const { api, state, plan, progress, clock, signal } = this.#options;
    const { fault, forMs } = step;
    progress.note(`on purpose: ${describeFault(fault)}${forMs === undefined ? '' : `, for ${forMs / 1_000} s`}`);
    const id = state.fault(place) ?? (await api.addFault(fault, plan.seed));
    await state.putFault(place, id);
    const end = async (): Promise<void> => {
      if (forMs !== undefined) {
        await pause(clock, forMs, signal);
        await api.removeFault(id);
      }
      await state.putStep(place, 'done');
    };
    return { ended: end() };
  }

  /** Takes away faults that have no end of their own. */
  async clearFaults(): Promise<void> {
    const { api, state, plan } = this.#options;
    for (const { place, step } of plan.steps) {
      const id = step.kind === 'fault' && step.forMs === undefined ? state.fault(place) : undefined;
      if (id !== undefined) await api.removeFault(id);
    }
  }
}
