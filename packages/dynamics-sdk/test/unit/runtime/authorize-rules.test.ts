import { APP_ACTIVATION_KEY, type AppActivationRecord, restoreAppActivation, writeAppActivation } from '@uemkit/protocol';
import { type FakeClock, fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import type * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_PASSWORD_POLICY, type DynamicsRuntimeOptions, generateUnlockKey } from '../../../src/index.ts';
import { sealedStore } from '../../../src/state/sealed-store.ts';
import { crypto, PASSWORD } from '../../support/device.ts';
import { falseNoc } from '../../support/false-noc.ts';
import { type InstalledApp, installedApp, USER } from '../../support/lab-app.ts';

const KEY = '01234-56789-ABCDE';
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

let clock: FakeClock;
beforeEach(() => {
  clock = fakeClock(Date.UTC(2026, 0, 1));
});

/** An app whose UEM gives it this data. */
function app(data: object = {}, more: Partial<DynamicsRuntimeOptions> & { readonly answers?: number } = {}): Promise<InstalledApp> {
  const { answers, ...options } = more;
  const transport = falseNoc({ clock, userId: USER, accessKey: KEY, data, ...(answers === undefined ? {} : { answers }) });
  const lab = { connection: { noc: 'noc.invalid:1' }, trust: { roots: [], spkiPins: [] }, transport: () => transport };
  return installedApp({ lab: lab as never, clock }, options);
}

async function authorized(data: object = {}): Promise<InstalledApp> {
  const installed = await app(data);
  expect(await installed.authorize(KEY)).toMatchObject({ state: 'authorized' });
  return installed;
}

/** UEM has sent other data meanwhile; the app has it on its disk. */
async function given({ store, deviceKey }: InstalledApp, data: object): Promise<void> {
  const sealed = sealedStore({ crypto, entropy: seededEntropy('update'), store: store.restart(), deviceKey });
  const record = restoreAppActivation(await sealed.get(APP_ACTIVATION_KEY)) as AppActivationRecord;
  await sealed.commit([writeAppActivation({ ...record, data: { ...(record.data as wire.ProvisioningData), ...data } })]);
}

describe('device and certificate of the activation', () => {
  it('are compared with the provisioning data: data for another device wipes the app, and says so', async () => {
    const installed = await app({ deviceId: 'somebody else', deviceKeyHash: new Uint8Array(32) });
    expect(await installed.authorize(KEY)).toMatchObject({
      state: 'wiped',
      code: 'GDErrorWiped',
      number: -302,
      keyConsumed: false,
      error: { code: 'ERR_PEER_OTHER_DEVICE', step: 'F3.11' },
    });
    expect(installed.heard.at(-1)).toBe('wiped GDErrorWiped');
    expect([installed.deviceKey.key, [...installed.store.rows.keys()]]).toEqual([undefined, ['dynamics/runtime']]);
  });
});

describe('entitlement', () => {
  it('of no version wipes the app', async () => {
    const installed = await app({ configuration: { entitledVersions: [] } });
    expect(await installed.authorize(KEY)).toMatchObject({ state: 'wiped', code: 'GDErrorAppDenied', number: -104, stage: 'entitlementCheck' });
    expect(installed.runtime.container).toBeUndefined();
    expect((await installed.restart()).runtime.code).toBe('GDErrorAppDenied');
  });

  it('of another version locks the app until this one is granted', async () => {
    const installed = await app({ configuration: { entitledVersions: ['2.0.0.0'] } });
    expect(await installed.authorize(KEY)).toMatchObject({ state: 'locked', code: 'GDErrorAppVersionNotEntitled', number: -105 });
    const updated = await installed.restart({ app: { appId: 'com.example.mail', version: '2.0.0.0', platform: 'x' } });
    expect(await updated.authorize()).toMatchObject({ state: 'authorized', code: 'GDErrorNone' });
  });
});

