import { toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { describe, expect, it } from 'vitest';
import type { NocTransport } from '../../src/index.ts';
import { PASSWORD } from '../support/device.ts';
import { APP_ID, appLab, installedApp, USER } from '../support/lab-app.ts';

const LATER = ['entitlementCheck', 'policyUpdate', 'policyCheck', 'configuration', 'unlock'];

describe('authorize', () => {
  it('activates the app with a typed key and opens its container, in the documented order; the next time without the network', async () => {
    const lab = await appLab('authorize');
    const app = await installedApp(lab);
    expect([app.runtime.state, app.runtime.isActivated]).toEqual(['notAuthorized', false]);
    expect(() => app.runtime.getApplicationConfig()).toThrow('not activated');

    expect(await app.authorize(await lab.key())).toEqual({ state: 'authorized', code: 'GDErrorNone', number: 0, keyConsumed: true });
    expect(app.heard).toEqual([
      'infrastructureActivation',
      'enterpriseActivation',
      'entitlementCheck',
      'policyUpdate',
      'policyupdate',
      'policyCheck',
      'configuration',
      'configupdate',
      'unlock',
      'authorized GDErrorNone',
    ]);
    expect(app.trace.map(({ step, from }) => `${from} ${step}`)).toEqual([
      'app F3.7',
      'noc F3.8',
      'app F3.9',
      'noc F3.10',
      'app F3.11',
      'noc F3.11',
      'app F3.11',
      'noc F3.11',
    ]);
    const config = app.runtime.getApplicationConfig();
    expect(config).toMatchObject({ userId: USER, upn: USER, containerId: toHex(app.runtime.instanceId), appServers: [], protectedByPassword: true });
    expect(app.runtime.getApplicationPolicy()).toEqual({});
    await app.runtime.container?.values.put('note', Uint8Array.of(7));
    lab.lab.assertNoUnknownRequests();
    await app.runtime.close();
    await lab.lab.close();

    const again = await app.restart();
    expect(await again.authorize()).toMatchObject({ state: 'authorized', keyConsumed: true });
    expect(again.heard).toEqual([...LATER, 'authorized GDErrorNone']);
    expect(again.runtime.instanceId).toEqual(new Uint8Array(Buffer.from(String(config.containerId), 'hex')));
    expect(await again.runtime.container?.values.get('note')).toEqual(Uint8Array.of(7));
    await again.runtime.close();
  });

  it('tells what fails by stage, code and flow step; the network locks and wipes nothing', async () => {
    const lab = await appLab('failures');
    const app = await installedApp(lab);
    expect(await app.authorize()).toMatchObject({ state: 'notAuthorized', code: 'GDErrorActivationFailed', number: -101, keyConsumed: false });
    expect(await app.authorize('00000-00000-00000')).toMatchObject({
      state: 'notAuthorized',
      code: 'GDErrorProgrammaticActivationCredentialsFailed',
      number: -602,
      stage: 'infrastructureActivation',
      keyConsumed: false,
      error: { code: 'ERR_REJECTED_CREDENTIALS', step: 'F3.8' },
    });
    const cut = await app.restart({ noc: { address: 'lab.invalid:1', trust: lab.lab.trust } });
    expect(await cut.authorize(await lab.key())).toMatchObject({
      code: 'GDErrorProgrammaticActivationNoNetwork',
      number: -601,
      error: { code: 'ERR_TRANSPORT_CONNECT', step: 'F3.7' },
    });
    await expect(cut.authorize('no key')).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    expect(cut.runtime.state).toBe('notAuthorized');
    await lab.lab.close();
  });

  it('says that the key is used up when a later stage fails, and needs no other', async () => {
    const lab = await appLab('consumed');
    const app = await installedApp(lab);
    expect(await app.authorize(await lab.key(), 'short')).toMatchObject({
      state: 'notAuthorized',
      code: 'GDErrorPasswordChangeRequired',
      stage: 'unlock',
      keyConsumed: true,
      faults: ['too-short', 'no-digit'],
    });
    expect(await app.authorize()).toMatchObject({ state: 'authorized' });
    const again = await app.restart();
    expect(await again.authorize(undefined, 'wrong horse 7')).toMatchObject({
      code: 'GDErrorSecurityError',
      number: -100,
      stage: 'unlock',
      triesLeft: 9,
      keyConsumed: true,
    });
    expect(await again.authorize()).toMatchObject({ state: 'authorized' });
    await lab.lab.close();
  });

  it('shows user and organisation first, and stops when the user does not want them', async () => {
    const lab = await appLab('review');
    const asked: unknown[] = [];
    let answer = false;
    const app = await installedApp(lab, {
      review: async (facts) => {
        asked.push(facts);
        return answer;
      },
    });
    const key = await lab.key();
    expect(await app.authorize(key)).toMatchObject({
      code: 'GDErrorProgrammaticActivationUnknown',
      number: -600,
      keyConsumed: false,
      error: { code: 'ERR_DEVICE_CONSENT', step: 'F3.9' },
    });
    answer = true;
    expect(await app.authorize(key)).toMatchObject({ state: 'authorized' });
    expect(asked).toHaveLength(2);
    expect(asked[0]).toMatchObject({ userId: USER });
    await lab.lab.close();
  });

  it.each([
    ['0x40', 0],
    ['0x42', 1],
  ])('takes an alert of the NOC in the place of %s for trouble on the way, and is activated with the same key', async (_what, place) => {
    const lab = await appLab(`forged ${place}`);
    const real = lab.lab.transport('app') as NocTransport;
    let answers = 0;
    const openNoc: NocTransport['openNoc'] = (request) =>
      real.openNoc({
        ...request,
        onFrame(frame) {
          const isForged = wire.peekFrameName(frame) === 'nocEnvelope' && answers++ === place;
          request.onFrame(isForged ? wire.alert.encode({ code: 'authFailed' }) : frame);
        },
      });
    const app = await installedApp(lab, { transport: new Proxy(real, { get: (target, name) => (name === 'openNoc' ? openNoc : Reflect.get(target, name)) }) });
    const key = await lab.key();
    expect(await app.authorize(key)).toMatchObject({
      state: 'notAuthorized',
      code: 'GDErrorProgrammaticActivationServerCommsFailed',
      stage: 'enterpriseActivation',
      error: { code: 'ERR_TRANSPORT_CLOSED', kind: 'transport', retry: 'backoff', step: 'F3.11', details: { alert: 'authFailed' } },
    });
    // UEM may have heard 0x41: then M1 is refused, and 0x41 comes again at once.
    expect(await app.authorize(key)).toMatchObject({ state: 'authorized' });
    await app.runtime.close();
    await lab.lab.close();
  });

  it('goes on with the same key after a lost answer or a crash at any commit', async () => {
    const lab = await appLab('crash');
    let commits = 1;
    for (let at = 0; at < commits; at++) {
      const key = await lab.key();
      const app = await installedApp(lab);
      app.store.beforeCommit = (keys) => {
        if (keys.includes('dynamics/activation') && app.store.commits.filter((done) => done.includes('dynamics/activation')).length === at)
          throw new Error('power cut');
      };
      await expect(app.authorize(key)).rejects.toThrow('power cut');
      app.store.beforeCommit = undefined;
      const again = await app.restart();
      const results = [await again.authorize(key)];
      expect(results.at(-1)).toMatchObject({ state: 'authorized' });
      if (at === 0) commits = 4;
      await again.runtime.close();
    }
    for (let lost = 0; lost < 4; lost++) {
      const key = await lab.key();
      const app = await installedApp(lab);
      let answers = 0;
      const whole = lab.lab.transport('app') as NocTransport;
      const losing: NocTransport = {
        async openNoc(request) {
          const connection = await whole.openNoc({
            ...request,
            onFrame(frame) {
              if (answers++ === lost) connection.close();
              else request.onFrame(frame);
            },
          });
          return connection;
        },
      };
      const cut = await app.restart({ transport: losing });
      expect(await cut.authorize(key), `answer ${lost}`).toMatchObject({ state: 'notAuthorized', code: 'GDErrorProgrammaticActivationServerCommsFailed' });
      expect(await cut.authorize(key), `after answer ${lost}`).toMatchObject({ state: 'authorized', keyConsumed: true });
      await cut.runtime.close();
    }
    await lab.lab.close();
  });

  it('needs one more try, and no other key, when 0x41 was lost and UEM has given its session up', async () => {
    const lab = await appLab('lost 0x41');
    const whole = lab.lab.transport('app') as NocTransport;
    let sent = 0;
    const losing: NocTransport = {
      async openNoc(request) {
        const connection = await whole.openNoc(request);
        return { ...connection, send: (frame) => void (++sent !== 4 && connection.send(frame)) };
      },
    };
    const app = await installedApp(lab, { transport: losing });
    const key = await lab.key();
    const first = app.runtime.authorize({ password: PASSWORD, credentials: { userId: USER, accessKey: key } });
    while (sent < 4) await lab.clock.settle();
    await lab.clock.advance(30_000);
    expect(await first).toMatchObject({ state: 'notAuthorized', keyConsumed: true, error: { code: 'ERR_PEER_TIMEOUT', step: 'F3.11' } });
    // UEM does not know the session any more, and says so; the same key begins another one.
    expect(await app.authorize(key)).toMatchObject({ state: 'authorized', keyConsumed: true });
    expect(sent).toBe(4 + 1 + 3);
    await app.runtime.close();
    await lab.lab.close();
  });

  it('takes another key in place of a wrong one', async () => {
    const lab = await appLab('another key');
    const app = await installedApp(lab);
    const id = app.runtime.instanceId;
    expect(await app.authorize('ABCDE-FGHJK-MNPQR')).toMatchObject({ number: -602 });
    expect(await app.authorize(await lab.key())).toMatchObject({ state: 'authorized' });
    expect(app.runtime.instanceId).toEqual(id);
    expect(lab.lab.journal.entries().some(({ step }) => step === 'F3.11')).toBe(true);
    await lab.lab.close();
  });

  it('checks its own entitlement id and version', async () => {
    const lab = await appLab('entitlement');
    for (const app of [
      { appId: 'Com.Example', version: '1.0.0.0', platform: 'x' },
      { appId: 'mail', version: '1.0.0.0', platform: 'x' },
      { appId: APP_ID, version: '01', platform: 'x' },
      { appId: APP_ID, version: '1.0.0.0.0', platform: 'x' },
    ])
      await expect(installedApp(lab, { app })).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    await lab.lab.close();
  });
});

describe('an authorized app', () => {
  it('is locked and unlocked, blocked, and wiped; a wipe leaves nothing that opens, and a new key begins anew', async () => {
    const lab = await appLab('locks');
    const app = await installedApp(lab);
    await app.authorize(await lab.key());
    app.heard.length = 0;
    await app.runtime.executeBlock({ id: 'jailbreak', title: 'Blocked', message: 'text' });
    const again = await app.restart();
    expect(await again.authorize()).toMatchObject({ state: 'locked', code: 'GDErrorBlocked', number: -301 });
    await again.runtime.executeUnblock('jailbreak');
    expect(again.runtime.state).toBe('authorized');

    const unlockKey = 'not an unlock key';
    await expect(again.runtime.executeRemoteLock(unlockKey)).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    const id = again.runtime.instanceId;
    await again.runtime.wipe();
    expect([again.runtime.state, again.runtime.code, again.runtime.container, again.deviceKey.key]).toEqual(['wiped', 'GDErrorWiped', undefined, undefined]);
    expect(await again.authorize()).toMatchObject({ state: 'wiped', number: -302, keyConsumed: false });
    const anew = await again.restart();
    expect(anew.runtime.state).toBe('wiped');
    expect(await anew.authorize(await lab.key())).toMatchObject({ state: 'authorized' });
    expect(anew.runtime.instanceId).not.toEqual(id);
    await lab.lab.close();
  });

  it('is remotely locked until the unlock key and a new password', async () => {
    const { generateUnlockKey } = await import('../../src/index.ts');
    const { seededEntropy } = await import('@uemkit/protocol/testing');
    const lab = await appLab('remote lock');
    const app = await installedApp(lab);
    await app.authorize(await lab.key());
    await app.runtime.container?.values.put('note', Uint8Array.of(1));
    const unlockKey = generateUnlockKey(seededEntropy('unlock'));
    await app.runtime.executeRemoteLock(unlockKey);
    expect([app.runtime.state, app.runtime.code, app.runtime.container]).toEqual(['locked', 'GDErrorRemoteLockout', undefined]);
    const again = await app.restart();
    expect(await again.authorize()).toMatchObject({ state: 'notAuthorized', code: 'GDErrorRemoteLockout', number: -303 });
    expect(await again.runtime.recover(unlockKey, 'short')).toMatchObject({ code: 'GDErrorPasswordChangeRequired' });
    expect(await again.runtime.recover(unlockKey, 'another horse 8')).toMatchObject({ state: 'authorized' });
    expect(await again.runtime.container?.values.get('note')).toEqual(Uint8Array.of(1));
    expect(await again.runtime.changePassword('another horse 8', PASSWORD)).toMatchObject({ code: 'GDErrorNone' });
    await lab.lab.close();
  });
});
