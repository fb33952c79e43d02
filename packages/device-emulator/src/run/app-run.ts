import { setMaxListeners } from 'node:events';
import { tlsNocTransport } from '@uemkit/dynamics-sdk/node';
import { type Clock, type CryptoProvider, type Entropy, ProtocolError } from '@uemkit/protocol';
import { trustOfPem } from '@uemkit/uem-client';
import type { AdminApi } from '../admin/admin-api.ts';
import { AppApi } from '../admin/app-api.ts';
import { ConfigurationApi } from '../admin/configuration-api.ts';
import type { Connection } from '../admin/connection-file.ts';
import { AppSockets } from '../apps/app-sockets.ts';
import { NO_SESSION, runSessions } from '../apps/app-traffic.ts';
import { askForUpdates } from '../apps/app-updates.ts';
import { type AppSurroundings, FleetApp } from '../apps/fleet-app.ts';
import type { AuditedApp } from '../audit/check-apps.ts';
import { forEachBounded } from '../concurrency/for-each-bounded.ts';
import { driveActivations } from '../fleet/activation-driver.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { FleetStore } from '../fleet/fleet-store.ts';
import type { RunMetrics } from '../metrics/run-metrics.ts';
import type { Plan } from '../plan/plan.ts';
import type { PlannedApp } from '../plan/planned-apps.ts';
import type { SeededDraw } from '../plan/seeded-draw.ts';
import { accessKeyInMail } from '../scan/access-key-mail.ts';
import type { StepSink } from '../trace/step-sink.ts';
import { putApps } from './app-catalogue.ts';
import { AppCommander } from './app-commander.ts';
import { collectApps } from './collect-apps.ts';
import type { Progress } from './progress.ts';
import { reasonOf } from './reason-of.ts';
import type { RunObserver } from './run-observer.ts';
import type { RunState } from './run-state.ts';

const WIDTH = 8;
/** Warnings of one kind that are shown. */
const MAX_WARNINGS = 5;

export interface AppRunOptions {
  readonly plan: Plan;
  readonly connection: Connection;
  /** Base URL of the HTTP server that the apps ask. */
  readonly server: string;
  readonly api: AdminApi;
  readonly state: RunState;
  readonly store: FleetStore;
  readonly draw: SeededDraw;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly metrics: RunMetrics;
  readonly observer: RunObserver;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly temporaryFolder: string;
  readonly steps: (index: number) => StepSink | undefined;
}

/** The Dynamics apps of a run: catalogue, activation by the planned source of keys (F3), sessions through the planned way (F10, F11), and what the audit compares. */
export class AppRun {
  readonly #options: AppRunOptions;
  readonly #api: AppApi;
  readonly #sockets: AppSockets;
  readonly #updates: Set<Promise<void>> = new Set();
  /** By place in the plan. */
  readonly #apps: Map<number, FleetApp> = new Map();
  readonly #ended = new AbortController();
  readonly #closing = new AbortController();
  /** Sends the commands of the timeline. */
  readonly commander: AppCommander;
  #warned = 0;

