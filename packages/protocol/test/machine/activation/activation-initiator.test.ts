import { describe, expect, it } from 'vitest';
import { ACTIVATION_INITIATOR_TRANSITIONS, activationInitiator, ProtocolError, transitionRecorder, utf8 } from '../../../src/index.ts';
import { seededEntropy } from '../../../src/testing/index.ts';
import * as wire from '../../../src/wire/index.ts';
import {
  CORE_ID,
  certificates,
  converse,
  crypto,
  DeviceBench,
  type DeviceOptions,
  detailsFor,
  NOW_MS,
  PASSWORD,
  passwordSecret,
  qrSecretOf,
  ServerBench,
  USER,
} from './activation-bench.ts';

const recorder = transitionRecorder();

function device(options: DeviceOptions = {}): DeviceBench {
  return new DeviceBench({ onTransition: recorder.listener, ...options });
}

/** Changes fields of a message of one type; others pass. */
function changing<T extends object>(codec: wire.MessageCodec<T>, change: (message: T) => T): (frame: Uint8Array) => Uint8Array {
  return (frame) => (wire.peekFrameName(frame) === codec.name ? codec.encode(change(codec.decode(wire.parseFrame(frame)))) : frame);
}

const A5_A6 = ['activationRequest', 'activationResult'];

describe('activation by password (F1)', () => {
  it('goes from A1 to A7 and ends activated', () => {
    const [phone, server] = [device(), new ServerBench()];
    const frames = converse(phone.start(), server);
    expect(frames.map((frame) => wire.peekFrameName(frame))).toEqual([
      'activationStart',
      'activationParameters',
      'activationShare',
      'activationShareReply',
      ...A5_A6,
      'activationDone',
      'acknowledgement',
    ]);
    expect(phone.ended).toMatchObject({ output: { status: 'activated', record: { phase: 'activated', userId: USER, context: utf8('found at') } } });
    expect(phone.record?.details).toEqual(detailsFor(phone.publicKey, 'device-1'));
    expect(phone.events.map((event) => event.type)).toEqual(['requested', 'serverAuthenticated', 'certificateReceived', 'configured']);
    expect([...server.state.devices.values()]).toEqual([{ deviceId: 'device-1', counts: true }]);
    expect(server.triesLeft()).toBe(5);
    expect(server.responder.pending).toBe(0);
    expect(phone.machine.state).toBe('activated');
    expect(phone.timers.size).toBe(0);
    expect(phone.start().receive(Uint8Array.of(1)).sent).toHaveLength(0);
  });

  it('names the flow step of each frame', () => {
    const phone = device().start();
    const steps = [phone.sent[0]?.step];
    const server = new ServerBench();
    for (let frame = 0; frame < 3; frame++) {
      phone.receive(server.handle(phone.take()).frame);
      steps.push(phone.sent[0]?.step);
    }
    expect(steps).toEqual(['F1.3', 'F1.4', 'F1.4', 'F1.5']);
  });

  it('saves the key id before A1, A6 before the configuration, the configuration before A7', () => {
    const phone = device();
    converse(phone.start(), new ServerBench());
    expect(phone.effects.map((effect) => effect.type).join(' ')).toBe(
      'persist request arm-timer send emit ' +
        'request send ' +
        'emit request send ' +
        'cancel-timer persist emit request persist emit arm-timer send ' +
        'cancel-timer persist done',
    );
  });

  it('works over random user ids and secrets that need normalization', () => {
    const phone = device({ secret: passwordSecret(PASSWORD, ' Alice@EXAMPLE.com\t') });
    converse(phone.start(), new ServerBench());
    expect(phone.ended).toMatchObject({ output: { status: 'activated' } });
  });
});

