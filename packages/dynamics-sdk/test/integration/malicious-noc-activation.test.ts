import { toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shareOf } from '../../../../scripts/lib/test-sizes.ts';
import type { AuthorizeResult } from '../../src/index.ts';
import { ACTIVATION_MESSAGES, type ActivationMessage, type AtHand, activationDeed } from '../malicious-noc/activation-deeds.ts';
import { ACTIVATION, AFTERWARDS } from '../malicious-noc/activation-matrix.ts';
import { CONNECTION_MESSAGES } from '../malicious-noc/connection-deeds.ts';
import { talk, told } from '../malicious-noc/flows.ts';
import type { Deed } from '../malicious-noc/lane.ts';
import { cellsOf, DEEDS, type DeedName, fits } from '../malicious-noc/matrix.ts';
import { type InstalledApp, type IssuedKey, SECRET_HOST, startWorld, USER, type World } from '../malicious-noc/world.ts';

let world: World;
let otherTenant: World;
let at: Omit<AtHand, 'released' | 'stale'>;
/** Waits at UEM, and has to wait at the end: nobody is to use it. */
let spare: IssuedKey;
const keys: IssuedKey[] = [];

beforeAll(async () => {
  world = await startWorld();
  otherTenant = await startWorld(world.clock);
  for (const { app, newKey } of [world, otherTenant]) {
    const { runtime, authorize } = await app('first');
    expect(await authorize((await newKey()).accessKey)).toMatchObject({ state: 'authorized' });
    await runtime.close();
  }
  spare = await world.newKey();
  const { sessionId } = wire.nocEnvelope.decode(wire.parseFrame(world.noc.past.get('done') as Uint8Array));
  const { tenantId, coreId } = otherTenant.lab.connection;
  at = { otherSession: sessionId, otherTenant: { tenantId, coreId, wayToUem: otherTenant.noc.wayToUem as AtHand['otherTenant']['wayToUem'] } };
});
afterAll(async () => {
  await world.close();
  await otherTenant.close();
});

const outcomeOf = ({ state, error }: AuthorizeResult): string => (state === 'authorized' ? 'ok' : told(error));
/** Access keys of the user that nobody has used. */
const waiting = (): readonly string[] => world.lab.admin.accessKeys(world.userGuid).map(({ keyId }) => keyId);
/** Keys that the installation was activated with, as UEM has it. */
const usedBy = ({ runtime }: InstalledApp): readonly string[] =>
  world.lab.admin.dynamicsApps(world.userGuid).flatMap(({ app }) => (app.instanceId === toHex(runtime.instanceId) ? [app.keyId] : []));

/** Codes of an activation that did not come about: none is a verdict on the app. */
const NO_VERDICT = [
  'GDErrorProgrammaticActivationNoNetwork',
  'GDErrorProgrammaticActivationCredentialsFailed',
  'GDErrorProgrammaticActivationServerCommsFailed',
];

interface Activating {
  readonly app: InstalledApp;
  readonly key: IssuedKey;
}