  constructor(options: AppRunOptions) {
    this.#options = options;
    this.#api = new AppApi(options.api);
    this.#sockets = new AppSockets(options.temporaryFolder);
    this.commander = new AppCommander({ ...options, api: this.#api });
  }

  /** What UEM has to know before the devices activate themselves. */
  prepare(): Promise<void> {
    const { api, plan, state, server } = this.#options;
    return putApps({ api: this.#api, configuration: new ConfigurationApi(api), plan, state, server });
  }

  /** Opens every app whose device is managed, and activates those that are not: first the ones that ask no other app. */
  async activate(fleet: Fleet): Promise<void> {
    const { plan, progress, signal } = this.#options;
    const surroundings = this.#surroundings();
    const there = plan.apps.filter(({ device }) => fleet.device(device).state === 'active');
    const places = new Map(there.map(({ device, name, ordinal }) => [`${device} ${name}`, ordinal]));
    const asked = ({ device, asks }: PlannedApp): FleetApp | undefined => this.#apps.get(places.get(`${device} ${asks}`) ?? -1);
    progress.phase('Dynamics apps activate themselves (F3)');
    let through = 0;
    const step = (): void => progress.step(++through, there.length, 'apps activated');
    for (const asksSibling of [false, true]) {
      const turn = there.filter(({ key }) => (key === 'sibling') === asksSibling);
      await forEachBounded(turn, WIDTH, async (planned) => {
        signal.throwIfAborted();
        this.#apps.set(planned.ordinal, await FleetApp.open(planned, fleet.device(planned.device), asked(planned), surroundings));
      });
      await this.#activateAll(
        turn.map(({ ordinal }) => this.#apps.get(ordinal) as FleetApp),
        step,
      );
    }
  }

  /** Runs the sessions that are left, until `end` or the last one. Never rejects. */
  async sessions(fleet: Fleet): Promise<void> {
    const { clock, entropy, signal, state, metrics, server } = this.#options;
    const either = AbortSignal.any([signal, this.#ended.signal]);
    // One listener for each app that waits.
    setMaxListeners(0, either);
    const left = this.#activated().map((app) => ({ app, count: state.sessions(app.planned.device, app.planned.name) ?? NO_SESSION }));
    const firstMs = Math.min(...left.map(({ app, count }) => app.planned.sessionsAtMs[count.sessions] ?? Number.POSITIVE_INFINITY));
    const beganMs = clock.monotonicMs() - (Number.isFinite(firstMs) ? firstMs : 0);
    const timing = (intendedMs: number, sentMs: number) => ({ intendedMs, sentMs, endedMs: clock.monotonicMs() });
    await Promise.all(
      left.map(async ({ app, count }) => {
        const { device, name } = app.planned;
        await runSessions(app, count, {
          clock,
          entropy,
          server,
          beganMs,
          signal: either,
          isThere: () => fleet.device(device).state === 'active',
          succeeded: (_outcome, intendedMs, sentMs) => metrics.series('appRequest').succeeded(timing(intendedMs, sentMs)),
          failed: (error, intendedMs, sentMs) => {
            metrics.series('appRequest').failed(timing(intendedMs, sentMs));
            this.#warn(`a request of app ${name} on device ${device} failed: ${reasonOf(error)}`);
          },
          counted: (after) => state.putSessions(device, name, after),
        });
      }),
    );
  }

  /** Has the apps ask UEM what has changed, until `close`, and goes on waiting for what an earlier start has sent. */
  beginUpdates(fleet: Fleet): void {
    const { clock, signal } = this.#options;
    const either = AbortSignal.any([signal, this.#closing.signal]);
    setMaxListeners(0, either);
    this.commander.resume();
    const beganMs = clock.monotonicMs();
    for (const app of this.#activated()) {
      const { device, name } = app.planned;
      const told = (error: unknown): void => this.#warn(`app ${name} on device ${device} could not ask UEM what has changed: ${reasonOf(error)}`);
      const asking = askForUpdates(app, {
        ...{ clock, beganMs, signal: either },
        isThere: () => fleet.device(device).state === 'active',
        open: () => this.commander.openOf(app.planned),
        carriedOut: (commands, isConfirmed) => this.commander.carriedOut(app.planned, commands, isConfirmed),
        failed: told,
      });
      this.#updates.add(asking.catch(told));
    }
  }

  /** Those that are, or were until an administrator wiped them. */
  #activated(): readonly FleetApp[] {
    return [...this.#apps.values()].filter(({ planned: { device, name } }) => this.#options.state.appInstance(device, name) !== undefined);
  }

  /** Time is up: what is left of the sessions is not made any more. */
  end(): void {
    this.#ended.abort();
  }

  /** What the audit compares. */
  audited(fleet: Fleet): Promise<readonly AuditedApp[]> {
    const { plan, state, server, clock, signal } = this.#options;
    return collectApps({ plan, state, server, clock, signal, fleet, api: this.#api, app: (ordinal) => this.#apps.get(ordinal) });
  }

  async close(): Promise<void> {
    this.end();
    this.#closing.abort();
    await Promise.all(this.#updates);
    await forEachBounded(this.#apps.values(), WIDTH, (app) => app.close());
    await this.#sockets.close();
  }

  #surroundings(): AppSurroundings {
    const { crypto, clock, entropy, draw, store, connection, steps } = this.#options;
    if (connection.noc === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'the server has no NOC, which apps activate themselves at');
    const noc = { address: connection.noc, trust: trustOfPem(connection.ca) };
    return { crypto, clock, entropy, draw, store, sockets: this.#sockets, noc, transport: tlsNocTransport(), steps };
  }

  async #activateAll(apps: readonly FleetApp[], through: () => void): Promise<void> {
    const { clock, entropy, plan, metrics, signal, state } = this.#options;
    const { inFlight, attempts, ratePerS } = plan.scenario.activation;
    const tasks = apps.map((app, place) => ({
      index: app.planned.ordinal,
      atMs: Math.round((place * 1_000) / ratePerS),
      attempt: async (attemptSignal: AbortSignal) => {
        const { device, name } = app.planned;
        const known = state.appInstance(device, name);
        // One that an administrator has wiped stays so.
        if (known !== undefined && app.condition === 'wiped') return;
        await app.activate(() => this.#mailedKey(app.planned), attemptSignal);
        if (known !== app.instanceId) await state.putAppInstance(device, name, app.instanceId);
      },
    }));
    await driveActivations(tasks, {
      clock,
      entropy,
      plan: { inFlight },
      attempts,
      signal,
      activated: (_ordinal, timing) => {
        metrics.series('appActivation').succeeded(timing);
        through();
      },
      failed: (ordinal, error, timing) => {
        metrics.series('appActivation').failed(timing);
        const { name, device } = plan.apps[ordinal] as PlannedApp;
        this.#warn(`app ${name} on device ${device} was not activated: ${reasonOf(error)}`);
      },
    });
  }

  /** The user reads the mail with the access key (F3.5). */
  async #mailedKey({ device }: PlannedApp): Promise<string> {
    const { state, plan } = this.#options;
    const { userId } = plan.devices[device] as Plan['devices'][number];
    return accessKeyInMail(await this.#api.mailAccessKey(state.userGuid(device) as string, userId));
  }

  #warn(text: string): void {
    this.#warned += 1;
    if (this.#warned <= MAX_WARNINGS) this.#options.progress.warn(text);
  }
}