describe('activation by QR code (F1)', () => {
  it('needs no stretching', () => {
    const phone = device({ secret: qrSecretOf() });
    converse(phone.start(), new ServerBench());
    expect(phone.ended).toMatchObject({ output: { status: 'activated' } });
    expect(phone.effects.filter((effect) => effect.type === 'request').map((effect) => effect.request.type)).toEqual(['publicKey', 'sign', 'configure']);
  });

  it('is refused on the device when the code is out of date, and nothing is sent', () => {
    const phone = device({ secret: qrSecretOf({ expiryEpochS: NOW_MS / 1000 }) }).start();
    expect(phone.error).toMatchObject({ code: 'ERR_REJECTED_EXPIRED', step: 'F1.3' });
    expect(phone.effects.some((effect) => effect.type === 'send' || effect.type === 'request')).toBe(false);
  });

  it('talks to the server of the code only', () => {
    const phone = device({ secret: qrSecretOf({ coreId: 'another core' }) });
    const frames = converse(phone.start(), new ServerBench());
    expect(frames).toHaveLength(2);
    expect(phone.error).toMatchObject({ code: 'ERR_PEER_MISMATCH', step: 'F1.4' });
  });

  it('ignores the scrypt cost', () => {
    const phone = device({ secret: qrSecretOf() }).start();
    const server = new ServerBench({ options: { cost: { N: 2, r: 1, p: 1 } } });
    server.state.secrets.delete(`${USER}/qr`);
    phone.receive(server.handle(phone.take()).frame);
    expect(phone.machine.state).toBe('awaitingShareReply');
  });
});

describe('the device sends no proof to a server that has not proved itself', () => {
  it.each([
    ['the password is wrong', { secret: passwordSecret('wrong horse') }, undefined],
    ['the user is unknown', {}, (server: ServerBench) => server.state.secrets.clear()],
    ['the secret is exhausted', {}, (server: ServerBench) => server.addSecret(USER, 'password', { tries: 0 })],
    ['the secret is expired', {}, (server: ServerBench) => server.addSecret(USER, 'password', { expired: true })],
    ['the kind of secret is missing', { secret: qrSecretOf() }, (server: ServerBench) => server.state.secrets.delete(`${USER}/qr`)],
  ])('%s: one error, the same frames and lengths', (_name, options: DeviceOptions, prepare?: (server: ServerBench) => unknown) => {
    const reference = converse(device({ secret: passwordSecret('wrong horse') }).start(), new ServerBench());
    const server = new ServerBench();
    prepare?.(server);
    const phone = device(options);
    const frames = converse(phone.start(), server);
    expect(frames.map((frame) => [wire.peekFrameName(frame), frame.length])).toEqual(reference.map((frame) => [wire.peekFrameName(frame), frame.length]));
    expect(frames).toHaveLength(4);
    expect(phone.error).toMatchObject({ code: 'ERR_REJECTED_CREDENTIALS', message: 'the user name or the secret is not right', step: 'F1.4', details: {} });
    expect(server.state.devices.size).toBe(0);
  });

  it.each([
    ['another version', changing(wire.activationParameters, (a2) => ({ ...a2, version: 2 })), 'ERR_PEER_MISMATCH'],
    ['another suite', changing(wire.activationParameters, (a2) => ({ ...a2, suite: 2 })), 'ERR_PEER_MISMATCH'],
    ['a cheap scrypt', changing(wire.activationParameters, (a2) => ({ ...a2, cost: [1_024, 8, 1] })), 'ERR_WIRE_FIELD'],
    ['an expensive scrypt', changing(wire.activationParameters, (a2) => ({ ...a2, cost: [1_048_576, 8, 1] })), 'ERR_WIRE_FIELD'],
    ['another salt', changing(wire.activationParameters, (a2) => ({ ...a2, salt: new Uint8Array(16) })), 'ERR_REJECTED_CREDENTIALS'],
    ['another core id (unknown key share)', changing(wire.activationParameters, (a2) => ({ ...a2, coreId: 'core-2' })), 'ERR_REJECTED_CREDENTIALS'],
    ['other random bytes', changing(wire.activationParameters, (a2) => ({ ...a2, random: new Uint8Array(32) })), 'ERR_REJECTED_CREDENTIALS'],
    ['a downgrade of the offer in A1', changing(wire.activationStart, (a1) => ({ ...a1, suites: [1, 2] })), 'ERR_REJECTED_CREDENTIALS'],
    [
      'another device in A1',
      changing(wire.activationStart, (a1) => ({ ...a1, deviceInfo: { ...a1.deviceInfo, model: 'Tablet' } })),
      'ERR_REJECTED_CREDENTIALS',
    ],
    ['its own share sent back (reflection)', undefined, 'ERR_REJECTED_CREDENTIALS'],
    ['a share that is no point', changing(wire.activationShareReply, (a4) => ({ ...a4, shareV: new Uint8Array(65).fill(4) })), 'ERR_CRYPTO_PUBLIC_KEY'],
    ['a compressed share', changing(wire.activationShareReply, (a4) => ({ ...a4, shareV: new Uint8Array(65).fill(2) })), 'ERR_CRYPTO_PUBLIC_KEY'],
    ['a wrong confirmation', changing(wire.activationShareReply, (a4) => ({ ...a4, confirmV: new Uint8Array(32) })), 'ERR_REJECTED_CREDENTIALS'],
  ])('%s', (_name, change, code) => {
    let share = new Uint8Array(65);
    const reflect = (frame: Uint8Array): Uint8Array => {
      if (wire.peekFrameName(frame) === 'activationShare') share = new Uint8Array(wire.activationShare.decode(wire.parseFrame(frame)).shareP);
      return changing(wire.activationShareReply, (a4) => ({ ...a4, shareV: share }))(frame);
    };
    const phone = device();
    const frames = converse(phone.start(), new ServerBench(), change ?? reflect);
    expect(phone.error).toMatchObject({ code, step: 'F1.4' });
    expect(frames.some((frame) => wire.peekFrameName(frame) === 'activationRequest')).toBe(false);
    expect(phone.record?.phase).toBe('started');
  });

  it('does not take A4 of another run (replay, splice)', () => {
    const server = new ServerBench();
    const [first, second] = [device({ seed: 'one' }).start(), device({ seed: 'two' }).start()];
    first.receive(server.handle(first.take()).frame);
    second.receive(server.handle(second.take()).frame);
    const spliced = server.handle(second.take()).frame;
    first.receive(spliced);
    expect(first.error.code).toBe('ERR_REJECTED_CREDENTIALS');
  });
});

