import { afterAll, describe, expect, it } from 'vitest';
import {
  type AccessKeyFacts,
  APP_ACTIVATION_RESPONDER_TRANSITIONS,
  type AppActivationCoreRequest,
  type AppActivationCoreResult,
  type AppActivationResponder,
  appActivationResponder,
  type Effect,
  type Input,
  ProtocolError,
  type SetUpEnvelope,
  transitionRecorder,
} from '../../../src/index.ts';
import { seededEntropy } from '../../../src/testing/index.ts';
import * as wire from '../../../src/wire/index.ts';
import {
  APP_ID,
  AppBench,
  ASSISTED,
  CORE_ID,
  CoreBench,
  converse,
  crypto,
  DEVICE,
  INSTANCE_ID,
  KEY_ID,
  Liar,
  NOW_MS,
  provisioning,
  TYPED,
  USER,
  Way,
} from './app-activation-bench.ts';

const recorder = transitionRecorder();
const onTransition = recorder.listener;
afterAll(() => expect(recorder.missing(APP_ACTIVATION_RESPONDER_TRANSITIONS)).toEqual([]));

const authFailed = wire.alert.encode({ code: 'authFailed' });
const badMessage = wire.alert.encode({ code: 'badMessage' });
const request: wire.ProvisioningRequest = { appId: APP_ID, appVersion: '1', platform: 'ios', instanceId: INSTANCE_ID, ...DEVICE };

interface ScOptions {
  readonly key?: typeof ASSISTED | typeof TYPED;
  readonly facts?: Partial<AccessKeyFacts>;
  readonly request?: Partial<wire.ProvisioningRequest>;
  readonly content?: Uint8Array;
  readonly userId?: string;
  readonly envelope?: Partial<SetUpEnvelope>;
}

/** UEM, and an app that holds the key and may say what it wants. */
function sc(options: ScOptions = {}) {
  const { key = ASSISTED, facts } = options;
  const core = new CoreBench({ onTransition }).add(KEY_ID, key, facts);
  const way = new Way(core, key);
  const { token } = wire.nocProvision.decode(wire.parseFrame(way.noc.verify(new AppBench({ key }).start().sent.at(-1)?.frame as Uint8Array)));
  const content = options.content ?? wire.provisioningRequest.encodeBody({ ...request, ...options.request });
  const app = Liar.asApp(token, content, key, options.userId);
  const [start] = app.hears();
  const envelope = { ...(way.noc.envelope(start as Uint8Array, KEY_ID) as SetUpEnvelope), ...options.envelope };
  const setUp = (): readonly Uint8Array[] => core.setUp(envelope, start as Uint8Array);
  /** The app hears M2 and says M3. */
  const finish = (): readonly Uint8Array[] => app.hears(setUp()[0]);
  return {
    core,
    app,
    envelope,
    start: start as Uint8Array,
    setUp,
    finish,
    machine: () => [...core.sessions.values()].at(-1)?.machine as AppActivationResponder,
  };
}

/** M1 to M3, and what M3 is answered with. */
function provisioned(options: ScOptions = {}) {
  const run = sc(options);
  const [m3] = run.finish();
  const answers = run.core.enveloped({ sessionId: run.app.sessionId, frame: m3 as Uint8Array });
  return { ...run, m3: m3 as Uint8Array, answers };
}

function lastFailure(core: CoreBench): readonly (string | undefined)[] {
  const error = core.failures.at(-1);
  return [error?.code, error?.step];
}

