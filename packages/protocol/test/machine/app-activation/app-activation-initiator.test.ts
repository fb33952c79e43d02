import { afterAll, describe, expect, it } from 'vitest';
import {
  APP_ACTIVATION_INITIATOR_TRANSITIONS,
  APP_ACTIVATION_KEY,
  type AppActivationRecord,
  appActivationInitiator,
  ProtocolError,
  transitionRecorder,
} from '../../../src/index.ts';
import { seededEntropy } from '../../../src/testing/index.ts';
import * as wire from '../../../src/wire/index.ts';
import {
  AppBench,
  ASSISTED,
  beforeLiar,
  CORE_ID,
  CoreBench,
  converse,
  crypto,
  DEVICE,
  INSTANCE_ID,
  KEY_ID,
  NOW_MS,
  provisioning,
  TENANT_ID,
  TYPED,
  USER,
  Way,
} from './app-activation-bench.ts';

const recorder = transitionRecorder();
const onTransition = recorder.listener;
afterAll(() => expect(recorder.missing(APP_ACTIVATION_INITIATOR_TRANSITIONS)).toEqual([]));

const name = (frame: Uint8Array): string => wire.peekFrameName(frame) ?? 'record';
const honest = wire.provisioningData.encode({ ...provisioning(1), ...DEVICE });
const refusal = wire.alert.encode({ code: 'authFailed' });

function newApp(more: ConstructorParameters<typeof AppBench>[0] = {}): AppBench {
  return new AppBench({ onTransition, ...more });
}

/** An app and its way, after `count` answers. */
function after(count: number, way = new Way(), more: ConstructorParameters<typeof AppBench>[0] = {}): { readonly app: AppBench; readonly way: Way } {
  const app = newApp(more).start();
  converse(app, way, count);
  return { app, way };
}

describe('an app activates itself (F3)', () => {
  it.each([
    ['a typed key', TYPED],
    ['an assisted key', ASSISTED],
  ])('with %s', (_what, key) => {
    const way = new Way(new CoreBench().add(KEY_ID, key), key);
    const app = newApp({ key }).start();
    const frames = converse(app, way);
    const envelopes = Array(4).fill('nocEnvelope');
    expect(frames.map(name)).toEqual(['nocVerify', 'nocProvision', 'handshakeStart', 'handshakeReply', ...envelopes]);
    expect(app.machine.state).toBe('activated');
    expect(app.record).toEqual(app.output?.record);
    expect(app.record).toMatchObject({ phase: 'activated', device: key.kind === 'assisted' ? DEVICE : undefined, key: undefined, session: undefined });
    expect(app.output?.data.masterSessionKey).toEqual(new Uint8Array(32).fill(way.core.live as number));
    expect(app.output?.link).toMatchObject({ tenantId: TENANT_ID, coreId: CORE_ID });
    const steps = app.effects.flatMap((effect) => ('step' in effect ? [effect.step] : []));
    expect(steps).toEqual([...(key.kind === 'typed' ? ['F3.7'] : []), 'F3.7', 'F3.8', 'F3.9', 'F3.11', 'F3.11']);
    expect(app.events.map(({ type }) => type)).toEqual(['linked', 'coreAuthenticated', 'provisioned']);
    expect(app.timers.size).toBe(0);
  });

  it('and shows the NOC a hash and no key, and nobody the key itself', () => {
    const { app, way } = after(0);
    const frames = converse(app, way);
    const text = frames.map((frame) => Buffer.from(frame).toString('latin1')).join();
    expect(text).not.toContain('0123456789ABCDE');
    expect(text).not.toContain(Buffer.from(way.core.keys.values().next().value?.facts.psk as Uint8Array).toString('latin1'));
    expect(text).not.toContain(Buffer.from(new Uint8Array(32).fill(1)).toString('latin1'));
  });

  it('and asks before it sets anything up whether user and organisation are right', () => {
    const { app, way } = after(0);
    app.manual = true;
    converse(app, way);
    expect(app.requests).toEqual([{ type: 'review', userId: USER, tenantId: TENANT_ID, coreId: CORE_ID }]);
    expect(app.sent).toEqual([]);
    app.input({ type: 'failed', error: new ProtocolError('ERR_DEVICE_CONSENT', 'not my company') });
    expect([app.error.code, app.error.step, app.record?.phase]).toEqual(['ERR_DEVICE_CONSENT', 'F3.9', 'linked']);
  });

  it('and saves before it sends what depends on it', () => {
    const { app } = after(9);
    const order = app.effects.flatMap((effect) =>
      effect.type === 'send' ? [name(effect.frame)] : effect.type === 'persist' || effect.type === 'done' ? [effect.type] : [],
    );
    expect(order).toEqual(['persist', 'nocVerify', 'persist', 'handshakeStart', 'persist', 'nocEnvelope', 'persist', 'nocEnvelope', 'persist', 'done']);
  });
});