describe('A6', () => {
  /** A device that has sent A5, and its server. */
  function requested(options: DeviceOptions = {}): { readonly phone: DeviceBench; readonly server: ServerBench; readonly a5: Uint8Array } {
    const [phone, server] = [device(options).start(), new ServerBench()];
    phone.receive(server.handle(phone.take()).frame);
    phone.receive(server.handle(phone.take()).frame);
    return { phone, server, a5: phone.take() };
  }

  it('is opened only with the keys of this run', () => {
    const [one, two] = [requested({ seed: 'one' }), requested({ seed: 'two' })];
    one.phone.receive(two.server.handle(two.a5).frame);
    expect(one.phone.error).toMatchObject({ code: 'ERR_CRYPTO_OPEN', step: 'F1.4' });
    expect(one.phone.record?.phase).toBe('started');
  });

  it('is refused when a single bit of it changed', () => {
    for (const at of [40, 60, 200, -40, -1]) {
      const { phone, server, a5 } = requested();
      const frame = server.handle(a5).frame.slice();
      const index = at < 0 ? frame.length + at : at;
      frame[index] = (frame[index] as number) ^ 1;
      phone.receive(frame);
      expect(phone.error.code).toBe('ERR_CRYPTO_OPEN');
    }
  });

  it('is refused when its certificate is not for this key, or does not lead to its roots', () => {
    const { phone, server, a5 } = requested({
      certificates: {
        ...certificates,
        checkIssued: (issued) => certificates.checkIssued({ ...issued, publicKey: crypto.p256PublicKey(new Uint8Array(32).fill(1)) }),
      },
    });
    phone.receive(server.handle(a5).frame);
    expect(phone.error).toMatchObject({ code: 'ERR_CERTIFICATE_CHAIN', step: 'F1.4' });
    expect(phone.configured).toBe(0);
    expect(phone.record?.phase).toBe('started');
  });

  it('is saved before the device is configured', () => {
    const { phone, server, a5 } = requested();
    phone.manual = true;
    phone.receive(server.handle(a5).frame);
    expect(phone.record?.phase).toBe('received');
    expect(phone.requests.map((request) => request.type)).toEqual(['configure']);
    expect(phone.timers.size).toBe(0);
  });
});

