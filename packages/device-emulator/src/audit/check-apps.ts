import type { ServerApp } from '../admin/app-api.ts';
import type { AppWay, KeySource } from '../scenario/scenario.ts';
import type { Difference } from './difference.ts';

/** One app as the plan, the app itself and the server have it. */
export interface AuditedApp {
  readonly device: number;
  readonly name: string;
  readonly application: string;
  readonly key: KeySource;
  readonly way: AppWay;
  /** Instance id of an app that was activated; absent: it never was. */
  readonly activatedAs?: string | undefined;
  /** False: its device has left, or was never activated, and nothing is compared. */
  readonly isExpected: boolean;
  /** Apps of its user with this entitlement id, as the server has them. */
  readonly atServer: readonly ServerApp[];
  readonly requestsPlanned: number;
  readonly requestsDone: number;
  readonly requestsFailed: number;
}

/** Sums over the apps of a run. */
export interface AppSums {
  readonly planned: number;
  readonly activated: number;
  readonly serverKnown: number;
  /** Activated ones, by where their key came from. */
  readonly byKey: Readonly<Record<KeySource, number>>;
  readonly requests: {
    readonly planned: number;
    readonly done: number;
    readonly failed: number;
    /** Done ones, by their way. */
    readonly byWay: Readonly<Record<AppWay, number>>;
  };
}

/** Compares plan, apps and server: each planned app is activated, known to the server under its instance id and no other, and has asked for what it was to ask for. */
export function checkApp({
  device,
  name,
  activatedAs,
  isExpected,
  atServer,
  requestsPlanned,
  requestsDone,
  requestsFailed,
}: AuditedApp): readonly Difference[] {
  if (!isExpected) return [];
  if (activatedAs === undefined) return [{ device, problem: 'appNotActivated', detail: `the app ${name} was never activated` }];
  const found: Difference[] = [];
  if (!atServer.some(({ guid }) => guid === activatedAs))
    found.push({ device, problem: 'appNotOnServer', detail: `the app ${name} is activated as ${activatedAs}, missing on the server` });
  for (const { guid } of atServer)
    if (guid !== activatedAs) found.push({ device, problem: 'appOtherOnServer', detail: `the app ${name} is ${activatedAs}, the server has ${guid} too` });
  if (requestsFailed > 0) found.push({ device, problem: 'appRequestsFailed', detail: `${requestsFailed} requests of the app ${name}` });
  if (requestsDone + requestsFailed !== requestsPlanned)
    found.push({
      device,
      problem: 'appRequestsMissing',
      detail: `${requestsPlanned} requests of the app ${name} were planned, ${requestsDone + requestsFailed} made`,
    });
  return found;
}

export function appSums(apps: readonly AuditedApp[]): AppSums {
  const activated = apps.filter(({ activatedAs }) => activatedAs !== undefined);
  const sum = (of: (app: AuditedApp) => number, among = apps): number => among.reduce((total, app) => total + of(app), 0);
  const withKey = (key: KeySource): number => activated.filter((app) => app.key === key).length;
  const byWay = (way: AppWay): number =>
    sum(
      ({ requestsDone }) => requestsDone,
      apps.filter((app) => app.way === way),
    );
  return {
    planned: apps.length,
    activated: activated.length,
    serverKnown: activated.filter(({ activatedAs, atServer, isExpected }) => !isExpected || atServer.some(({ guid }) => guid === activatedAs)).length,
    byKey: { 'uem-client': withKey('uem-client'), mail: withKey('mail'), sibling: withKey('sibling') },
    requests: {
      planned: sum(({ requestsPlanned }) => requestsPlanned),
      done: sum(({ requestsDone }) => requestsDone),
      failed: sum(({ requestsFailed }) => requestsFailed),
      byWay: { noc: byWay('noc'), direct: byWay('direct') },
    },
  };
}