/** One cell. @returns how the app fared, and how the other one did */
async function cell(message: ActivationMessage, deed: DeedName): Promise<readonly string[]> {
  const { noc, clock } = world;
  const others = waiting();
  const all: Activating[] = [];
  for (const name of deed === 'cross' ? ['app', 'other'] : ['app']) all.push({ app: await world.app(`${message} ${deed} ${name}`), key: await world.newKey() });
  keys.push(...all.map(({ key }) => key));
  let stale: Uint8Array | undefined;
  if (deed === 'stale') {
    noc.arm(message, ({ bytes }) => {
      stale = bytes;
    });
    const [{ app, key }] = all as [Activating];
    await world.passing(app.authorize(key.accessKey));
    await world.breakAll();
  }
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  noc.arm(message, activationDeed(message, deed, { ...at, released, stale }) as Deed, all.length);
  const isSilent = deed === 'drop' || deed === 'delay';
  const authorize = ({ app, key }: Activating): Promise<AuthorizeResult> => {
    const result = app.authorize(key.accessKey);
    return isSilent ? world.passing(result, all.length) : result;
  };
  const results = await Promise.all(all.map(authorize));
  release();
  expect(noc.touched, 'the NOC has done it').toBe(all.length);
  noc.disarm();
  await world.breakAll();
  await clock.settle();

  for (const [i, { app, key }] of all.entries()) {
    const { state, code, error, keyConsumed } = results[i] as AuthorizeResult;
    if (state !== 'authorized') {
      expect([state, app.runtime.state]).toEqual(['notAuthorized', 'notAuthorized']);
      expect(NO_VERDICT).toContain(code);
      expect(error?.step).toMatch(/^F3\.\d+$/);
    }
    // What UEM counts as used, the app does not take for unused.
    const isWaiting = waiting().includes(key.keyId);
    if (!isWaiting) expect([keyConsumed, usedBy(app)]).toEqual([true, [key.keyId]]);
    const again = await app.authorize(key.accessKey);
    expect([outcomeOf(again), again.keyConsumed], 'the same app and the same key with an honest NOC').toEqual(['ok', true]);
    expect([usedBy(app), waiting().includes(key.keyId)]).toEqual([[key.keyId], false]);
    expect(app.runtime.getApplicationConfig()).toMatchObject({ userId: USER, appHost: SECRET_HOST });
    const afterwards = AFTERWARDS[`${message}, ${deed}`] ?? 'ok';
    expect(await talk(app, world)).toBe(afterwards);
    if (afterwards !== 'ok') await anew(app);
    await app.runtime.close();
  }
  expect(waiting()).toEqual(others);
  expect(others).toContain(spare.keyId);
  return results.map(outcomeOf);
}

/** What repairs an app that the NOC has given a wrong link key. */
async function anew(app: InstalledApp): Promise<void> {
  await app.runtime.wipe();
  const key = await world.newKey();
  expect(outcomeOf(await app.authorize(key.accessKey))).toBe('ok');
  expect(await talk(app, world)).toBe('ok');
}

describe('what a malicious NOC does to the activation of an app', () => {
  for (const { message, deed, outcome } of shareOf(cellsOf(ACTIVATION), 5)) {
    if (typeof outcome !== 'string') continue;
    it(`${message}, ${deed}: ${outcome}`, { timeout: 30_000 }, async () => {
      const found = await cell(message, deed);
      expect(fits(outcome, found), `${found} instead of ${outcome}`).toBe(true);
    });
  }

  it('leaves no cell and no message out', () => {
    expect(Object.keys(ACTIVATION)).toEqual([...ACTIVATION_MESSAGES]);
    for (const row of Object.values(ACTIVATION)) expect(Object.keys(row)).toEqual(Object.keys(DEEDS));
    expect(cellsOf(ACTIVATION).filter(({ outcome }) => typeof outcome !== 'string')).toHaveLength(10);
    // Alerts, and the close of a Proxy that was lied to, carry nothing that could be changed into something else.
    const named: readonly string[] = [...ACTIVATION_MESSAGES, ...CONNECTION_MESSAGES, 'alert', 'closeDown'];
    expect([...world.noc.kinds].filter((kind) => !named.includes(kind))).toEqual([]);
  });
  it('passes only what the NOC may see', () => {
    const seen = world.noc.seen();
    const masterKeys = world.lab.admin.dynamicsApps(world.userGuid).map(({ app }) => Buffer.from(app.masterSessionKey));
    const typed = keys.map(({ accessKey }) => Buffer.from(accessKey.replaceAll('-', '')));
    for (const secret of [Buffer.from(SECRET_HOST), Buffer.from('passwordHistory'), ...masterKeys, ...typed]) expect(seen.includes(secret)).toBe(false);
    expect(seen.includes(USER)).toBe(true);
  });
});