describe('what cannot begin', () => {
  const { record } = after(9).app;
  const options = { crypto, entropy: seededEntropy(''), app: { appVersion: '1', platform: 'ios' } };

  it('is an app that is activated', () => {
    expect(() => appActivationInitiator({ ...options, record: record as AppActivationRecord })).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT', message: 'the app is activated already' }),
    );
  });

  it('is a version that does not fit the request', () => {
    const app = { appVersion: '1'.repeat(33), platform: 'ios' };
    expect(() => appActivationInitiator({ ...options, app, record: newApp().fresh() })).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
  });
});

describe('an app that begins again', () => {
  it.each([
    ['typed', TYPED],
    ['assisted', ASSISTED],
  ])('with a token begins with a fresh M1 (%s key)', (_what, key) => {
    const { app, way } = after(1, new Way(new CoreBench().add(KEY_ID, key), key), { key });
    const first = app.take();
    app.restart();
    const second = app.take();
    expect([name(first), name(second)]).toEqual(['handshakeStart', 'handshakeStart']);
    expect(second).not.toEqual(first);
    app.sent.push({ frame: second, step: '' });
    converse(app, way);
    expect(app.record?.phase).toBe('activated');
  });

  it('with a token that is out of date begins with 0x30, on the second', () => {
    const { app } = after(1);
    app.nowMs += 599_999;
    expect(name(app.restart().take())).toBe('handshakeStart');
    app.nowMs += 1;
    expect(name(app.restart().take())).toBe('nocVerify');
  });

  it('with provisioning data sends the same 0x41 until 0x42 comes, and UEM uses one key', () => {
    const { app, way } = after(3);
    const acknowledgement = app.take();
    expect(name(acknowledgement)).toBe('nocEnvelope');
    expect(app.record?.phase).toBe('provisioned');
    const [done] = way.exchange(acknowledgement);
    for (const _lost of [1, 2]) {
      app.restart();
      expect(app.sent.map(({ frame, step }) => ({ frame, step }))).toEqual([{ frame: acknowledgement, step: 'F3.11' }]);
      expect(way.exchange(app.take())).toEqual([done]);
    }
    app.receive(done as Uint8Array);
    expect(app.record?.phase).toBe('activated');
    expect(way.core.requests.filter(({ type }) => type === 'consume')).toHaveLength(1);
  });

  it('with provisioning data that is a day old knows that nobody answers 0x41 any more', () => {
    const { app } = after(3);
    app.nowMs += 86_399_999;
    app.restart();
    expect(app.sent).toHaveLength(1);
    app.nowMs += 1;
    app.restart();
    expect([app.error.code, app.error.step, app.sent]).toEqual(['ERR_REJECTED_EXPIRED', 'F3.11', []]);
    expect(app.record?.phase).toBe('provisioned');
  });
});