describe('UEM answers', () => {
  it('M1 with M2, M3 with 0x40, 0x41 with 0x42, and uses the key up in between', () => {
    const run = provisioned();
    const ack = run.app.record(wire.provisioningAck.encode({ status: 0 }));
    const answers = run.core.enveloped({ sessionId: run.app.sessionId, frame: ack });
    expect(answers).toHaveLength(1);
    expect(run.machine().state).toBe('finished');
    expect(run.core.requests.map(({ type }) => type)).toEqual(['identify', 'provision', 'consume']);
    expect(run.core.requests[0]).toEqual({ type: 'identify', envelope: run.envelope, userId: USER });
    expect(run.core.requests[1]).toEqual({ type: 'provision', envelope: run.envelope, sessionId: run.app.sessionId, request });
    expect(run.core.requests[2]).toEqual({ type: 'consume', envelope: run.envelope, sessionId: run.app.sessionId, acknowledgement: ack, done: answers[0] });
  });

  it('each with its flow step, and tells how it ended', () => {
    const { machine, effects } = byHand();
    expect(machine.state).toBe('finished');
    const steps = effects.flatMap((effect) => ('step' in effect ? [`${effect.type} ${effect.step}`] : []));
    expect(steps).toEqual(['request F3.10', 'send F3.10', 'request F3.11', 'send F3.11', 'request F3.11', 'send F3.11']);
    expect(effects.find(({ type }) => type === 'done')).toMatchObject({ output: { appId: APP_ID, instanceId: INSTANCE_ID } });
    expect(effects[0]).toEqual({ type: 'arm-timer', timer: 'deadline', afterMs: 30_000 });
    expect(effects.find(({ type }) => type === 'cancel-timer')).toBeDefined();
  });

  it('the same M1 with the same M2 as long as the session lives, and charges nothing for it', () => {
    const run = sc();
    const [reply] = run.setUp();
    const [m3] = run.app.hears(reply);
    expect(run.setUp()).toEqual([reply]);
    run.core.enveloped({ sessionId: run.app.sessionId, frame: m3 as Uint8Array });
    expect(run.machine().state).toBe('awaitingAck');
    expect(run.setUp()).toEqual([reply]);
    expect(run.core.requests.filter(({ type }) => type === 'identify')).toHaveLength(1);
  });

  it('the same M1 also while the owner works, and drops everything else', () => {
    byHand(({ machine, give, sent }, state, start) => {
      expect(machine.state).toBe(state);
      const before = sent().length;
      give({ type: 'received', frame: start });
      expect(sent().length - before).toBe(state === 'identifying' ? 0 : 1);
      give({ type: 'received', frame: new Uint8Array(100) });
      expect(machine.state).toBe(state);
      expect(sent().length - before).toBe(state === 'identifying' ? 0 : 1);
    });
  });

  it('a request with the device that it was asked for, and none where no UEM Client took part', () => {
    const typed = new Way(new CoreBench({ onTransition }).add(KEY_ID, TYPED), TYPED);
    const app = new AppBench({ key: TYPED }).start();
    converse(app, typed);
    expect([app.record?.data?.deviceId, app.record?.data?.deviceKeyHash]).toEqual([undefined, undefined]);
    const assisted = new AppBench().start();
    converse(assisted, new Way());
    expect(assisted.record?.data).toMatchObject(DEVICE);
  });
});

describe('UEM refuses before mac3, with one alert and without a word why', () => {
  it.each([
    [
      'a key that may not be used',
      () => {
        const run = sc();
        run.core.keys.clear();
        return run;
      },
    ],
    ['a user whom the key is not for', () => sc({ facts: { userId: 'bob@example.com' } })],
    ['a token of another tid', () => sc({ envelope: { tokenId: new Uint8Array(16) } })],
    ['a token of another link', () => sc({ envelope: { linkId: new Uint8Array(16) } })],
    ['another tenant', () => sc({ envelope: { tenantId: 'tenant-2' } })],
    ['another key', () => sc({ facts: { psk: new Uint8Array(32).fill(1) as AccessKeyFacts['psk'] } })],
  ] as const)('%s', (_what, make) => {
    const run = make();
    expect(run.setUp()).toEqual([authFailed]);
    expect(lastFailure(run.core)).toEqual(['ERR_CRYPTO_KEY_CONFIRMATION', 'F3.9']);
    expect(run.core.requests.map(({ type }) => type)).toEqual(['identify']);
  });

  it('what is no M1', () => {
    const { core, envelope, start } = sc();
    expect(core.setUp(envelope, start.subarray(1))).toEqual([badMessage]);
    expect(core.requests).toEqual([]);
  });

  it('when the owner is busy', () => {
    const run = sc();
    run.core.refuse = { type: 'identify', error: new ProtocolError('ERR_REJECTED_BUSY', 'too many') };
    expect(run.setUp()).toEqual([wire.alert.encode({ code: 'busy' })]);
    expect(lastFailure(run.core)).toEqual(['ERR_REJECTED_BUSY', 'F3.9']);
  });

  it('a wrong mac3', () => {
    const run = sc();
    const [m3] = run.finish();
    const changed = (m3 as Uint8Array).slice();
    changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
    expect(run.core.enveloped({ sessionId: run.app.sessionId, frame: changed })).toEqual([authFailed]);
    expect(lastFailure(run.core)).toEqual(['ERR_CRYPTO_KEY_CONFIRMATION', 'F3.11']);
    expect(run.core.requests.map(({ type }) => type)).toEqual(['identify']);
  });
});

