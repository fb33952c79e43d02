import type { Clock } from '@uemkit/protocol';
import type { AppApi, ServerApp } from '../admin/app-api.ts';
import type { FleetApp } from '../apps/fleet-app.ts';
import type { AdministeredApp } from '../audit/check-app-commands.ts';
import type { AuditedApp } from '../audit/check-apps.ts';
import { forEachBounded } from '../concurrency/for-each-bounded.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { plannedAppPolicies, reachesApps } from '../plan/app-policies.ts';
import { type ExpectedApp, expectedApps, OPEN_APP } from '../plan/commanded-apps.ts';
import { ConfigurationTargets } from '../plan/configuration-targets.ts';
import type { Plan } from '../plan/plan.ts';
import { type PlannedApp, requestsPerSession } from '../plan/planned-apps.ts';
import { reasonOf } from './reason-of.ts';
import type { RunState } from './run-state.ts';

const WIDTH = 8;
/** How long an app that nobody has closed may take to reach the server. */
const REACH_MS = 30_000;

export interface CollectAppsOptions {
  readonly plan: Plan;
  readonly state: RunState;
  readonly fleet: Fleet;
  readonly api: AppApi;
  /** Base URL of the server that the apps ask. */
  readonly server: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** By place in the plan; undefined: this start has not opened it. */
  app(ordinal: number): FleetApp | undefined;
}

/** Asks the server and the apps for everything that the audit compares. */
export async function collectApps({ plan, state, fleet, api, server, clock, signal, app: opened }: CollectAppsOptions): Promise<readonly AuditedApp[]> {
  const atServer = new Map<number, readonly ServerApp[]>();
  const administered = new Map<number, AdministeredApp>();
  const isAdministered = plan.steps.some(({ step }) => reachesApps(step));
  const targets = new ConfigurationTargets(plan.steps);
  for (const step of plan.steps) targets.begin(step);
  const expected = expectedApps(plan.steps);
  // The apps first: what the server says then is not older than they are.
  await forEachBounded(isAdministered ? plan.apps : [], WIDTH, async (planned) => {
    administered.set(planned.ordinal, await administeredApp(planned, expected.get(planned.ordinal) ?? OPEN_APP, opened(planned.ordinal)));
  });
  await forEachBounded(new Set(plan.apps.map(({ device }) => device)), WIDTH, async (device) => {
    const guid = state.userGuid(device);
    if (guid !== undefined) atServer.set(device, await api.instances(guid));
  });
  return plan.apps.map((planned) => {
    const { ordinal, device, name, application, key, way, sessionsAtMs } = planned;
    const { done = 0, failed = 0 } = state.sessions(device, name) ?? {};
    return {
      device,
      name,
      application,
      key,
      way,
      activatedAs: state.appInstance(device, name),
      isExpected: fleet.device(device).state === 'active',
      atServer: (atServer.get(device) ?? []).filter(({ applicationId }) => applicationId === application),
      requestsPlanned: sessionsAtMs.length * requestsPerSession(planned),
      requestsDone: done,
      requestsFailed: failed,
      administered: administered.get(ordinal),
    };
  });

  async function administeredApp(planned: PlannedApp, wanted: ExpectedApp, app: FleetApp | undefined): Promise<AdministeredApp> {
    const { device, name } = planned;
    const sent = {
      expected: wanted,
      commands: state.appCommandsOf(device, name),
      requestsWithheld: state.sessions(device, name)?.withheld ?? 0,
      policies: plannedAppPolicies(targets.ofDevice(device)),
    };
    // With its device an app is out of reach of administrators.
    if (app === undefined || fleet.device(device).state !== 'active') return sent;
    // Tried before it is looked at: a password must not change what an administrator has done.
    const opens = await app.opens();
    const { condition, block, rowsLeft } = app;
    const unreached = condition === 'open' ? await whyUnreached(app) : undefined;
    return { ...sent, held: { condition, shownBlock: block?.id, opens, rowsLeft, policies: app.policies, unreached } };
  }

  /** Connects to the server of the apps as they do. Gives why that failed. */
  async function whyUnreached({ runtime }: FleetApp): Promise<string | undefined> {
    const { hostname, port } = new URL(server);
    const target = { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 80 : Number(port) };
    const late = new AbortController();
    const cancel = clock.setTimer(REACH_MS, () => late.abort(new Error('no connection in time')));
    try {
      const socket = await runtime.connect(target, { signal: AbortSignal.any([signal, late.signal]) });
      socket.destroy();
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      return reasonOf(error);
    } finally {
      cancel();
    }
  }
}