describe('an alert', () => {
  it.each([
    ['authFailed', 'ERR_REJECTED_CREDENTIALS'],
    ['busy', 'ERR_REJECTED_BUSY'],
    ['internal', 'ERR_PEER_ALERT'],
  ] as const)('%s to 0x30 ends the run with %s at F3.8 and changes nothing', (code, error) => {
    const { app } = after(0);
    const before = app.store.get(APP_ACTIVATION_KEY);
    app.receive(wire.alert.encode({ code }));
    expect([app.error.code, app.error.step]).toEqual([error, 'F3.8']);
    expect(app.store.get(APP_ACTIVATION_KEY)).toEqual(before);
  });

  it('of load lets the next run begin as before', () => {
    const { app } = after(1);
    app.receive(wire.alert.encode({ code: 'busy' }));
    expect(app.error.code).toBe('ERR_REJECTED_BUSY');
    expect(name(app.restart().take())).toBe('handshakeStart');
  });

  it('to M1 lets the next run begin with 0x30, and costs nothing', () => {
    const { app, way } = after(1);
    const { link } = app.record as AppActivationRecord;
    app.receive(refusal);
    expect([app.error.code, app.error.step]).toEqual(['ERR_REJECTED_CREDENTIALS', 'F3.10']);
    expect(app.record).toMatchObject({ phase: 'linked', link, refused: true });
    app.restart().receive(refusal);
    expect([app.error.code, app.error.step, app.record?.refused]).toEqual(['ERR_REJECTED_CREDENTIALS', 'F3.8', true]);
    expect(converse(app.restart(), way).map(name)[0]).toBe('nocVerify');
    expect(app.record?.phase).toBe('activated');
    expect(app.record?.link).not.toEqual(link);
  });

  it('to M1 or M3 changes no token once M3 has left with it: UEM may have bound the key to that one', () => {
    const { app, way } = after(2);
    way.exchange(app.take());
    expect(app.record).toMatchObject({ phase: 'linked', requested: true });
    for (const step of ['F3.11', 'F3.10']) {
      app.receive(refusal);
      expect([app.error.code, app.error.step]).toEqual(['ERR_TRANSPORT_CLOSED', step]);
      app.restart();
      expect(name(app.sent[0]?.frame as Uint8Array)).toBe('handshakeStart');
    }
    converse(app, way);
    expect(app.record?.phase).toBe('activated');
  });

  it('to 0x41 lets the next run begin with a fresh M1, when UEM has forgotten the session', () => {
    const { app, way } = after(3);
    way.core.sessions.clear();
    const { session } = app.record as AppActivationRecord;
    converse(app, way, 1);
    expect([app.error.code, app.error.step]).toEqual(['ERR_TRANSPORT_CLOSED', 'F3.11']);
    expect(app.record).toMatchObject({ phase: 'provisioned', session, refused: true });
    const frames = converse(app.restart(), way);
    expect(frames.map(name).slice(0, 2)).toEqual(['handshakeStart', 'handshakeReply']);
    expect(app.record?.phase).toBe('activated');
    expect(app.record?.data?.masterSessionKey).toEqual(new Uint8Array(32).fill(2));
    expect(way.core.live).toBe(2);
  });

  it('that is forged after UEM has consumed the key costs one run and nothing else', () => {
    const { app, way } = after(3);
    const acknowledgement = app.take();
    way.exchange(acknowledgement);
    app.receive(refusal);
    converse(app.restart(), way);
    expect([app.error.code, app.error.step]).toEqual(['ERR_TRANSPORT_CLOSED', 'F3.10']);
    expect(app.restart().sent[0]?.frame).toEqual(acknowledgement);
    converse(app, way);
    expect(app.record?.phase).toBe('activated');
  });

  it('to 0x41 with a token that is out of date changes nothing: no other token is of use for a bound key', () => {
    const { app } = after(3);
    const acknowledgement = app.take();
    app.receive(refusal);
    app.nowMs += 600_000;
    expect(app.restart().sent.map(({ frame }) => frame)).toEqual([acknowledgement]);
  });

  it.each<[string, number, string]>([
    ['M3', 2, 'F3.11'],
    ['0x41', 3, 'F3.11'],
  ])('to %s that nobody has sealed is no verdict, whatever it says: the key is not refused, and the app comes again', (_what, count, step) => {
    for (const code of ['authFailed', 'badMessage', 'internal', 'revoked', 'expired', 'unknownDevice'] as const) {
      const { app, way } = after(count);
      way.exchange(app.take());
      app.receive(wire.alert.encode({ code }));
      expect(app.error).toMatchObject({ code: 'ERR_TRANSPORT_CLOSED', kind: 'transport', retry: 'backoff', step, details: { alert: code } });
      for (let run = 0; run < 2 && app.record?.phase !== 'activated'; run++) converse(app.restart(), way);
      expect(app.record?.phase).toBe('activated');
    }
  });

  it('of load that nobody has sealed is load', () => {
    for (const count of [2, 3]) {
      const { app } = after(count);
      app.take();
      app.receive(wire.alert.encode({ code: 'busy' }));
      expect([app.error.code, app.error.step]).toEqual(['ERR_REJECTED_BUSY', 'F3.11']);
    }
  });

  it('that nobody has sealed, for ever, ends with the word of the NOC once the token is out of date', () => {
    const { app, way } = after(2);
    way.exchange(app.take());
    app.receive(refusal);
    app.restart();
    app.receive(refusal);
    expect([app.error.code, app.error.step]).toEqual(['ERR_TRANSPORT_CLOSED', 'F3.10']);
    app.nowMs += 600_000;
    expect(name(app.restart().take())).toBe('nocVerify');
    app.receive(refusal);
    expect([app.error.code, app.error.step]).toEqual(['ERR_REJECTED_CREDENTIALS', 'F3.8']);
  });

  it('inside a record is a refusal by UEM itself', () => {
    const way = new Way();
    way.core.refuse = { type: 'provision', error: new ProtocolError('ERR_REJECTED_BUSY', 'full') };
    const { app } = after(9, way);
    expect([app.error.code, app.error.step]).toEqual(['ERR_REJECTED_BUSY', 'F3.11']);
    expect(app.record).toMatchObject({ phase: 'linked', refused: undefined });
  });

  it('inside a record may answer 0x41, too', () => {
    const app = newApp();
    const liar = beforeLiar(app);
    app.receive(liar.says(honest));
    app.receive(liar.says(refusal));
    expect([app.error.code, app.error.step]).toEqual(['ERR_REJECTED_CREDENTIALS', 'F3.11']);
    expect(app.record).toMatchObject({ phase: 'provisioned', refused: true });
  });
});