describe('failed proofs are told to the owner', () => {
  it('for a key that it has identified: mac1, mac3, another user or token', () => {
    const wrongM1 = sc({ facts: { psk: new Uint8Array(32).fill(1) as AccessKeyFacts['psk'] } });
    wrongM1.setUp();
    const otherUser = sc({ facts: { userId: 'bob@example.com' } });
    otherUser.setUp();
    const wrongM3 = sc();
    const [m3] = wrongM3.finish();
    wrongM3.core.enveloped({
      sessionId: wrongM3.app.sessionId,
      frame: (m3 as Uint8Array).map((byte, at) => (at === (m3 as Uint8Array).length - 1 ? byte ^ 1 : byte)),
    });
    expect([wrongM1, otherUser, wrongM3].map(({ core }) => core.keys.values().next().value?.failed)).toEqual([1, 1, 1]);
  });

  it('and not for a key that it has not', () => {
    const run = sc();
    run.core.keys.clear();
    run.setUp();
    expect(run.core.failures).toHaveLength(1);
  });
});

describe('UEM refuses after mac3, in a record', () => {
  /** What the app hears. */
  function heard({ answers, app }: ReturnType<typeof provisioned>): wire.AlertCode | undefined {
    expect(answers).toHaveLength(1);
    const text = app.opens(answers[0] as Uint8Array);
    return wire.peekFrameName(text) === 'alert' ? wire.alert.decode(wire.parseFrame(text)).code : undefined;
  }

  it.each([
    ['another app', { request: { appId: 'com.example.other' } }],
    ['another instance', { request: { instanceId: new Uint8Array(16) } }],
    ['another device', { request: { deviceId: 'device-2' } }],
    ['another device key', { request: { deviceKeyHash: new Uint8Array(32) } }],
    ['no device', { request: { deviceId: undefined, deviceKeyHash: undefined } }],
    ['half a device', { request: { deviceKeyHash: undefined } }],
    ['a device where no UEM Client took part', { key: TYPED }],
  ] as const)('%s than the one that asked for the key', (_what, options) => {
    const run = provisioned(options);
    expect(heard(run)).toBe('authFailed');
    expect(lastFailure(run.core)).toEqual(['ERR_PEER_MISMATCH', 'F3.11']);
    expect(run.core.requests.map(({ type }) => type)).toEqual(['identify']);
  });

  it('any app and instance may use a typed key, as far as this machine is asked', () => {
    const run = provisioned({ key: TYPED, request: { appId: 'com.example.other', deviceId: undefined, deviceKeyHash: undefined } });
    expect(heard(run)).toBeUndefined();
  });

  it('a request that cannot be read', () => {
    const run = provisioned({ content: new Uint8Array([0xa0]) });
    expect(heard(run)).toBe('badMessage');
    expect(lastFailure(run.core)).toEqual(['ERR_WIRE_FIELD', 'F3.11']);
  });

  it.each([
    ['refuses', new ProtocolError('ERR_PEER_REPLAY', 'bound'), 'authFailed'],
    ['is busy', new ProtocolError('ERR_REJECTED_BUSY', 'full'), 'busy'],
    ['has a fault', new ProtocolError('ERR_STORE_WRITE', 'disk'), 'internal'],
  ] as const)('when the owner %s', (_what, error, code) => {
    const run = sc();
    run.core.refuse = { type: 'provision', error };
    const [m3] = run.finish();
    const answers = run.core.enveloped({ sessionId: run.app.sessionId, frame: m3 as Uint8Array });
    expect(heard({ ...run, m3: m3 as Uint8Array, answers })).toBe(code);
    expect(lastFailure(run.core)).toEqual([error.code, 'F3.11']);
  });

  it('to hand out a Proxy that has the id of UEM itself', () => {
    const core = new CoreBench({ onTransition, data: { proxies: [{ ...(provisioning(1).proxies[0] as wire.ProxyInstance), id: CORE_ID }] } }).add(
      KEY_ID,
      ASSISTED,
    );
    const app = new AppBench().start();
    converse(app, new Way(core));
    expect(lastFailure(core)).toEqual(['ERR_USAGE_ARGUMENT', 'F3.11']);
    expect(app.error.code).toBe('ERR_PEER_ALERT');
    expect(app.record?.phase).toBe('linked');
  });

  it.each([
    ['a status that is not success', wire.provisioningAck.encode({ status: 1 }), 'ERR_PEER_MISMATCH', 'authFailed'],
    ['another message than 0x41', wire.provisioningDone.encode({ status: 0 }), 'ERR_WIRE_TYPE', 'badMessage'],
  ] as const)('%s', (_what, inner, error, code) => {
    const run = provisioned();
    run.app.opens(run.answers[0] as Uint8Array);
    const answers = run.core.enveloped({ sessionId: run.app.sessionId, frame: run.app.record(inner) });
    expect(heard({ ...run, answers })).toBe(code);
    expect(lastFailure(run.core)).toEqual([error, 'F3.11']);
    expect(run.core.live).toBeUndefined();
  });

  it('a record that does not open: M3 again, or rubbish', () => {
    for (const make of [(m3: Uint8Array) => m3, () => new Uint8Array(94)]) {
      const run = provisioned();
      run.app.opens(run.answers[0] as Uint8Array);
      const answers = run.core.enveloped({ sessionId: run.app.sessionId, frame: make(run.m3) });
      expect(heard({ ...run, answers })).toBe('authFailed');
      expect(lastFailure(run.core)).toEqual(['ERR_CRYPTO_OPEN', 'F3.11']);
      expect(run.core.live).toBeUndefined();
    }
  });

  it('when the key could not be consumed: then 0x42 does not leave, and the alert is bare', () => {
    const run = provisioned();
    run.core.refuse = { type: 'consume', error: new ProtocolError('ERR_STORE_WRITE', 'disk') };
    const answers = run.core.enveloped({ sessionId: run.app.sessionId, frame: run.app.record(wire.provisioningAck.encode({ status: 0 })) });
    expect(answers).toEqual([wire.alert.encode({ code: 'internal' })]);
    expect(lastFailure(run.core)).toEqual(['ERR_STORE_WRITE', 'F3.11']);
    expect(run.machine().state).toBe('refused');
  });
});

