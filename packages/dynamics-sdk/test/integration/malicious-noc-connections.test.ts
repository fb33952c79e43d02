import type { Duplex } from 'node:stream';
import { toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shareOf } from '../../../../scripts/lib/test-sizes.ts';
import { ACTIVATION_MESSAGES } from '../malicious-noc/activation-deeds.ts';
import { CONNECTION_MESSAGES, type ConnectionMessage, connectionDeed, type LinkAtHand } from '../malicious-noc/connection-deeds.ts';
import { CONNECTIONS } from '../malicious-noc/connection-matrix.ts';
import { closing, isTrue, talk, update } from '../malicious-noc/flows.ts';
import type { Deed } from '../malicious-noc/lane.ts';
import { cellsOf, DEEDS, type DeedName, fits } from '../malicious-noc/matrix.ts';
import { DOWN, FAR_HOST, type InstalledApp, SECRET_HOST, startWorld, UP, type World } from '../malicious-noc/world.ts';

let world: World;
let otherTenant: World;
let app: InstalledApp;
let other: InstalledApp;
let at: Omit<LinkAtHand, 'released' | 'stale'>;
/** Of the policy that is in force. */
let history = 1;

beforeAll(async () => {
  world = await startWorld();
  otherTenant = await startWorld(world.clock);
  const { noc } = world;
  const open = async (of: World, name: string): Promise<InstalledApp> => {
    const made = await of.app(name);
    expect(await made.authorize((await of.newKey()).accessKey)).toMatchObject({ state: 'authorized' });
    expect([await update(made), await talk(made, of)]).toEqual(['ok', 'ok']);
    return made;
  };
  other = await open(world, 'other');
  const seen = (name: string): wire.Frame => wire.parseFrame(noc.past.get(name) as Uint8Array, { trailerBytes: 32 });
  const [link, px] = [wire.handshakeStart.decode(seen('linkStart')), wire.handshakeStart.decode(seen('pxStart'))];
  const { sessionId } = wire.handshakeReply.decode(seen('pxReply'));
  const stranger = await open(otherTenant, 'stranger');
  at = {
    other: { linkId: link.pskId as Uint8Array, sessionKeyId: px.pskId as Uint8Array, instanceId: px.instanceId as Uint8Array, sessionId },
    coreId: world.lab.connection.coreId,
    async openOtherProxy() {
      await otherTenant.breakAll();
      const opened = new Promise<Duplex>((resolve) => otherTenant.noc.arm('connected', ({ take }) => resolve(take())));
      void talk(stranger, otherTenant);
      const far = await opened;
      otherTenant.noc.disarm();
      return far;
    },
  };
  app = await open(world, 'app');
});
afterAll(async () => {
  await world.close();
  await otherTenant.close();
});

/** What an app does whose messages are these. */
function flowOf(message: ConnectionMessage): (one: InstalledApp) => Promise<string> {
  if (message === 'closeUp') return (one) => closing(one, world);
  if (message.startsWith('update')) return update;
  return (one) => talk(one, world, message.startsWith('keyUpdate'));
}

async function awake(one: InstalledApp): Promise<InstalledApp> {
  const again = await one.restart();
  expect(await again.authorize()).toMatchObject({ state: 'authorized' });
  return again;
}

/** By which policies are told apart. */
const historyOf = ({ runtime }: InstalledApp): unknown =>
  (runtime.getApplicationPolicy() as { readonly dynamics: { readonly passwordHistory: number } }).dynamics.passwordHistory;
const uemOf = (one: InstalledApp) => world.lab.admin.dynamicsApp(world.userGuid, toHex(one.runtime.instanceId));

/** One cell. @returns how the app fared, and how the other one did */
async function cell(message: ConnectionMessage, deed: DeedName): Promise<readonly string[]> {
  const { noc, clock, server } = world;
  const flow = flowOf(message);
  const ends = message === 'closeUp';
  await world.breakAll();
  if (deed === 'stale') {
    expect(await flow(app)).toBe(ends ? 'broken' : 'ok');
    if (ends) app = await awake(app);
    await world.breakAll();
  }
  if (message.startsWith('update')) {
    history = (history % 20) + 1;
    await world.policy(history);
  }
  const apps = deed === 'cross' ? [app, other] : [app];
  const knownBefore = apps.map((one) => JSON.stringify(uemOf(one).app));
  const before = historyOf(app);
  const heardBefore = server.heard.length;
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  noc.arm(message, connectionDeed(message, deed, { ...at, released, stale: noc.past.get(message) }) as Deed, apps.length);
  const isSilent = deed === 'drop' || deed === 'delay';
  const outcomes = await Promise.all(apps.map((one) => (isSilent ? world.passing(flow(one), apps.length) : flow(one))));
  release();
  expect(noc.touched, 'the NOC has done it').toBe(apps.length);
  noc.disarm();
  await world.breakAll();
  await clock.settle();

  // What a NOC does is no verdict, and UEM has not moved.
  if (!ends) for (const { runtime } of apps) expect([runtime.state, runtime.code]).toEqual(['authorized', 'GDErrorNone']);
  expect(apps.map((one) => JSON.stringify(uemOf(one).app))).toEqual(knownBefore);
  if (!ends) expect([before, history]).toContain(historyOf(app));

  if (ends) app = await awake(app);
  for (const one of deed === 'cross' ? [app, other] : [app]) {
    expect(await talk(one, world), 'the same app with an honest NOC').toBe('ok');
    if (!message.startsWith('update')) continue;
    expect(await update(one)).toBe('ok');
    expect(historyOf(one)).toBe(history);
    expect(uemOf(one).console?.said).toMatchObject({ isCurrent: true });
  }
  // Nobody was told anything but the truth.
  expect(server.heard.slice(heardBefore).filter((heard) => !isTrue(heard))).toEqual([]);
  return outcomes;
}

describe('what a malicious NOC does to a connection', () => {
  for (const { message, deed, outcome } of shareOf(cellsOf(CONNECTIONS), 5)) {
    if (typeof outcome !== 'string') continue;
    it(`${message}, ${deed}: ${outcome}`, { timeout: 30_000 }, async () => {
      const found = await cell(message, deed);
      expect(fits(outcome, found), `${found} instead of ${outcome}`).toBe(true);
    });
  }

  it('leaves no cell and no message out', () => {
    expect(Object.keys(CONNECTIONS)).toEqual([...CONNECTION_MESSAGES]);
    for (const row of Object.values(CONNECTIONS)) expect(Object.keys(row)).toEqual(Object.keys(DEEDS));
    expect(cellsOf(CONNECTIONS).filter(({ outcome }) => typeof outcome !== 'string')).toHaveLength(50);
    // Alerts, and the close of a Proxy that was lied to, carry nothing that could be changed into something else.
    const named: readonly string[] = [...ACTIVATION_MESSAGES, ...CONNECTION_MESSAGES, 'alert', 'closeDown'];
    expect([...world.noc.kinds].filter((kind) => !named.includes(kind))).toEqual([]);
  });
  it('passes only what the NOC may see', () => {
    const seen = world.noc.seen();
    const keys = world.lab.admin.dynamicsApps(world.userGuid).map(({ app: { masterSessionKey } }) => masterSessionKey);
    for (const secret of [UP, DOWN, SECRET_HOST, FAR_HOST, 'passwordHistory', ...keys]) expect(seen.includes(Buffer.from(secret))).toBe(false);
    expect(seen.includes(world.lab.connectivityNode?.proxyId as string)).toBe(true);
  });
});