describe('a recovery with the unlock key', () => {
  it('checks the entitlement as `authorize` does', async () => {
    const installed = await authorized();
    const unlockKey = generateUnlockKey(seededEntropy('unlock'));
    await installed.runtime.executeRemoteLock(unlockKey);
    await given(installed, { configuration: { entitledVersions: ['2.0.0.0'] } });
    const other = await installed.restart();
    expect(await other.runtime.recover(unlockKey, 'newer horse 8')).toMatchObject({ state: 'locked', code: 'GDErrorAppVersionNotEntitled' });
  });
});

describe('an access key that UEM may have used up', () => {
  const OTHER = 'ZZZZZ-ZZZZZ-ZZZZZ';

  it('is gone on with for a day, whatever is typed; then another one counts', async () => {
    const cut = await app({}, { answers: 3 });
    const call = cut.runtime.authorize({ password: PASSWORD, credentials: { userId: USER, accessKey: KEY } });
    const saved = (): boolean => cut.store.commits.filter((keys) => keys.includes(APP_ACTIVATION_KEY)).length === 4;
    await clock.hold(expect.poll(saved, { timeout: 10_000 }).toBe(true));
    await clock.advance(30_000);
    expect(await call).toMatchObject({ state: 'notAuthorized', keyConsumed: true, error: { code: 'ERR_PEER_TIMEOUT', step: 'F3.11' } });
    const again = await cut.restart({ transport: falseNoc({ clock, userId: USER, accessKey: OTHER }) });
    const sent = again.trace;
    const going = again.runtime.authorize({ password: PASSWORD, credentials: { userId: USER, accessKey: OTHER } });
    await clock.hold(expect.poll(() => sent.length, { timeout: 10_000 }).toBe(1));
    await clock.advance(30_000);
    expect(await going).toMatchObject({ state: 'notAuthorized', keyConsumed: true });
    expect(sent.map(({ step }) => step)).toEqual(['F3.11']);
    await clock.advance(DAY_MS);
    expect(await again.authorize(KEY)).toMatchObject({ number: -602, error: { code: 'ERR_REJECTED_EXPIRED', step: 'F3.11' } });
    expect(await again.authorize(OTHER)).toMatchObject({ state: 'authorized' });
  });
});