describe('configuration and A7 (F1.5)', () => {
  it('reports a configuration that failed, and forgets the activation', () => {
    const phone = device({ outcome: { status: 'failed', message: '' } });
    const frames = converse(phone.start(), new ServerBench());
    const a7 = wire.activationDone.decode(wire.parseFrame(frames.at(-2) as Uint8Array));
    expect(a7).toEqual({ deviceId: 'device-1', status: 'failed', message: 'the configuration failed' });
    expect(phone.ended).toEqual({ output: { status: 'configurationFailed', message: 'the configuration failed' } });
    expect(phone.record).toBeUndefined();
  });

  it('cuts a long reason at a whole character', () => {
    const phone = device({ outcome: { status: 'failed', message: 'é'.repeat(600) } });
    converse(phone.start(), new ServerBench());
    expect(phone.ended).toEqual({ output: { status: 'configurationFailed', message: 'é'.repeat(256) } });
  });

  it.each([
    ['the server does not take it', wire.acknowledgement.encode({ ok: false }), 'ERR_PEER_MISMATCH'],
    ['the device was revoked meanwhile', wire.alert.encode({ code: 'revoked' }), 'ERR_REJECTED_REVOKED'],
    ['another frame comes', wire.idle.encode({ pollIntervalS: 1, pollJitterS: 0, serverTimeEpochS: 1 }), 'ERR_WIRE_TYPE'],
  ])('fails at F1.5 when %s', (_name, answer, code) => {
    const phone = device();
    converse(phone.start(), new ServerBench(), (frame) => (wire.peekFrameName(frame) === 'acknowledgement' ? answer : frame));
    expect(phone.error).toMatchObject({ code, step: 'F1.5' });
    expect(phone.record?.phase).toBe('configured');
  });

  it('waits for the acknowledgement no longer than its limit', () => {
    const phone = confirming();
    expect(phone.timers.get('answer')).toBe(30_000);
    phone.input({ type: 'timer', timer: 'deadline' });
    expect(phone.ended).toBeUndefined();
    phone.input({ type: 'timer', timer: 'answer' });
    expect(phone.error).toMatchObject({ code: 'ERR_PEER_TIMEOUT', step: 'F1.5' });
  });

  it('fails with the error of a configuration that could not even be tried', () => {
    const phone = device();
    const server = new ServerBench();
    phone.start();
    for (let frame = 0; frame < 2; frame++) phone.receive(server.handle(phone.take()).frame);
    phone.manual = true;
    phone.receive(server.handle(phone.take()).frame);
    phone.receive(Uint8Array.of(9)).input({ type: 'closed' }).input({ type: 'timer', timer: 'deadline' }).input({ type: 'timer', timer: 'answer' });
    expect(phone.machine.state).toBe('configuring');
    phone.input({ type: 'failed', error: new ProtocolError('ERR_STORE_WRITE', 'disk full') });
    expect(phone.error).toMatchObject({ code: 'ERR_STORE_WRITE', step: 'F1.5' });
  });

  function confirming(): DeviceBench {
    const [phone, server] = [device().start(), new ServerBench()];
    for (let frame = 0; frame < 3; frame++) phone.receive(server.handle(phone.take()).frame);
    return phone;
  }

  it('goes on with the configuration after a crash, then with A7 alone', () => {
    const [phone, server] = [device().start(), new ServerBench()];
    for (let frame = 0; frame < 2; frame++) phone.receive(server.handle(phone.take()).frame);
    phone.manual = true;
    phone.receive(server.handle(phone.take()).frame);
    phone.manual = false;
    phone.restart();
    expect(phone.configured).toBe(1);
    expect(wire.peekFrameName(phone.sent[0]?.frame as Uint8Array)).toBe('activationDone');
    phone.restart();
    expect(phone.configured).toBe(1);
    converse(phone, server);
    expect(phone.ended).toMatchObject({ output: { status: 'activated' } });
    expect(server.state.devices.size).toBe(1);
  });
});

