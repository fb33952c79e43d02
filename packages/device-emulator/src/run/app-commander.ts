import type { Clock } from '@uemkit/protocol';
import { AdminError, isUndecided } from '../admin/admin-error.ts';
import type { AppApi, ServerApp } from '../admin/app-api.ts';
import { forEachBounded } from '../concurrency/for-each-bounded.ts';
import type { RunMetrics } from '../metrics/run-metrics.ts';
import type { Timing } from '../metrics/series.ts';
import type { Plan } from '../plan/plan.ts';
import type { PlannedApp } from '../plan/planned-apps.ts';
import type { PlannedStep } from '../plan/planned-step.ts';
import type { AppCommandEntry } from '../scenario/scenario.ts';
import type { Progress } from './progress.ts';
import type { RunObserver } from './run-observer.ts';
import type { RunState, SentAppCommand } from './run-state.ts';

/** Apps that get their commands at the same time. */
const WIDTH = 8;

export interface AppCommanderOptions {
  readonly api: AppApi;
  readonly state: RunState;
  readonly plan: Plan;
  readonly observer: RunObserver;
  readonly metrics: RunMetrics;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Something that UEM wants of an app, and that the app has not carried out: a command, or the policy of a configure step. */
export interface OpenAppCommand {
  readonly id: string;
  /** Absent: a policy, which UEM may give again without harm. */
  readonly command?: SentAppCommand | undefined;
  /** Absent: an earlier start has sent it, and nobody knows any more when. */
  readonly sent?: Omit<Timing, 'endedMs'> | undefined;
}

type StepTimes = Pick<Timing, 'intendedMs' | 'releasedMs'>;

/** Sends commands to apps (F5.1), each once, over lost answers and crashes, and knows which of them are not carried out. */
export class AppCommander {
  readonly #options: AppCommanderOptions;
  /** By place of the app in the plan. BOUNDED by the commands of the plan. */
  readonly #open: Map<number, Map<string, OpenAppCommand>> = new Map();
  /** BOUNDED by the apps. */
  readonly #turns: Map<number, Promise<void>> = new Map();

  constructor(options: AppCommanderOptions) {
    this.#options = options;
  }

  /** What an earlier start has sent is waited for again. */
  resume(): void {
    const { plan, state } = this.#options;
    for (const app of plan.apps)
      for (const command of state.appCommandsOf(app.device, app.name)) if (command.state === 'sent') this.#note(app, { id: idOf(command), command });
  }