describe('a session at UEM ends', () => {
  it('when its time is over, whatever comes then', () => {
    for (const jump of [30_000, -30_000]) {
      const run = sc();
      const [m3] = run.finish();
      run.core.nowMs += jump;
      expect(run.core.enveloped({ sessionId: run.app.sessionId, frame: m3 as Uint8Array })).toEqual([]);
      expect(lastFailure(run.core)).toEqual(['ERR_PEER_TIMEOUT', 'F3.11']);
    }
    const inTime = sc();
    const [m3] = inTime.finish();
    inTime.core.nowMs += 29_999;
    expect(inTime.core.enveloped({ sessionId: inTime.app.sessionId, frame: m3 as Uint8Array })).toHaveLength(1);
  });

  it('by its timer, or when the owner gives it up', () => {
    const timed = sc();
    timed.setUp();
    timed.core.input(timed.machine(), { type: 'timer', timer: 'deadline' });
    expect(lastFailure(timed.core)).toEqual(['ERR_PEER_TIMEOUT', 'F3.11']);
    const closed = provisioned();
    closed.core.input(closed.machine(), { type: 'closed' });
    expect(lastFailure(closed.core)).toEqual(['ERR_TRANSPORT_CLOSED', 'F3.11']);
    const broken = provisioned();
    broken.core.input(broken.machine(), { type: 'closed', error: new ProtocolError('ERR_TRANSPORT_TLS', 'broken') });
    expect(lastFailure(broken.core)).toEqual(['ERR_TRANSPORT_TLS', 'F3.11']);
  });

  it('and nothing happens any more', () => {
    const run = provisioned();
    const machine = run.machine();
    machine.handle({ type: 'closed' }, NOW_MS);
    expect(machine.handle({ type: 'received', frame: run.start }, NOW_MS)).toEqual([]);
    expect(machine.state).toBe('refused');
  });

  it('with the time that the owner gives', () => {
    const { start, envelope } = sc();
    const machine = appActivationResponder({ crypto, entropy: seededEntropy(''), coreId: CORE_ID, envelope, limits: { handshakeMs: 5 } });
    expect(machine.handle({ type: 'received', frame: start }, NOW_MS)[0]).toEqual({ type: 'arm-timer', timer: 'deadline', afterMs: 5 });
  });

  it('takes no answer to what it did not ask, and no other input', () => {
    const run = provisioned();
    const machine = run.machine();
    for (const result of [{ type: 'identified' }, { type: 'consumed' }] as const) expect(machine.handle({ type: 'result', result }, NOW_MS)).toEqual([]);
    expect(machine.handle({ type: 'start' }, NOW_MS)).toEqual([]);
    expect(machine.state).toBe('awaitingAck');
    expect(sc().machine()).toBeUndefined();
  });

  it('throws what is no error of the protocol', () => {
    const broken = {
      ...crypto,
      cbcHs512: () => {
        throw new TypeError('a fault of ours');
      },
    };
    const run = sc();
    const machine = appActivationResponder({ crypto: broken, entropy: seededEntropy(''), coreId: CORE_ID, envelope: run.envelope });
    machine.handle({ type: 'received', frame: run.start }, NOW_MS);
    const key = [...run.core.keys.values()][0]?.facts;
    const sent = machine.handle({ type: 'result', result: { type: 'identified', key } }, NOW_MS).find((effect) => effect.type === 'send');
    const [m3] = run.app.hears(sent?.frame);
    expect(() => machine.handle({ type: 'received', frame: m3 as Uint8Array }, NOW_MS)).toThrow(TypeError);
  });
});

