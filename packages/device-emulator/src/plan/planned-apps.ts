import { type CryptoProvider, toHex, utf8 } from '@uemkit/protocol';
import { SYSTEMS } from '../operating-systems/systems.ts';
import { type AppPopulation, type AppRequest, type AppWay, type KeySource, type Scenario, type Selection, UPDATE_INTERVAL_MS } from '../scenario/scenario.ts';
import { reachesApps } from './app-policies.ts';
import type { PlannedDevice } from './planned-device.ts';
import type { SeededDraw } from './seeded-draw.ts';

/** One Dynamics app on one device, as planned. */
export interface PlannedApp {
  /** Place among all apps of the plan. */
  readonly ordinal: number;
  readonly device: number;
  readonly name: string;
  /** Entitlement id. */
  readonly application: string;
  /** As the emulated operating system knows it. */
  readonly platformId: string;
  readonly key: KeySource;
  /** Of `sibling`: name of the app on the same device that is asked. */
  readonly asks?: string | undefined;
  readonly way: AppWay;
  /** Planned starts of its sessions, from the beginning of the sessions. */
  readonly sessionsAtMs: readonly number[];
  readonly retries: number;
  readonly requests: readonly AppRequest[];
  /** When it asks UEM what has changed, beside what its runtime does by itself; from the beginning of the timeline. Absent: never. */
  readonly updates?: { readonly firstMs: number; readonly intervalMs: number } | undefined;
}

/** Version of all apps of a fleet. */
export const APP_VERSION = '1.0.0.0';
const HOUR_MS = 3_600_000;

type Select = (to: Selection, devices: readonly PlannedDevice[]) => readonly number[];

/** The apps of a plan, device by device in the order of the scenario. An app that asks a sibling is only where one is. */
export function planApps(
  scenario: Scenario,
  devices: readonly PlannedDevice[],
  draw: SeededDraw,
  crypto: Pick<CryptoProvider, 'sha256'>,
  select: Select,
): readonly PlannedApp[] {
  const signer = toHex(crypto.sha256(utf8('signer of emulated apps')));
  const there = devices.filter(({ refusedFor }) => refusedFor === undefined);
  const chosen = scenario.apps.map((app) => new Set(select(app.to, there)));
  const planned = there.flatMap((device) => {
    let asked: string | undefined;
    return scenario.apps.flatMap((app, place) => {
      if (chosen[place]?.has(device.index) !== true || (app.key === 'sibling' && asked === undefined)) return [];
      const asks = app.key === 'sibling' ? { asks: asked } : {};
      if (app.key !== 'sibling') asked ??= app.name;
      return [{ ...oneApp(app, device, draw, signer), ...asks, ...updatesOf(app, device, scenario, draw) }];
    });
  });
  return planned.map((app, ordinal) => ({ ordinal, ...app }));
}

/** Requests of one session of an app. */
export function requestsPerSession({ requests }: Pick<PlannedApp, 'requests'>): number {
  return requests.reduce((sum, { count }) => sum + count, 0);
}

function oneApp(app: AppPopulation, { index, system }: PlannedDevice, draw: SeededDraw, signer: string): Omit<PlannedApp, 'ordinal'> {
  const { name, application, key, way, sessions, sessionsPerHour, retries, requests } = app;
  const apartMs = HOUR_MS / sessionsPerHour;
  // Apps begin somewhere in the first interval, so that a fleet does not ask in one moment.
  const firstMs = draw.unit(`sessions ${name} ${index}`) * apartMs;
  const sessionsAtMs = Array.from({ length: sessions }, (_, session) => Math.round(firstMs + session * apartMs));
  return { device: index, name, application, platformId: `${spaceOf(system)}:${application}:${signer}`, key, way, sessionsAtMs, retries, requests };
}

/** The apps of a fleet do not ask in one moment: each begins somewhere in the first interval. */
function updatesOf({ name, updateIntervalMs }: AppPopulation, { index }: PlannedDevice, { timeline }: Scenario, draw: SeededDraw): Pick<PlannedApp, 'updates'> {
  const intervalMs = updateIntervalMs ?? (timeline.some(reachesApps) ? UPDATE_INTERVAL_MS : undefined);
  return intervalMs === undefined ? {} : { updates: { firstMs: Math.round(draw.unit(`updates ${name} ${index}`) * intervalMs), intervalMs } };
}

/** Space of the device that apps are in: first part of their platform ids (docs/protocol 8.10). */
function spaceOf(system: PlannedDevice['system']): string {
  return system === 'samsung-knox' ? 'samsung-knox-workspace' : SYSTEMS[system].family.toLowerCase();
}

/** SHA-256 of the certificate that all apps of a fleet are signed with. */
export function signerOf({ platformId }: PlannedApp): string {
  return platformId.slice(platformId.lastIndexOf(':') + 1);
}

/** Platform id of the UEM Client of a device. */
export function clientPlatformIdOf({ system }: PlannedDevice): string {
  return `${spaceOf(system)}:com.example.uem.client:${'0'.repeat(64)}`;
}

/** Platform ids of the apps that ask the UEM Client of each device. */
export function askingApps(apps: readonly PlannedApp[]): (device: number) => readonly string[] {
  const asking = new Map<number, string[]>();
  for (const { device, key, platformId } of apps) if (key === 'uem-client') asking.set(device, [...(asking.get(device) ?? []), platformId]);
  return (device) => asking.get(device) ?? [];
}