describe('an answer that does not fit ends the run', () => {
  const otherDevice: readonly (readonly [string, Partial<wire.ProvisioningData>])[] = [
    ['another device', { deviceId: 'device-2' }],
    ['another device key', { deviceKeyHash: new Uint8Array(32).fill(0x45) }],
    ['no device', { deviceId: undefined, deviceKeyHash: undefined }],
    ['no device key', { deviceKeyHash: undefined }],
  ];

  it.each(otherDevice)('provisioning data for %s means that the owner wipes', (_what, change) => {
    const app = newApp();
    app.receive(beforeLiar(app).says(wire.provisioningData.encode({ ...provisioning(1), ...DEVICE, ...change })));
    expect([app.error.code, app.error.step, app.error.retry]).toEqual(['ERR_PEER_OTHER_DEVICE', 'F3.11', 'never']);
    expect(app.record?.phase).toBe('linked');
    expect(app.sent).toEqual([]);
  });

  it.each([
    ['a device', { deviceId: 'device-1', deviceKeyHash: new Uint8Array(32) }],
    ['a device id', { deviceId: 'device-1' }],
    ['a device key', { deviceKeyHash: new Uint8Array(32) }],
  ] as const)('provisioning data with %s where no UEM Client took part means the same', (_what, change) => {
    const app = newApp({ key: TYPED });
    app.receive(beforeLiar(app, TYPED).says(wire.provisioningData.encode({ ...provisioning(1), ...change })));
    expect(app.error.code).toBe('ERR_PEER_OTHER_DEVICE');
  });

  it('a record for another session is not opened', () => {
    for (const count of [2, 3]) {
      const { app, way } = after(count);
      const [answer] = way.exchange(app.take());
      const { frame } = wire.nocEnvelope.decode(wire.parseFrame(answer as Uint8Array));
      app.receive(wire.nocEnvelope.encode({ sessionId: new Uint8Array(16), frame }));
      expect([app.error.code, app.error.step]).toEqual(['ERR_PEER_MISMATCH', 'F3.11']);
    }
  });

  it('a status of 0x42 that is not success is no activation', () => {
    const app = newApp();
    const liar = beforeLiar(app);
    app.receive(liar.says(honest));
    app.receive(liar.says(wire.provisioningDone.encode({ status: 1 })));
    expect([app.error.code, app.error.step, app.record?.phase]).toEqual(['ERR_PEER_MISMATCH', 'F3.11', 'provisioned']);
  });

  it('a 0x42 that was changed on the way is not opened, and the right one still is', () => {
    const { app, way } = after(3);
    const [done] = way.exchange(app.take());
    const changed = (done as Uint8Array).slice();
    changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
    app.receive(changed);
    expect([app.error.code, app.error.step]).toEqual(['ERR_CRYPTO_OPEN', 'F3.11']);
    converse(app.restart(), way);
    expect(app.record?.phase).toBe('activated');
  });

  it('an M2 of somebody who does not hold the key gets an alert and no request', () => {
    const { app, way } = after(1);
    const [reply] = way.exchange(app.take());
    const changed = (reply as Uint8Array).slice();
    changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
    app.receive(changed);
    expect([app.error.code, app.error.step]).toEqual(['ERR_CRYPTO_KEY_CONFIRMATION', 'F3.10']);
    expect(app.sent.map(({ frame }) => frame)).toEqual([refusal]);
  });
});