type UemEffect = Effect<AppActivationCoreRequest, unknown, unknown>;

interface Hands {
  readonly machine: AppActivationResponder;
  readonly effects: readonly UemEffect[];
  give(input: Input<AppActivationCoreResult>): void;
  sent(): readonly Uint8Array[];
}

/** One session step by step; `meanwhile` is called each time the owner has been asked and has not answered. */
function byHand(meanwhile?: (hands: Hands, state: string, start: Uint8Array) => void): Hands {
  const run = sc();
  const machine = appActivationResponder({ crypto, entropy: seededEntropy('by hand'), coreId: CORE_ID, envelope: run.envelope, onTransition });
  const effects: UemEffect[] = [];
  const hands: Hands = {
    machine,
    effects,
    give: (input) => void effects.push(...machine.handle(input, NOW_MS)),
    sent: () => effects.flatMap((effect) => (effect.type === 'send' ? [effect.frame] : [])),
  };
  hands.give({ type: 'received', frame: run.start });
  meanwhile?.(hands, 'identifying', run.start);
  hands.give({ type: 'result', result: { type: 'identified', key: [...run.core.keys.values()][0]?.facts } });
  const [m3] = run.app.hears(hands.sent()[0]);
  hands.give({ type: 'received', frame: m3 as Uint8Array });
  meanwhile?.(hands, 'provisioning', run.start);
  hands.give({ type: 'result', result: { type: 'provisioned', data: provisioning(1) } });
  hands.give({ type: 'received', frame: run.app.record(wire.provisioningAck.encode({ status: 0 })) });
  meanwhile?.(hands, 'consuming', run.start);
  hands.give({ type: 'result', result: { type: 'consumed' } });
  return hands;
}