describe('policy', () => {
  it('of today says how many tries there are, not that of the day when the container was made', async () => {
    const installed = await authorized();
    await given(installed, { policy: { dynamics: { passwordMaxTries: 2 } } });
    const opened = await installed.restart();
    expect(await opened.authorize()).toMatchObject({ state: 'authorized' });
    expect(await (await opened.restart()).authorize(undefined, 'wrong 7')).toMatchObject({ triesLeft: 1 });
  });

  it('of an app that was wiped is not that of the next installation', async () => {
    const installed = await authorized({ policy: { dynamics: { passwordMinLength: 12 } } });
    expect(installed.runtime.passwordPolicy.minLength).toBe(12);
    await installed.runtime.wipe();
    expect(await installed.authorize('ZZZZZ-ZZZZZ-ZZZZZ')).toMatchObject({ state: 'notAuthorized' });
    expect(installed.runtime.passwordPolicy.minLength).toBe(DEFAULT_PASSWORD_POLICY.minLength);
  });

  it('locks an app that nobody uses; its password unlocks it', async () => {
    const { runtime, heard } = await authorized({ policy: { dynamics: { idleLockMinutes: 5 } } });
    await clock.advance(4 * MINUTE_MS);
    runtime.activity();
    await clock.advance(4 * MINUTE_MS);
    expect(runtime.state).toBe('authorized');
    await clock.advance(MINUTE_MS);
    expect([runtime.state, runtime.code, heard.at(-1)]).toEqual(['locked', 'GDErrorIdleLockout', 'locked GDErrorIdleLockout']);
    expect(runtime.container).toBeDefined();
    expect(await clock.hold(runtime.unlock('wrong horse 7'))).toMatchObject({ state: 'locked', code: 'GDErrorSecurityError', triesLeft: 9 });
    expect(await clock.hold(runtime.unlock(PASSWORD))).toMatchObject({ state: 'authorized', code: 'GDErrorNone' });
    await runtime.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('blocks, or wipes, an app without contact for so many days; the network alone does nothing', async () => {
    const blocked = await authorized({ policy: { dynamics: { noContactDays: 3 } } });
    await clock.advance(3 * DAY_MS);
    expect(blocked.runtime.state).toBe('authorized');
    await clock.advance(10);
    expect([blocked.runtime.state, blocked.runtime.code]).toEqual(['locked', 'GDErrorBlocked']);
    const wiped = await authorized({ policy: { dynamics: { noContactDays: 3, noContactAction: 'wipe' } } });
    await wiped.runtime.close();
    await clock.advance(4 * DAY_MS);
    const again = await wiped.restart();
    expect([again.runtime.state, again.runtime.code, again.deviceKey.key]).toEqual(['wiped', 'GDErrorWiped', undefined]);
  });

  it('says how good a password is, how many tries it has, and what comes then', async () => {
    const dynamics = { passwordMinLength: 12, passwordMaxTries: 2, whenExhausted: 'wipe' };
    const installed = await app({ policy: { dynamics } });
    expect(await installed.authorize(KEY, 'short 7 long')).toMatchObject({ state: 'authorized' });
    expect(installed.runtime.passwordPolicy).toMatchObject({ minLength: 12, maxTries: 2, whenExhausted: 'wipe' });
    const again = await installed.restart();
    expect(await again.authorize(undefined, 'wrong 7')).toMatchObject({ triesLeft: 1 });
    expect(await again.authorize(undefined, 'wrong 8')).toMatchObject({ state: 'wiped', code: 'GDErrorWiped', stage: 'unlock' });
  });

  it('locks after the last try unless it says otherwise, over restarts', async () => {
    const installed = await authorized({ policy: { dynamics: { passwordMaxTries: 1 } } });
    const again = await installed.restart();
    expect(await again.authorize(undefined, 'wrong 7')).toMatchObject({ state: 'notAuthorized', code: 'GDErrorRemoteLockout', triesLeft: 0 });
    expect(await (await again.restart()).authorize()).toMatchObject({ code: 'GDErrorRemoteLockout' });
  });

  it('asks for another password when the one there is too old', async () => {
    const installed = await authorized({ policy: { dynamics: { passwordMaxAgeDays: 30 } } });
    await clock.advance(31 * DAY_MS);
    const again = await installed.restart();
    expect(await again.authorize()).toMatchObject({ state: 'locked', code: 'GDErrorPasswordChangeRequired', number: -304 });
    expect(await again.runtime.changePassword(PASSWORD, 'newer horse 8')).toMatchObject({ state: 'authorized' });
  });
});

describe('a call', () => {
  it('ends with its signal, and the next one goes on', async () => {
    const silent = await app({}, { answers: 2 });
    const stop = new AbortController();
    const call = silent.runtime.authorize({ password: PASSWORD, credentials: { userId: USER, accessKey: KEY }, signal: stop.signal });
    await clock.hold(
      new Promise<void>((resolve) => silent.runtime.addEventListener('stage', ({ detail }) => detail.stage === 'enterpriseActivation' && resolve())),
    );
    stop.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    const again = await silent.restart({ transport: falseNoc({ clock, userId: USER, accessKey: KEY }) });
    expect(await again.authorize(KEY)).toMatchObject({ state: 'authorized' });
  });

  it('of a server that says nothing ends in time, as trouble of the network', async () => {
    let asked: () => void = () => {};
    const silent = await app({}, { answers: 0, trace: () => asked() });
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const call = silent.runtime.authorize({ password: PASSWORD, credentials: { userId: USER, accessKey: KEY } });
    await clock.hold(isAsked);
    await clock.advance(30_000);
    expect(await call).toMatchObject({ state: 'notAuthorized', number: -603, error: { code: 'ERR_PEER_TIMEOUT' } });
  });

  it('after close is refused, and nothing of the keys is left', async () => {
    const { runtime } = await authorized();
    await runtime.close();
    runtime.activity();
    await expect(runtime.authorize({ password: PASSWORD })).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    expect(() => runtime.getApplicationConfig()).toThrow('not activated');
    await expect(runtime.executeBlock({ id: 'a', title: '', message: '' })).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
  });
});

describe('what lies beside the container', () => {
  it('holds no key and no access key in clear, is bound to its place, and opens on this device only', async () => {
    const installed = await app({}, { answers: 1 });
    const stop = new AbortController();
    installed.runtime.addEventListener('stage', ({ detail }) => detail.stage === 'enterpriseActivation' && stop.abort(new Error('stop')));
    await expect(
      clock.hold(installed.runtime.authorize({ password: PASSWORD, credentials: { userId: USER, accessKey: KEY }, signal: stop.signal })),
    ).rejects.toThrow('stop');
    const rows = installed.store.rows;
    expect([...rows.keys()].sort()).toEqual(['dynamics/activation', 'dynamics/instance']);
    const text = Buffer.concat([...rows.values()]).toString('latin1');
    for (const secret of [KEY.replaceAll('-', ''), USER, String.fromCharCode(5).repeat(32)]) expect(text).not.toContain(secret);
    for (const change of [
      (row: Uint8Array) => row.with(0, 2),
      (row: Uint8Array) => row.with(row.length - 1, (row.at(-1) as number) ^ 1),
      () => new Uint8Array(0),
    ]) {
      const changed = await installed.restart();
      const row = rows.get('dynamics/activation') as Uint8Array;
      rows.set('dynamics/activation', change(row));
      const lost = await changed.restart();
      rows.set('dynamics/activation', row);
      expect(await lost.authorize(KEY)).toMatchObject({ state: 'notAuthorized', code: 'GDErrorSecurityError', number: -100 });
    }
    installed.deviceKey.key = new Uint8Array(32);
    const elsewhere = await installed.restart();
    expect(await elsewhere.authorize(KEY)).toMatchObject({ code: 'GDErrorSecurityError', error: { code: 'ERR_CRYPTO_OPEN' } });
    await elsewhere.runtime.wipe();
    expect(await (await elsewhere.restart({ transport: falseNoc({ clock, userId: USER, accessKey: KEY }) })).authorize(KEY)).toMatchObject({
      state: 'authorized',
    });
  });

  it('is refused when it is damaged, or of a later version', async () => {
    const installed = await authorized();
    const read = async (value: string): Promise<unknown> => {
      installed.store.rows.set('dynamics/runtime', new TextEncoder().encode(value));
      return installed.restart().then(
        () => 'read',
        ({ code }: { code: string }) => code,
      );
    };
    expect(await read('{')).toBe('ERR_STORE_READ');
    expect(await read('null')).toBe('ERR_STORE_READ');
    expect(await read('{"format":2}')).toBe('ERR_STORE_VERSION');
    expect(await read('{"format":1,"record":{"wiped":"perhaps"}}')).toBe('ERR_STORE_READ');
    installed.store.rows.delete('dynamics/runtime');
    installed.store.rows.delete('dynamics/activation');
    installed.store.rows.set('dynamics/instance', new Uint8Array(15));
    await expect(installed.restart()).rejects.toMatchObject({ code: 'ERR_STORE_READ' });
  });

  it('goes on to wipe after a crash in the middle of it, before anything else', async () => {
    const installed = await authorized();
    installed.deviceKey.destroy = () => Promise.reject(new Error('power cut'));
    await expect(installed.runtime.wipe()).rejects.toThrow('power cut');
    expect(installed.heard.at(-1)).toBe('wiped GDErrorWiped');
    installed.deviceKey.destroy = async () => {
      installed.deviceKey.key = undefined;
    };
    const again = await installed.restart();
    expect([again.runtime.state, again.deviceKey.key]).toEqual(['wiped', undefined]);
    expect([...again.store.rows.keys()]).not.toContain('dynamics/activation');
  });
});