describe('waiting', () => {
  it('ends when its time is over, at each message', () => {
    const steps = ['F3.8', 'F3.10', 'F3.11', 'F3.11'];
    for (const [count, step] of steps.entries()) {
      const { app } = after(count);
      expect([...app.timers]).toEqual([['answer', 30_000]]);
      app.input({ type: 'timer', timer: 'answer' });
      expect([app.error.code, app.error.step, app.timers.size]).toEqual(['ERR_PEER_TIMEOUT', step, 0]);
    }
  });

  it('has the time that the owner gives', () => {
    const machine = appActivationInitiator({
      crypto,
      entropy: seededEntropy(''),
      app: { appVersion: '1', platform: 'ios' },
      record: newApp().fresh(),
      limits: { answerMs: 5 },
    });
    expect(machine.handle({ type: 'start' }, NOW_MS)).toContainEqual({ type: 'arm-timer', timer: 'answer', afterMs: 5 });
  });

  it('ends when the connection does, with its reason', () => {
    const first = after(0).app.input({ type: 'closed' });
    expect([first.error.code, first.error.step]).toEqual(['ERR_TRANSPORT_CLOSED', 'F3.8']);
    const second = after(2).app.input({ type: 'closed', error: new ProtocolError('ERR_TRANSPORT_TLS', 'broken') });
    expect([second.error.code, second.error.step]).toEqual(['ERR_TRANSPORT_TLS', 'F3.11']);
  });

  it('for the user or for scrypt is not disturbed by the network', () => {
    const stretching = newApp({ key: TYPED });
    stretching.manual = true;
    stretching.start();
    const reviewing = newApp({ key: TYPED });
    reviewing.store.set(APP_ACTIVATION_KEY, after(1).app.store.get(APP_ACTIVATION_KEY) as Uint8Array);
    reviewing.manual = true;
    reviewing.restart();
    for (const app of [stretching, reviewing]) {
      const { state } = app.machine;
      app.input({ type: 'closed' }).input({ type: 'timer', timer: 'answer' }).receive(refusal);
      app.input({ type: 'call' } as never);
      expect(app.machine.state).toBe(state);
    }
    expect([stretching.machine.state, reviewing.machine.state]).toEqual(['stretching', 'reviewing']);
  });

  it('takes no answer to what it did not ask', () => {
    const { app } = after(0);
    const bytes = new Uint8Array(32).fill(1);
    app.input({ type: 'result', result: { type: 'stretched', bytes } }).input({ type: 'result', result: { type: 'reviewed' } });
    expect(app.machine.state).toBe('verifying');
    expect(bytes).toEqual(new Uint8Array(32));
  });
});

describe('failures of the driver', () => {
  it('end the run at the step', () => {
    const typed = newApp({ key: TYPED });
    typed.manual = true;
    typed.start().input({ type: 'failed', error: new ProtocolError('ERR_INTERNAL', 'no memory') });
    expect([typed.error.code, typed.error.step]).toEqual(['ERR_INTERNAL', 'F3.7']);
  });

  it('that are no errors of the protocol are thrown', () => {
    const broken = {
      ...crypto,
      cbcHs512: () => {
        throw new TypeError('a fault of ours');
      },
    };
    const { app, way } = after(1, new Way(), { crypto: broken });
    const [reply] = way.exchange(app.take());
    expect(() => app.receive(reply as Uint8Array)).toThrow(TypeError);
  });

  it('after the end nothing happens any more', () => {
    const { app } = after(9);
    const count = app.effects.length;
    app.start().receive(refusal).input({ type: 'closed' });
    expect([app.effects.length, app.machine.state]).toEqual([count, 'activated']);
    const failed = after(0).app.receive(refusal);
    failed.start();
    expect(failed.machine.state).toBe('failed');
  });
});

it('the instance of the request is that of the record', () => {
  const { way } = after(9);
  const provision = way.core.requests.find((request) => request.type === 'provision');
  expect(provision).toMatchObject({ request: { instanceId: INSTANCE_ID, appVersion: '1.0', platform: 'android', ...DEVICE } });
});