  /** Carries out a sendToApps step; resolves when UEM has it. A step that a crash interrupted goes on where it was. */
  async send({ step, place, apps = [] }: PlannedStep, intendedMs: number): Promise<void> {
    if (step.kind !== 'sendToApps') return;
    const { plan, state, clock, progress, signal } = this.#options;
    const times = { intendedMs, releasedMs: clock.monotonicMs() };
    await state.putStep(place, 'begun');
    progress.note(`administrator: ${step.sendToApps.map(({ command }) => command).join(', ')} to ${apps.length === 1 ? '1 app' : `${apps.length} apps`}`);
    await forEachBounded(apps, WIDTH, async (ordinal) => {
      signal.throwIfAborted();
      const app = plan.apps[ordinal] as PlannedApp;
      await this.#inTurn(ordinal, async () => {
        for (const [entry, command] of step.sendToApps.entries()) await this.#sendOne(app, { place, entry }, command, times);
      });
    });
    await state.putStep(place, 'done');
  }

  /** UEM has a policy for the apps of these devices: each of them has it, too, when it has asked once more. `sent`: absent for what an earlier start has done. */
  given(place: number, devices: readonly number[], sent?: OpenAppCommand['sent']): void {
    const { plan, state } = this.#options;
    const there = new Set(devices);
    for (const app of plan.apps)
      if (there.has(app.device) && state.appInstance(app.device, app.name) !== undefined)
        this.#note(app, { id: `${app.device} ${app.name} policy ${place}`, sent });
  }

  /** What an app hears of when it asks now, and not before. */
  openOf({ ordinal }: PlannedApp): readonly OpenAppCommand[] {
    return [...(this.#open.get(ordinal)?.values() ?? [])];
  }

  /** The app has asked after `commands` were sent, and everything is carried out. `isConfirmed`: UEM has heard it. Resolves when that survives a crash. */
  async carriedOut(app: PlannedApp, commands: readonly OpenAppCommand[], isConfirmed: boolean): Promise<void> {
    const { state, observer, metrics, clock } = this.#options;
    const endedMs = clock.monotonicMs();
    for (const { id, command, sent } of commands) {
      if (command !== undefined) await state.putAppCommand({ ...command, state: 'done', ...(isConfirmed ? {} : { unconfirmed: true }) });
      if (sent !== undefined) metrics.series(command === undefined ? 'appPolicy' : 'appCommand').succeeded({ ...sent, endedMs });
      this.#open.get(app.ordinal)?.delete(id);
      observer.appCommandThrough(app.device, id);
    }
  }

  /** One step at a time for each app, so that its commands keep their order. */
  async #inTurn(ordinal: number, work: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(ordinal) ?? Promise.resolve()).then(work);
    this.#turns.set(
      ordinal,
      turn.catch(() => undefined),
    );
    await turn;
  }

  async #sendOne(app: PlannedApp, at: Pick<SentAppCommand, 'place' | 'entry'>, command: AppCommandEntry, times: StepTimes): Promise<void> {
    const { state, api, clock } = this.#options;
    const { device, name } = app;
    const before = state.appCommand(device, name, at.place, at.entry);
    if (before !== undefined && before.state !== 'begun') return;
    const [userGuid, instanceId] = [state.userGuid(device), state.appInstance(device, name)];
    // It was never activated, which the audit tells.
    if (userGuid === undefined || instanceId === undefined) return;
    const begun: SentAppCommand = before ?? {
      ...{ device, app: name, ...at, type: command.command, state: 'begun' },
      lockBefore: command.command === 'LOCK_APPLICATION' ? (await api.instance(userGuid, instanceId))?.lock : undefined,
    };
    if (before === undefined) await state.putAppCommand(begun);
    const sentMs = clock.monotonicMs();
    try {
      const isUnsure = before !== undefined;
      const { lock } = (await this.#sendSurely({ userGuid, instanceId }, command, begun, isUnsure)) ?? {};
      const sent: SentAppCommand = { ...begun, state: 'sent', lock: command.command === 'LOCK_APPLICATION' ? lock : undefined };
      await state.putAppCommand(sent);
      this.#note(app, { id: idOf(sent), command: sent, sent: { ...times, sentMs } });
    } catch (error) {
      if (!(error instanceof AdminError) || !REFUSALS.includes(error.id)) throw error;
      // Whether it had to be taken says the audit.
      await state.putAppCommand({ ...begun, state: 'refused', refusal: error.id });
    }
  }

  /** The app as UEM has it with the command; undefined: it has carried out its wipe already. */
  async #sendSurely(
    { userGuid, instanceId }: { readonly userGuid: string; readonly instanceId: string },
    command: AppCommandEntry,
    begun: SentAppCommand,
    isUnsure: boolean,
  ): Promise<ServerApp | undefined> {
    const { api, signal } = this.#options;
    for (let look = isUnsure; ; look = true) {
      if (look) {
        const app = await api.instance(userGuid, instanceId);
        // check: F5.1 a command that UEM has taken without our knowing is not sent again
        if (isTaken(app, command, begun)) return app;
      }
      try {
        return await api.sendCommand(userGuid, instanceId, command);
      } catch (error) {
        signal.throwIfAborted();
        if (!isUndecided(error)) throw error;
      }
    }
  }

  #note(app: PlannedApp, open: OpenAppCommand): void {
    const commands = this.#open.get(app.ordinal) ?? new Map<string, OpenAppCommand>();
    this.#open.set(app.ordinal, commands.set(open.id, open));
    this.#options.observer.outstandingOfApps.sent(app.device, open.id);
  }
}

/** Answers of UEM that are one: the app or its user is gone, or has as many blocks as there may be. */
const REFUSALS: readonly string[] = ['APPLICATION_NOT_FOUND', 'USER_NOT_FOUND', 'LIMIT_REACHED'];

/** One of the whole run. */
function idOf({ device, app, place, entry }: SentAppCommand): string {
  return `${device} ${app} ${place}/${entry}`;
}

/** UEM says how things are to be, and of a lock which one was the last: so what it has taken shows. */
function isTaken(app: ServerApp | undefined, wanted: AppCommandEntry, { lockBefore }: SentAppCommand): boolean {
  if (wanted.command === 'DELETE_APPLICATION') return app === undefined || app.wipe;
  if (app === undefined) return false;
  switch (wanted.command) {
    case 'LOCK_APPLICATION':
      return app.lock !== lockBefore;
    case 'UNBLOCK_APPLICATION':
      return app.blocks.every(({ actionId }) => actionId !== wanted.properties.actionId);
    case 'BLOCK_APPLICATION': {
      const { actionId, title, body } = wanted.properties;
      return app.blocks.some((block) => block.actionId === actionId && block.title === title && block.body === body);
    }
  }
}