describe('a refusal of the authenticated device (F1.4)', () => {
  it.each(Object.keys(wire.ACTIVATION_REFUSAL_REASONS) as wire.ActivationRefusalReason[])('tells %s, and keeps nothing but the key', (refusal) => {
    const [phone, server] = [device(), new ServerBench()];
    server.refused = { refusal, message: 'ask the help desk' };
    converse(phone.start(), server);
    expect(phone.error).toMatchObject({ code: 'ERR_REJECTED_ACTIVATION', step: 'F1.4', message: 'ask the help desk', details: { reason: refusal } });
    expect(phone.record?.phase).toBe('started');
    expect([phone.configured, server.state.devices.size]).toEqual([0, 0]);
  });

  it('has words of its own when the server gives none, and the same secret works once the reason is gone', () => {
    const [phone, server] = [device(), new ServerBench()];
    server.refused = { refusal: 'licenceLimit' };
    converse(phone.start(), server);
    expect(phone.error.message).toBe('the server does not activate this device');
    server.refused = undefined;
    converse(phone.restart(), server);
    expect(phone.ended).toMatchObject({ output: { status: 'activated' } });
  });

  it('comes at A7, too, when another device has the last place by then', () => {
    const [phone, server] = [device(), new ServerBench()];
    server.doneAnswer = { ok: false, refusal: 'deviceLimit' };
    converse(phone.start(), server);
    expect(phone.ended).toEqual({ output: { status: 'refused', reason: 'deviceLimit' } });
    expect([phone.record, phone.timers.size]).toEqual([undefined, 0]);
  });
});

describe('slots and activation types', () => {
  it('proves the secret of the slot that it names, and no other', () => {
    const server = new ServerBench().addSecret(USER, 'password', { slot: 2, password: 'paired horse' });
    const [paired, plain] = [device({ secret: passwordSecret('paired horse', USER, 2) }), device({ secret: passwordSecret('paired horse', USER, 0) })];
    converse(plain.start(), server);
    expect(plain.error.code).toBe('ERR_REJECTED_CREDENTIALS');
    converse(paired.start(), server);
    expect(paired.ended).toMatchObject({ output: { status: 'activated' } });
  });

  it('takes the slot of a QR code', () => {
    const server = new ServerBench().addSecret(USER, 'qr', { slot: 1 });
    server.state.secrets.delete(`${USER}/qr`);
    const phone = device({ secret: qrSecretOf({ secretSlot: 1 }) });
    converse(phone.start(), server);
    expect(phone.ended).toMatchObject({ output: { status: 'activated' } });
  });

  it('tells the server, under seal, what the device can take', () => {
    const server = new ServerBench();
    const frames = converse(device({ activationTypes: ['work-space-only'] }).start(), server);
    expect(server.toldTypes).toEqual(['work-space-only']);
    expect(frames.some((frame) => new TextDecoder().decode(frame).includes('work-space-only'))).toBe(false);
  });
});

