import { type Clock, type CryptoProvider, type Entropy, isProtocolError } from '@uemkit/protocol';
import { type ActivationCredentials, trustOfPem } from '@uemkit/uem-client';
import { TlsContexts } from '@uemkit/uem-client/node';
import { AdminApi, isOpen } from '../admin/admin-api.ts';
import { AdminHttp } from '../admin/admin-http.ts';
import { ConfigurationApi } from '../admin/configuration-api.ts';
import type { Connection } from '../admin/connection-file.ts';
import { type AuditedDevice, type AuditReport, audit } from '../audit/audit.ts';
import { forEachBounded } from '../concurrency/for-each-bounded.ts';
import { pause } from '../concurrency/pause.ts';
import { driveActivations } from '../fleet/activation-driver.ts';
import { derivedPassword } from '../fleet/derived-key-store.ts';
import { Fleet } from '../fleet/fleet.ts';
import type { FleetDevice } from '../fleet/fleet-device.ts';
import type { FleetStore } from '../fleet/fleet-store.ts';
import { FlightRecorder } from '../fleet/flight-recorder.ts';
import { LossBudget } from '../fleet/push-loss.ts';
import { RunMetrics } from '../metrics/run-metrics.ts';
import type { DeviceState } from '../operating-systems/device-state.ts';
import type { SystemId } from '../operating-systems/system-definition.ts';
import type { Plan } from '../plan/plan.ts';
import { askingApps } from '../plan/planned-apps.ts';
import { SeededDraw } from '../plan/seeded-draw.ts';
import { pictureInMail } from '../scan/activation-mail.ts';
import { scanActivationQrCode } from '../scan/qr-scanner.ts';
import type { CounterName } from '../scenario/assertion.ts';
import { allOf } from '../trace/step-sink.ts';
import type { TraceWriter } from '../trace/trace-writer.ts';
import { Administrator } from './administrator.ts';
import { AppRun } from './app-run.ts';
import { collectAudit } from './collect-audit.ts';
import { Configurator } from './configurator.ts';
import { type KindFigures, kindFigures, totalOf } from './kind-figures.ts';
import { OrderProof, type OrderReport } from './order-proof.ts';
import { type ProfileGuids, prepareUsers, putProfiles } from './prepare-users.ts';
import type { Progress } from './progress.ts';
import { reasonOf } from './reason-of.ts';
import { RunObserver } from './run-observer.ts';
import type { RunState } from './run-state.ts';
import { RunTrace } from './run-trace.ts';

/** Rounds of the audit while the server still has something open, and the time between two. */
const AUDIT_ROUNDS = 10;
const AUDIT_PAUSE_MS = 500;
/** Devices whose commands the server is asked for at a time. */
const WIDTH = 8;
/** What may be over in a moment. */
const OPEN_FOR_NOW: readonly string[] = ['commandOpen', 'configurationOpen', 'appCommandOpen', 'appPolicyOpen'];
const THROUGH = 'devices activated';
/** Between two lines about a server that is away. */
const QUIET_MS = 10_000;

export interface RunFleetOptions {
  readonly plan: Plan;
  readonly connection: Connection;
  readonly store: FleetStore;
  readonly state: RunState;
  /** This run was started before. */
  readonly resumed: boolean;
  /** Number of this start. */
  readonly start: number;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly progress: Progress;
  /** Every step of the run is written here (docs/trace.md). */
  readonly trace?: TraceWriter | undefined;
  /** Base URL of the HTTP server that apps ask; needed where the plan has apps. */
  readonly appServer?: string | undefined;
  /** For sockets between apps. */
  readonly temporaryFolder: string;
  /** Ends the run; everything is saved at any time. */
  readonly signal: AbortSignal;
}

/** What a run that came to its end found out. */
export interface RunOutcome {
  readonly metrics: RunMetrics;
  readonly order: OrderReport;
  readonly audit: AuditReport;
  readonly kinds: ReadonlyMap<SystemId, KindFigures>;
  /** Why devices could not be activated, by error code. */
  readonly activationErrors: ReadonlyMap<string, number>;
}

/** Runs a plan from where it is to its end. Throws `signal.reason` when it is ended before. */
export async function runFleet(options: RunFleetOptions): Promise<RunOutcome> {
  const run = new FleetRun(options);
  try {
    return await run.run();
  } finally {
    await run.close();
  }
}

class FleetRun {
  readonly #options: RunFleetOptions;
  readonly #metrics: RunMetrics = new RunMetrics();
  readonly #order: OrderProof = new OrderProof();
  readonly #observer: RunObserver;
  readonly #draw: SeededDraw;
  readonly #http: AdminHttp;
  readonly #trace: RunTrace | undefined;
  readonly #recorder: FlightRecorder;
  readonly #api: AdminApi;
  readonly #activationErrors: Map<string, number> = new Map();
  /** Why UEM refused devices, in the words of the protocol. BOUNDED by the devices. */
  readonly #refusals: Map<number, string> = new Map();
  readonly #apps: AppRun | undefined;
  #fleet: Fleet | undefined;
  #quietUntilMs = 0;

