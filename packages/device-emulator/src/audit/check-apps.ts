import type { ServerApp } from '../admin/app-api.ts';
import { APP_COMMANDS, type AppCommandName, type AppWay, type KeySource } from '../scenario/scenario.ts';
import { type AdministeredApp, checkAppCommands } from './check-app-commands.ts';
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
  /** Absent: the plan sends nothing to apps. */
  readonly administered?: AdministeredApp | undefined;
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
    /** Absent where the plan sends nothing to apps, as `commands`. */
    readonly withheld?: number | undefined;
    /** Done ones, by their way. */
    readonly byWay: Readonly<Record<AppWay, number>>;
  };
  readonly commands?: AppCommandSums | undefined;
}

interface CommandCount {
  /** That UEM took. */
  readonly sent: number;
  /** That apps have carried out, and UEM has heard of. */
  readonly done: number;
}

export interface AppCommandSums extends CommandCount {
  /** What the plan sends, in the order of `APP_COMMANDS`. */
  readonly byKind: Readonly<Partial<Record<AppCommandName, CommandCount>>>;
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
  administered,
}: AuditedApp): readonly Difference[] {
  if (!isExpected) return [];
  if (activatedAs === undefined) return [{ device, problem: 'appNotActivated', detail: `the app ${name} was never activated` }];
  const found: Difference[] = [];
  if (administered?.expected.condition !== 'wiped' && !atServer.some(({ guid }) => guid === activatedAs))
    found.push({ device, problem: 'appNotOnServer', detail: `the app ${name} is activated as ${activatedAs}, missing on the server` });
  for (const { guid } of atServer)
    if (guid !== activatedAs) found.push({ device, problem: 'appOtherOnServer', detail: `the app ${name} is ${activatedAs}, the server has ${guid} too` });
  if (requestsFailed > 0) found.push({ device, problem: 'appRequestsFailed', detail: `${requestsFailed} requests of the app ${name}` });
  // check: only an app that the plan closes may leave requests out
  const withheld = administered?.expected.isEverClosed === true ? administered.requestsWithheld : 0;
  if (requestsDone + requestsFailed + withheld !== requestsPlanned)
    found.push({
      device,
      problem: 'appRequestsMissing',
      detail: `${requestsPlanned} requests of the app ${name} were planned, ${requestsDone + requestsFailed} made`,
    });
  if (administered !== undefined) found.push(...checkAppCommands({ device, name, activatedAs, atServer }, administered));
  return found;
}

export function appSums(apps: readonly AuditedApp[]): AppSums {
  const activated = apps.filter(({ activatedAs }) => activatedAs !== undefined);
  const administered = apps.flatMap((app) => app.administered ?? []);
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
    // The server knew a wiped one, and knows that it is gone.
    serverKnown: activated.filter((app) => !app.isExpected || isWiped(app) || app.atServer.some(({ guid }) => guid === app.activatedAs)).length,
    byKey: { 'uem-client': withKey('uem-client'), mail: withKey('mail'), sibling: withKey('sibling') },
    requests: {
      planned: sum(({ requestsPlanned }) => requestsPlanned),
      done: sum(({ requestsDone }) => requestsDone),
      failed: sum(({ requestsFailed }) => requestsFailed),
      ...(administered.length === 0 ? {} : { withheld: administered.reduce((total, { requestsWithheld }) => total + requestsWithheld, 0) }),
      byWay: { noc: byWay('noc'), direct: byWay('direct') },
    },
    ...(administered.length === 0 ? {} : { commands: commandSums(administered.flatMap(({ commands }) => commands)) }),
  };
}

function isWiped({ administered }: AuditedApp): boolean {
  return administered?.expected.condition === 'wiped';
}

function commandSums(commands: AdministeredApp['commands']): AppCommandSums {
  const count = (of: AdministeredApp['commands']): CommandCount => {
    const done = of.filter(({ state }) => state === 'done').length;
    return { sent: done + of.filter(({ state }) => state === 'sent').length, done };
  };
  const kinds = APP_COMMANDS.map((kind) => [kind, commands.filter(({ type }) => type === kind)] as const);
  return { ...count(commands), byKind: Object.fromEntries(kinds.flatMap(([kind, of]) => (of.length === 0 ? [] : [[kind, count(of)]]))) };
}