describe('the notice of the organisation (F1.5)', () => {
  const noticed = (): ServerBench => {
    const server = new ServerBench();
    server.notice = 'This device belongs to Example Ltd.';
    return server;
  };

  it('is shown before anything is configured, and the activation goes on when the user agrees', () => {
    const phone = device();
    converse(phone.start(), noticed());
    expect(phone.notices).toEqual(['This device belongs to Example Ltd.']);
    expect(phone.events.map(({ type }) => type)).toEqual(['requested', 'serverAuthenticated', 'certificateReceived', 'consented', 'configured']);
    expect(phone.ended).toMatchObject({ output: { status: 'activated' } });
  });

  it('ends the activation when the user declines: the server is told, nothing is configured or kept', () => {
    const [phone, server] = [device({ agrees: false }), noticed()];
    const frames = converse(phone.start(), server);
    const done = frames.find((frame) => wire.peekFrameName(frame) === 'activationDone') as Uint8Array;
    expect(wire.activationDone.decode(wire.parseFrame(done))).toEqual({ deviceId: 'device-1', status: 'declined' });
    expect(phone.ended).toEqual({ output: { status: 'declined' } });
    expect([phone.configured, phone.record, phone.store.size, phone.timers.size]).toEqual([0, undefined, 0, 0]);
  });

  it('has all the time that the user takes', () => {
    const phone = device();
    const server = noticed();
    phone.start();
    while (wire.peekFrameName((phone.sent[0] as { frame: Uint8Array }).frame) !== 'activationRequest') phone.receive(server.handle(phone.take()).frame);
    phone.manual = true;
    phone.receive(server.handle(phone.take()).frame);
    expect(phone.machine.state).toBe('consenting');
    expect(phone.timers.size).toBe(0);
    phone.input({ type: 'timer', timer: 'deadline' });
    expect([phone.machine.state, phone.ended]).toEqual(['consenting', undefined]);
    phone.input({ type: 'failed', error: new ProtocolError('ERR_USAGE_STATE', 'nobody can be asked') });
    expect(phone.error).toMatchObject({ code: 'ERR_USAGE_STATE', step: 'F1.5' });
    expect(phone.record?.phase).toBe('received');
  });

  it('is shown again after a crash, and an answer that nothing asked for is dropped', () => {
    const [phone, server] = [device(), noticed()];
    phone.dieBefore = 16;
    converse(phone.start(), server);
    expect(phone.record?.phase).toBe('received');
    converse(phone.restart(), server);
    expect(phone.ended).toMatchObject({ output: { status: 'activated' } });
    expect(phone.notices.length).toBeGreaterThan(0);
    expect(phone.input({ type: 'result', result: { type: 'consented', agreed: false } }).record?.phase).toBe('activated');
  });

  it.each(['unknownDevice', 'revoked'] as const)('takes %s for the answer that was lost, since a server that was told has forgotten the device', (code) => {
    const [phone, server] = [device({ agrees: false }), noticed()];
    phone.start();
    while (wire.peekFrameName((phone.sent[0] as { frame: Uint8Array }).frame) !== 'activationDone') phone.receive(server.handle(phone.take()).frame);
    phone.restart();
    expect(phone.sent).toHaveLength(1);
    phone.receive(wire.alert.encode({ code }));
    expect(phone.ended).toEqual({ output: { status: 'declined' } });
  });

  it('takes no other alert for an answer, and no alert for one when the user agreed', () => {
    for (const [agrees, code, expected] of [
      [false, 'busy', 'ERR_REJECTED_BUSY'],
      [true, 'unknownDevice', 'ERR_REJECTED_UNKNOWN'],
    ] as const) {
      const [phone, server] = [device({ agrees }), noticed()];
      phone.start();
      while (wire.peekFrameName((phone.sent[0] as { frame: Uint8Array }).frame) !== 'activationDone') phone.receive(server.handle(phone.take()).frame);
      phone.receive(wire.alert.encode({ code }));
      expect(phone.error.code).toBe(expected);
    }
  });
});