  constructor(options: RunFleetOptions) {
    this.#options = options;
    const { plan, clock, crypto, entropy, connection, signal, trace } = options;
    this.#observer = new RunObserver(this.#metrics, this.#order, clock);
    this.#recorder = new FlightRecorder({ store: options.store, clock });
    this.#draw = new SeededDraw(crypto, plan.fleetId);
    this.#trace = trace === undefined ? undefined : new RunTrace({ ...options, writer: trace });
    this.#http = new AdminHttp(connection, this.#trace && { clock, observer: this.#trace.observer });
    this.#api = new AdminApi({ http: this.#http, clock, entropy, signal, onWaiting: (error) => this.#waiting(error) });
    this.#apps = this.#appRun();
  }

  async run(): Promise<RunOutcome> {
    const { plan, state, progress, signal, resumed } = this.#options;
    await this.#api.check();
    await this.#trace?.start();
    const profiles = await putProfiles(this.#api, plan, this.#draw);
    progress.phase('Administrator adds users and sets activation passwords (F1.1)');
    await prepareUsers({ api: this.#api, state, plan, draw: this.#draw, progress, signal, resumed }, profiles);
    await this.#apps?.prepare();
    const fleet = await this.#openFleet();
    this.#fleet = fleet;
    const common = { state, plan, observer: this.#observer, clock: this.#options.clock, progress, signal };
    const configurator = new Configurator({
      ...common,
      apps: this.#apps?.commander,
      api: new ConfigurationApi(this.#api),
      held: (index) => heldBy(fleet.device(index)),
    });
    await configurator.beforeActivation();
    progress.phase('Devices activate themselves (F1.2 to F1.5)');
    await this.#activate(fleet, profiles);
    await this.#reopenCommands(fleet);
    await this.#allConnected();
    await this.#apps?.activate(fleet);
    progress.phase('Administrator manages, devices poll, carry out and answer (F5)');
    const administrator = new Administrator({ ...common, api: this.#api, order: this.#order, configurator, apps: this.#apps?.commander });
    const activeSinceMs = this.#options.clock.monotonicMs();
    this.#apps?.beginUpdates(fleet);
    const sessions = this.#apps?.sessions(fleet);
    await administrator.run();
    const leftMs = activeSinceMs + plan.scenario.durationMs - this.#options.clock.monotonicMs();
    await this.#stayUp(leftMs);
    await this.#drain();
    await this.#sessionsEnd(sessions);
    await administrator.clearFaults();
    progress.phase('Audit: plan, devices and server are compared');
    const { report, devices } = await this.#audit(fleet);
    const kinds = kindFigures(plan, devices, (index) => this.#observer.pushesOf(index));
    this.#count(report, totalOf(kinds.values()));
    return { metrics: this.#metrics, order: this.#order.report(), audit: report, kinds, activationErrors: this.#activationErrors };
  }

  #appRun(): AppRun | undefined {
    const { plan, appServer: server, trace } = this.#options;
    if (plan.apps.length === 0) return undefined;
    if (server === undefined) throw new RangeError('apps need a server');
    const steps = (index: number) => allOf([this.#recorder.device(index), trace?.device(index)]);
    return new AppRun({ ...this.#options, server, api: this.#api, draw: this.#draw, metrics: this.#metrics, observer: this.#observer, steps });
  }

  /** The sessions of apps have as long after their last planned start as commands have. */
  async #sessionsEnd(sessions: Promise<void> | undefined): Promise<void> {
    if (sessions === undefined) return;
    const { plan, clock, progress, signal } = this.#options;
    const lastMs = Math.max(0, ...plan.apps.map(({ sessionsAtMs }) => sessionsAtMs.at(-1) ?? 0));
    progress.note('waiting for the sessions of the apps');
    const cancel = clock.setTimer(lastMs + plan.scenario.drainWithinMs, () => this.#apps?.end());
    await sessions;
    cancel();
    signal.throwIfAborted();
  }

  async #stayUp(leftMs: number): Promise<void> {
    const { progress, clock, signal } = this.#options;
    const totalS = Math.ceil(leftMs / 1_000);
    if (totalS > 0) progress.note(`the fleet stays up for another ${totalS} s, as the scenario says`);
    const endMs = clock.monotonicMs() + leftMs;
    for (let ms = leftMs; ms > 0; ms = endMs - clock.monotonicMs()) {
      await pause(clock, Math.min(1_000, ms), signal);
      signal.throwIfAborted();
      progress.step(totalS - Math.max(0, Math.ceil((endMs - clock.monotonicMs()) / 1_000)), totalS, 's of that');
    }
    signal.throwIfAborted();
  }

  /** Says once in a while that the server is away. */
  #waiting(error: unknown): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs < this.#quietUntilMs) return;
    this.#quietUntilMs = nowMs + QUIET_MS;
    this.#options.progress.warn(`the server does not answer, trying again: ${reasonOf(error)}`);
  }

  async close(): Promise<void> {
    await this.#apps?.close();
    await this.#fleet?.close();
    await this.#recorder.close();
    await this.#trace?.close();
    await this.#http.close();
  }

  #openFleet(): Promise<Fleet> {
    const { plan, clock, crypto, entropy, store, start, trace, progress, signal } = this.#options;
    return Fleet.open(
      plan,
      {
        crypto,
        clock,
        entropy,
        store,
        draw: this.#draw,
        contexts: new TlsContexts(),
        observer: this.#observer,
        pushLoss: plan.scenario.pushLoss,
        lossBudget: new LossBudget(plan.scenario.pushLoss),
        start,
        askingApps: askingApps(plan.apps),
        steps: (index) => allOf([this.#recorder.device(index), trace?.device(index)]),
      },
      (index, error) => progress.warn(`device ${index} could not finish what was interrupted: ${reasonOf(error)}`),
      signal,
    );
  }

  async #activate(fleet: Fleet, profiles: ProfileGuids): Promise<void> {
    const { plan, state, clock, entropy, progress, signal } = this.#options;
    const missing: FleetDevice[] = [];
    for (const device of fleet.devices) {
      if (device.state === 'active') await this.#activated(device);
      // A device that was activated before and is not now has left, or was refused; it is not activated again.
      else if (state.deviceId(device.planned.index) === undefined) missing.push(device);
    }
    const total = plan.devices.length;
    let through = total - missing.length;
    if (through > 0) progress.note(`${through} of ${total} devices are activated already`);
    // On resume the plan begins with the first device that is left.
    const firstMs = Math.min(...missing.map(({ planned }) => planned.activateAtMs));
    const tasks = missing.map((device) => ({
      index: device.planned.index,
      atMs: device.planned.activateAtMs - firstMs,
      attempt: async (attemptSignal: AbortSignal) => {
        // A secret that is made anew would end what the device has begun with the one before.
        if (device.isAccepted) await device.confirm({ signal: attemptSignal });
        else await device.activate(await this.#credentials(device, profiles), { signal: attemptSignal });
        await this.#activated(device);
      },
    }));
    await driveActivations(tasks, {
      clock,
      entropy,
      plan: plan.scenario.activation,
      attempts: plan.scenario.activation.attempts,
      signal,
      activated: (_index, timing) => {
        this.#metrics.series('activation').succeeded(timing);
        progress.step(++through, total, THROUGH);
      },
      failed: (index, error, timing) => {
        const refusal = refusalOf(error);
        if (refusal !== undefined) this.#refusals.set(index, refusal);
        if (refusal === 'compliance' && plan.devices[index]?.refusedFor !== undefined) return progress.step(++through, total, THROUGH);
        this.#metrics.series('activation').failed(timing);
        this.#metrics.count('activationsFailed');
        const reason = reasonOf(error);
        this.#activationErrors.set(reason, (this.#activationErrors.get(reason) ?? 0) + 1);
        if (this.#metrics.counter('activationsFailed') <= 5) progress.warn(`device ${index} was not activated: ${reason}`);
      },
    });
  }

  async #activated(device: FleetDevice): Promise<void> {
    const { deviceId } = device;
    const { index } = device.planned;
    if (deviceId !== undefined && this.#options.state.deviceId(index) === undefined) await this.#options.state.putDeviceId(index, deviceId);
    this.#observer.started(index);
    device.start();
  }

  async #credentials({ planned }: FleetDevice, profiles: ProfileGuids): Promise<ActivationCredentials> {
    const { state, connection } = this.#options;
    const { index, userId, credential, activationType } = planned;
    if (credential === 'qr') {
      const content = await this.#api.makeQrCode(state.userGuid(index) as string, profiles.get(activationType) as string);
      return { kind: 'qr', content };
    }
    if (credential === 'qr-mail') {
      const mail = await this.#api.mailQrCode(state.userGuid(index) as string, userId, profiles.get(activationType) as string);
      return { kind: 'qr', content: await scanActivationQrCode(await pictureInMail(mail), this.#options.clock.nowMs()) };
    }
    const infrastructure = { address: connection.infrastructure, trust: trustOfPem(connection.ca) };
    return { kind: 'password', userId, password: derivedPassword(this.#draw, index), infrastructure, slot: 0 };
  }

  /** Commands that an earlier start sent and that are not through yet. Nobody waits for what has ended at the server without its device: the audit tells it. */
  async #reopenCommands(fleet: Fleet): Promise<void> {
    const { plan, state } = this.#options;
    await forEachBounded(plan.devices, WIDTH, async ({ index }) => {
      const device = fleet.device(index);
      const [deviceId, userGuid] = [state.deviceId(index), state.userGuid(index)];
      if (device.state !== 'active' || deviceId === undefined || userGuid === undefined) return;
      const executed = new Set(device.executions().map(({ commandId }) => commandId));
      const left = state.commandsOf(index).flatMap(({ commandId }) => (commandId === undefined || executed.has(commandId) ? [] : [commandId]));
      if (left.length === 0) return;
      const ended = (await this.#api.commands({ deviceId, userGuid })).filter((command) => !isOpen(command));
      for (const commandId of left) if (!ended.some(({ guid }) => guid === commandId)) this.#observer.outstanding.sent(index, commandId);
    });
  }

  /** Waits for the push connections: what is sent before would come by the poll, and nothing was lost on purpose. */
  async #allConnected(): Promise<void> {
    const { plan, clock, signal, progress } = this.#options;
    const observer = this.#observer;
    const patience = new AbortController();
    const cancel = clock.setTimer(plan.scenario.connectWithinMs, () => patience.abort());
    const connected = await observer.condition.until(() => observer.unconnected === 0, AbortSignal.any([signal, patience.signal]));
    cancel();
    signal.throwIfAborted();
    if (!connected) progress.warn(`${observer.unconnected} devices do not reach their notification service; they depend on the regular poll`);
  }

  async #drain(): Promise<void> {
    const { plan, clock, progress, signal } = this.#options;
    const late = new AbortController();
    const cancel = clock.setTimer(plan.scenario.drainWithinMs, () => late.abort());
    if (!this.#observer.drained)
      progress.note(
        `waiting for ${this.#observer.openCommands} commands and updates, and ${this.#observer.lostPushes} lost pushes that the regular poll makes up for`,
      );
    const drained = await this.#observer.condition.until(() => this.#observer.drained, AbortSignal.any([signal, late.signal]));
    cancel();
    signal.throwIfAborted();
    if (!drained) progress.warn('not everything is through in the time that the scenario allows; the audit says what is missing');
  }

  async #audit(fleet: Fleet): Promise<{ readonly report: AuditReport; readonly devices: readonly AuditedDevice[] }> {
    const { plan, state, clock, signal } = this.#options;
    for (let round = 1; ; round++) {
      const devices = await collectAudit({ plan, fleet, state, api: this.#api, draw: this.#draw, refusals: this.#refusals });
      const report = audit(devices, await this.#apps?.audited(fleet));
      signal.throwIfAborted();
      // A status may be with the server a moment after the device has it.
      const onlyOpen = report.differences.every(({ problem }) => OPEN_FOR_NOW.includes(problem));
      if (report.ok || !onlyOpen || round === AUDIT_ROUNDS) return { report, devices };
      await pause(clock, AUDIT_PAUSE_MS, signal);
    }
  }

  #count({ planned, activated, refused, serverKnown, left, apps }: AuditReport, total: KindFigures): void {
    const { commandsSent, commandsDone, refusedByUem, refusedByDevice, refusedAsDocumented, updatesDone } = total;
    const counters = {
      devices: planned,
      activated,
      activationsRefused: refused,
      serverKnown,
      deactivated: left,
      commandsSent,
      commandsDone,
      commandsRefused: refusedByUem,
      apps: apps.planned,
      appsActivated: apps.activated,
      appsServerKnown: apps.serverKnown,
      appRequests: apps.requests.planned,
      appRequestsDone: apps.requests.done,
      appRequestsFailed: apps.requests.failed,
      appRequestsWithheld: apps.requests.withheld ?? 0,
      appCommandsSent: apps.commands?.sent ?? 0,
      appCommandsDone: apps.commands?.done ?? 0,
    };
    for (const [name, value] of Object.entries({ ...counters, commandsFailed: refusedByDevice, refusedAsDocumented, updatesDone }))
      this.#metrics.set(name as CounterName, value);
  }
}

/** What UEM keeps on a device; undefined when it is not managed. */
function heldBy({ state, emulated }: FleetDevice): DeviceState | undefined {
  return state === 'active' ? emulated : undefined;
}

/** Why UEM refused the activation by its rules; undefined for any other failure. */
function refusalOf(error: unknown): string | undefined {
  return isProtocolError(error) && error.code === 'ERR_REJECTED_ACTIVATION' ? String(error.details['reason']) : undefined;
}