describe('errors', () => {
  it.each([
    ['authFailed', 'ERR_REJECTED_CREDENTIALS'],
    ['busy', 'ERR_REJECTED_BUSY'],
    ['badMessage', 'ERR_PEER_ALERT'],
    ['internal', 'ERR_PEER_ALERT'],
    ['revoked', 'ERR_PEER_ALERT'],
    ['expired', 'ERR_PEER_ALERT'],
    ['unknownDevice', 'ERR_PEER_ALERT'],
  ] as const)('ends at the alert %s with %s', (code, expected) => {
    const phone = device().start();
    phone.receive(wire.alert.encode({ code }));
    expect(phone.error).toMatchObject({ code: expected, step: 'F1.4' });
    expect(phone.machine.state).toBe('failed');
  });

  it.each([
    ['awaitingParameters', 0],
    ['awaitingShareReply', 1],
    ['awaitingResult', 2],
  ] as const)('in state %s: closed, late, truncated, of another type', (state, answers) => {
    const reach = (): DeviceBench => {
      const [phone, server] = [device().start(), new ServerBench()];
      for (let frame = 0; frame < answers; frame++) phone.receive(server.handle(phone.take()).frame);
      expect(phone.machine.state).toBe(state);
      return phone;
    };
    expect(reach().input({ type: 'closed' }).error).toMatchObject({ code: 'ERR_TRANSPORT_CLOSED', step: 'F1.4' });
    expect(reach().input({ type: 'closed', error: new ProtocolError('ERR_TRANSPORT_TLS', 'wrong CA') }).error).toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
    expect(reach().input({ type: 'timer', timer: 'deadline' }).error).toMatchObject({ code: 'ERR_PEER_TIMEOUT', step: 'F1.4' });
    expect(reach().receive(new Uint8Array(7)).error.code).toBe('ERR_WIRE_TRUNCATED');
    expect(reach().receive(wire.acknowledgement.encode({ ok: true })).error.code).toBe('ERR_WIRE_TYPE');
    expect(reach().input({ type: 'timer', timer: 'answer' }).ended).toBeUndefined();
  });

  it('takes no large answer from a server that has not proved itself', () => {
    const phone = device().start();
    phone.receive(wire.activationResult.encode({ record: new Uint8Array(5_000) }));
    expect(phone.error.code).toBe('ERR_WIRE_LIMIT');
  });

  it.each(['publicKey', 'stretch', 'sign'] as const)('fails when %s fails, at the step where it was asked for', (type) => {
    const [phone, server] = [device(), new ServerBench()];
    phone.manual = true;
    phone.start();
    for (;;) {
      const request = phone.requests.shift();
      if (request === undefined) {
        phone.receive(server.handle(phone.take()).frame);
      } else if (request.type === type) {
        phone.receive(Uint8Array.of(1));
        expect(phone.ended).toBeUndefined();
        phone.input({ type: 'failed', error: new ProtocolError('ERR_STORE_READ', 'no key') });
        break;
      } else {
        phone.input({ type: 'result', result: phone.answer(request) });
      }
    }
    expect(phone.error).toMatchObject({ code: 'ERR_STORE_READ', step: type === 'publicKey' ? 'F1.3' : 'F1.4' });
  });

  it('treats a scalar of zero like a wrong secret', () => {
    const [phone, server] = [device(), new ServerBench()];
    phone.start();
    phone.manual = true;
    phone.receive(server.handle(phone.take()).frame);
    phone.input({ type: 'result', result: { type: 'stretched', bytes: new Uint8Array(80) } });
    expect(phone.error.code).toBe('ERR_REJECTED_CREDENTIALS');
  });

  it('drops results and calls that nothing asked for, and wipes them', () => {
    const phone = device().start();
    const bytes = new Uint8Array(80).fill(7);
    phone.input({ type: 'result', result: { type: 'stretched', bytes } });
    expect(bytes).toEqual(new Uint8Array(80));
    phone.input({ type: 'result', result: { type: 'signed', signature: new Uint8Array(64) } });
    phone.input({ type: 'result', result: { type: 'publicKey', publicKey: phone.publicKey } });
    phone.input({ type: 'result', result: { type: 'configured', outcome: { status: 'completed' }, writes: [] } });
    phone.input({ type: 'call', call: undefined as never });
    expect(phone.machine.state).toBe('awaitingParameters');
  });

  it('does not take a fault of its own for one of the peer', () => {
    const [phone, server] = [
      device({
        certificates: {
          ...certificates,
          requestInfo: () => {
            throw new TypeError('bug');
          },
        },
      }),
      new ServerBench(),
    ];
    phone.start();
    phone.receive(server.handle(phone.take()).frame);
    const a4 = server.handle(phone.take()).frame;
    expect(() => phone.receive(a4)).toThrow(TypeError);
  });

  it('leaves no key material behind when it fails', () => {
    const [phone, server] = [device(), new ServerBench()];
    phone.start();
    phone.manual = true;
    phone.receive(server.handle(phone.take()).frame);
    const [request] = phone.requests;
    if (request?.type !== 'stretch') throw new Error('no stretch');
    expect(request.stretch.password.some((byte) => byte !== 0)).toBe(true);
    phone.input({ type: 'timer', timer: 'deadline' });
    expect(request.stretch.password.every((byte) => byte === 0)).toBe(true);
  });

  it.each([
    ['is activated already', { phase: 'activated' as const }, passwordSecret()],
    ['has no secret', {}, undefined],
    ['has the secret of another user', {}, passwordSecret(PASSWORD, 'bob@example.com')],
  ])('refuses to begin when the device %s', (_name, record, secret) => {
    const options = { crypto, entropy: seededEntropy('x'), certificates, deviceInfo: { platform: 'p', osVersion: '1', model: 'm', clientVersion: '1' } };
    const begin = (): unknown => activationInitiator({ ...options, secret, record: { phase: 'started', userId: USER, keyId: 'k', ...record } });
    expect(begin).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
  });
});

it('takes every row of the table of the device', () => {
  expect(recorder.missing(ACTIVATION_INITIATOR_TRANSITIONS)).toEqual([]);
  expect(CORE_ID).not.toBe('');
});
