import { afterAll, describe, expect, it } from 'vitest';
import {
  clientOfCertificates,
  KEY_HAND_OVER_INITIATOR_TRANSITIONS,
  KEY_HAND_OVER_RESPONDER_TRANSITIONS,
  type KeyHandOverRequest,
  keyHandOverInitiator,
  keyHandOverResponder,
  ProtocolError,
  transitionRecorder,
  x509,
} from '../../../src/index.ts';
import * as wire from '../../../src/wire/index.ts';
import {
  ACCESS_KEY,
  APP_ID,
  AskingSide,
  CHANNELS,
  type ChannelName,
  certificateOf,
  converse,
  crypto,
  DEVICE_ID,
  HandingSide,
  IDENTITY_KEY,
  INSTANCE_ID,
  initiatorOptions,
  KEY_ID,
  lyingApp,
  lyingClient,
  NOW_MS,
  PEERS,
  pair,
  responderOptions,
  responseTo,
  USER,
} from './key-hand-over-bench.ts';

const recorder = transitionRecorder();
const onTransition = recorder.listener;
afterAll(() => expect([recorder.missing(KEY_HAND_OVER_INITIATOR_TRANSITIONS), recorder.missing(KEY_HAND_OVER_RESPONDER_TRANSITIONS)]).toEqual([[], []]));

const name = (frame: Uint8Array): string => wire.peekFrameName(frame) ?? 'record';
const authFailed = wire.alert.encode({ code: 'authFailed' });
const damaged = (frame: Uint8Array): Uint8Array => frame.map((byte, at) => (at === frame.length - 1 ? byte ^ 1 : byte));

/** Both sides after `count` frames. */
function after(channel: ChannelName, count: number, prepare?: (sides: ReturnType<typeof pair>) => void): ReturnType<typeof pair> {
  const sides = pair(channel, { onTransition });
  prepare?.(sides);
  converse(sides, count);
  return sides;
}

const said = (error: ProtocolError): readonly (string | undefined)[] => [error.code, error.step];

describe.each(CHANNELS)('an access key is handed over in %s (F3.3, F3.6)', (channel) => {
  it('to the app that asked for it, which begins its activation with it', () => {
    const sides = pair(channel, { onTransition });
    const { app, client } = sides;
    const frames = converse(sides);
    expect(frames.map(name)).toEqual(['handshakeStart', 'handshakeReply', 'handshakeFinish', 'record', 'record']);
    const device = { deviceId: DEVICE_ID, deviceKeyHash: crypto.sha256(x509.publicKeyInfo(IDENTITY_KEY)) };
    expect(app.output).toMatchObject({ keyId: KEY_ID, expiryEpochS: NOW_MS / 1000 + 600 });
    expect(app.record).toMatchObject({
      phase: 'started',
      userId: USER,
      appId: APP_ID,
      instanceId: INSTANCE_ID,
      key: { kind: 'assisted', accessKey: ACCESS_KEY },
    });
    expect(app.record?.device).toEqual(channel === 'ipc' ? device : undefined);
    expect(app.output?.record).toEqual(app.record);
    expect(client.output).toEqual({ app: { platformId: PEERS.initiatorPlatformId, appId: APP_ID, instanceId: INSTANCE_ID }, keyId: KEY_ID });
    expect([app.timers.size, client.timers.size, client.grants]).toEqual([0, 0, 1]);
    expect(app.effects.slice(-2).map(({ type }) => type)).toEqual(['persist', 'done']);
    expect(frames.map((frame) => Buffer.from(frame).toString('latin1')).join()).not.toContain(ACCESS_KEY);
  });

  it('each message with its flow step', () => {
    const { app, client } = after(channel, 9);
    const steps = (side: AskingSide | HandingSide): readonly string[] => side.effects.flatMap((effect) => ('step' in effect ? [effect.step] : []));
    const hello = channel === 'ipc' ? 'F3.3' : 'F3.4';
    expect(steps(app)).toEqual([hello, hello, 'F3.3']);
    expect(steps(client)).toEqual(channel === 'ipc' ? ['F3.3', 'F3.3', 'F3.3', 'F3.4', 'F3.6'] : ['F3.3', 'F3.4', 'F3.4', 'F3.6']);
  });

  it('with another nonce each time', () => {
    const nonces = [after(channel, 9), pair(channel, { seed: 'other' })].map((sides) => {
      converse(sides);
      return sides.app.record?.key;
    });
    expect(nonces[0]).not.toEqual(nonces[1]);
  });

  it('to nobody whom the owner does not admit, and who then sees no certificate', () => {
    const { app, client } = after(channel, 9, (sides) => {
      sides.client.admits = false;
    });
    expect(client.effects.flatMap((effect) => (effect.type === 'send' ? [effect.frame] : []))).toEqual([authFailed]);
    expect(client.failure?.code).toBe('ERR_CRYPTO_KEY_CONFIRMATION');
    expect(app.error.code).toBe('ERR_PEER_ALERT');
    expect(client.grants).toBe(0);
  });

  it('to nobody who shows another platform id than the operating system reports', () => {
    const app = new AskingSide({ ...initiatorOptions(channel, { onTransition }), peers: { ...PEERS, initiatorPlatformId: 'android:other:00' } }).start();
    const client = new HandingSide(responderOptions(channel, { onTransition }));
    converse({ app, client });
    expect([app.error.code, client.error.code, client.grants]).toEqual(['ERR_CRYPTO_KEY_CONFIRMATION', 'ERR_PEER_ALERT', 0]);
  });

  it.each([
    ['refuses', new ProtocolError('ERR_REJECTED_UNKNOWN', 'not assigned'), 'ERR_PEER_ALERT', 'F3.6'],
    ['is busy', new ProtocolError('ERR_REJECTED_BUSY', 'full'), 'ERR_REJECTED_BUSY', 'F3.6'],
    ['is not asked, as the user says no', new ProtocolError('ERR_REJECTED_CONSENT', 'no'), 'ERR_REJECTED_CONSENT', 'F3.6'],
  ])('only when UEM gives one: it %s', (_what, error, code, step) => {
    const { app, client } = after(channel, 9, (sides) => {
      sides.client.refusal = error;
    });
    expect(said(app.error)).toEqual([code, step]);
    expect(said(client.error)).toEqual([error.code, 'F3.6']);
    expect([app.record, app.store.size]).toEqual([undefined, 0]);
  });

  it('and before the channel stands nobody is believed to speak for the user', () => {
    const { app } = pair(channel, { onTransition });
    app.receive(wire.alert.encode({ code: 'declined' }));
    expect([app.error.code, app.error.details['alert']]).toEqual(['ERR_PEER_ALERT', 'declined']);
    const { client } = after(channel, 1, (sides) => {
      sides.client.manual = true;
    });
    client.input({ type: 'failed', error: new ProtocolError('ERR_REJECTED_CONSENT', 'no') });
    expect(client.take()).toEqual(authFailed);
  });

  it('or not, when the owner cannot say who asks', () => {
    const { client } = after(channel, 1, (sides) => {
      sides.client.manual = true;
    });
    client.input({ type: 'failed', error: new ProtocolError('ERR_REJECTED_BUSY', 'full') });
    expect(client.take()).toEqual(wire.alert.encode({ code: 'busy' }));
    expect(client.error.code).toBe('ERR_REJECTED_BUSY');
  });
});

describe.each(CHANNELS)('the handing side in %s refuses', (channel) => {
  it.each([
    ['another app than M1 named', { appId: 'com.example.other' }],
    ['another instance than M1 named', { instanceId: new Uint8Array(16) }],
  ])('a 0x50 for %s', (_what, change) => {
    const client = new HandingSide(responderOptions(channel, { onTransition }));
    const app = lyingApp(channel, client);
    client.receive(app.record(wire.accessKeyRequest.encode({ appId: APP_ID, instanceId: INSTANCE_ID, nonce: new Uint8Array(32), ...change })));
    expect(said(client.error)).toEqual(['ERR_PEER_MISMATCH', 'F3.3']);
    expect(app.opens(client.take())).toEqual(authFailed);
    expect(client.grants).toBe(0);
  });

  it('what is no 0x50', () => {
    const client = new HandingSide(responderOptions(channel, { onTransition }));
    const app = lyingApp(channel, client);
    client.receive(app.record(wire.pushAck.encode({ wakeUpId: new Uint8Array(16) })));
    expect(client.error.code).toBe('ERR_WIRE_TYPE');
    expect(app.opens(client.take())).toEqual(wire.alert.encode({ code: 'badMessage' }));
  });

  it('nobody who gives up: it ends without a word', () => {
    const client = new HandingSide(responderOptions(channel, { onTransition }));
    const app = lyingApp(channel, client);
    client.receive(app.record(authFailed));
    expect(said(client.error)).toEqual(['ERR_PEER_ALERT', 'F3.3']);
    expect(client.sent).toEqual([]);
  });

  it('a record that was changed on the way', () => {
    const sides = after(channel, 3);
    sides.client.receive(damaged(sides.app.take()));
    expect(said(sides.client.error)).toEqual(['ERR_CRYPTO_OPEN', 'F3.3']);
  });

  it('an answer of UEM to another request', () => {
    const { app, client } = after(channel, 9, (sides) => {
      sides.client.answer = { nonce: new Uint8Array(32) };
    });
    expect(said(client.error)).toEqual(['ERR_PEER_MISMATCH', 'F3.6']);
    expect(app.error.code).toBe('ERR_PEER_ALERT');
  });

  it('a wrong mac3, M1 of another handshake, and a run without time', () => {
    const first = after(channel, 2);
    first.client.receive(damaged(first.app.take()));
    expect(first.client.error.code).toBe('ERR_CRYPTO_KEY_CONFIRMATION');
    const second = new HandingSide(responderOptions(channel, { onTransition }));
    second.receive(new AskingSide(initiatorOptions(channel === 'ipc' ? 'ipcd' : 'ipc')).start().take());
    expect(said(second.error)).toEqual(['ERR_WIRE_FIELD', channel === 'ipc' ? 'F3.3' : 'F3.4']);
  });

  it('to seal anything when the key of the session is too old', () => {
    const late = after(channel, 1, (sides) => {
      sides.client.manual = true;
    });
    while (late.client.machine.state !== 'granting') {
      if (late.client.requests.length > 0) late.client.answerRequest();
      else converse(late);
    }
    late.client.nowMs += 86_400_000;
    late.client.answerRequest();
    expect(said(late.client.error)).toEqual(['ERR_CRYPTO_EXHAUSTED', 'F3.6']);
    expect(late.client.sent).toEqual([]);
  });
});

describe.each(CHANNELS)('the app in %s refuses', (channel) => {
  it.each([
    ['the answer to another nonce', { nonce: new Uint8Array(32) }, 'ERR_PEER_MISMATCH'],
    ['a key in another form', { accessKey: '0123456789abcde' }, 'ERR_WIRE_FIELD'],
    ['a user id in another form', { userId: 'Alice@example.com' }, 'ERR_WIRE_FIELD'],
    ['a key that is out of date', { expiryEpochS: NOW_MS / 1000 }, 'ERR_REJECTED_EXPIRED'],
  ])('%s', (_what, change, code) => {
    const { app } = pair(channel, { onTransition });
    const { liar, nonce } = lyingClient(channel, app);
    app.receive(liar.record(wire.accessKeyResponse.encode({ ...responseTo(nonce), ...change })));
    expect(said(app.error)).toEqual([code, 'F3.6']);
    expect(app.store.size).toBe(0);
  });
});

describe('a side that waits', () => {
  it('ends when its time is over', () => {
    for (const channel of CHANNELS) {
      const { app, client } = after(channel, 2);
      expect([...app.timers, ...client.timers]).toEqual([
        ['deadline', 120_000],
        ['deadline', 120_000],
      ]);
      app.input({ type: 'timer', timer: 'deadline' });
      client.input({ type: 'timer', timer: 'deadline' });
      expect([said(app.error), said(client.error)]).toEqual([
        ['ERR_PEER_TIMEOUT', 'F3.6'],
        ['ERR_PEER_TIMEOUT', 'F3.3'],
      ]);
      expect([app.timers.size, client.timers.size]).toEqual([0, 0]);
    }
  });

  it('has the time that its owner gives', () => {
    const app = keyHandOverInitiator({ ...initiatorOptions('ipcd'), limits: { runMs: 5 } });
    const [armed, sent] = app.handle({ type: 'start' }, NOW_MS);
    expect(armed).toEqual({ type: 'arm-timer', timer: 'deadline', afterMs: 5 });
    const client = keyHandOverResponder({ ...responderOptions('ipcd'), limits: { runMs: 6 } });
    const frame = sent?.type === 'send' ? sent.frame : new Uint8Array(0);
    expect(client.handle({ type: 'received', frame }, NOW_MS)[0]).toEqual({ type: 'arm-timer', timer: 'deadline', afterMs: 6 });
  });

  it('ends with the channel, in each state', () => {
    const broken = new ProtocolError('ERR_TRANSPORT_TLS', 'broken');
    for (const count of [0, 1, 2, 3, 4]) {
      const { app, client } = after('ipc', count, (sides) => {
        sides.client.manual = count === 1 || count === 4;
      });
      while (count === 4 && client.requests[0]?.type !== 'grant') {
        if (client.requests.length > 0) client.answerRequest();
        else converse({ app, client });
      }
      app.input({ type: 'closed' });
      client.input({ type: 'closed', error: broken });
      expect([app.error.code, client.error.code]).toEqual(['ERR_TRANSPORT_CLOSED', 'ERR_TRANSPORT_TLS']);
    }
    const early = new AskingSide(initiatorOptions('ipc', { onTransition })).input({ type: 'closed', error: broken });
    expect(said(early.error)).toEqual(['ERR_TRANSPORT_TLS', 'F3.3']);
    const client = new HandingSide(responderOptions('ipc', { onTransition })).input({ type: 'closed' });
    expect(said(client.error)).toEqual(['ERR_TRANSPORT_CLOSED', 'F3.3']);
  });

  it('ends when the device key does not sign', () => {
    const { client } = after('ipc', 1, (sides) => {
      sides.client.manual = true;
    });
    client.answerRequest();
    expect(client.requests.map(({ type }) => type)).toEqual(['sign']);
    client.input({ type: 'failed', error: new ProtocolError('ERR_STORE_READ', 'no key') });
    expect(client.take()).toEqual(wire.alert.encode({ code: 'internal' }));
  });

  it('answers the same M1 with the same M2, once there is one', () => {
    const { app, client } = pair('ipc', { onTransition });
    client.manual = true;
    const start = app.take();
    client.receive(start).receive(start);
    expect([client.sent, client.machine.state]).toEqual([[], 'admitting']);
    client.answerRequest().receive(start).answerRequest();
    const reply = client.take();
    client.receive(start);
    expect(client.take()).toEqual(reply);
    expect(client.requests).toEqual([]);
  });

  it('drops what nothing asked for', () => {
    const asked: KeyHandOverRequest[] = [];
    const { app, client } = after('ipcd', 9, (sides) => {
      sides.client.manual = true;
    });
    client.answerRequest();
    converse({ app, client });
    asked.push(...client.requests);
    expect(asked.map(({ type }) => type)).toEqual(['grant']);
    const state = client.machine.state;
    client
      .receive(new Uint8Array(94))
      .input({ type: 'start' })
      .input({ type: 'result', result: { type: 'admitted', admitted: true } });
    client.input({ type: 'result', result: { type: 'signed', signature: new Uint8Array(64) } });
    expect([client.machine.state, client.sent]).toEqual([state, []]);
    app.input({ type: 'call' } as never);
    expect(app.machine.state).toBe('awaitingKey');
    const unstarted = new AskingSide(initiatorOptions('ipcd')).receive(new Uint8Array(94));
    expect(unstarted.machine.state).toBe('new');
    const early = new HandingSide(responderOptions('ipcd')).input({ type: 'result', result: { type: 'granted', response: responseTo(new Uint8Array(32)) } });
    expect(early.machine.state).toBe('new');
  });

  it('changes nothing after its end', () => {
    const { app, client } = after('ipc', 9);
    const counts = [app.effects.length, client.effects.length];
    app.input({ type: 'closed' });
    client.input({ type: 'closed' });
    expect([app.effects.length, client.effects.length]).toEqual(counts);
    expect([app.machine.state, client.machine.state]).toEqual(['finished', 'finished']);
    const failed = after('ipc', 2);
    failed.app.input({ type: 'closed' }).start();
    failed.client.input({ type: 'closed' }).receive(failed.app.sent[0]?.frame ?? new Uint8Array(0));
    expect([failed.app.machine.state, failed.client.machine.state]).toEqual(['failed', 'failed']);
  });

  it('throws what is no error of the protocol', () => {
    const broken = {
      ...crypto,
      p256Ecdh: () => {
        throw new TypeError('a fault of ours');
      },
    };
    const app = new AskingSide(initiatorOptions('ipcd', { crypto: broken })).start();
    const client = new HandingSide(responderOptions('ipcd'));
    client.receive(app.take());
    expect(() => app.receive(client.take())).toThrow(TypeError);
    const other = new HandingSide(responderOptions('ipcd', { crypto: broken }));
    expect(() => other.receive(new AskingSide(initiatorOptions('ipcd')).start().take())).toThrow(TypeError);
  });
});

describe('the device of a UEM Client', () => {
  it('is in its certificate', () => {
    const device = { deviceId: DEVICE_ID, deviceKeyHash: crypto.sha256(x509.publicKeyInfo(IDENTITY_KEY)) };
    expect(clientOfCertificates(crypto, [certificateOf(), new Uint8Array(1)])).toEqual({ publicKey: IDENTITY_KEY, device });
  });

  it.each([
    ['no certificate', [], 'ERR_CERTIFICATE_CHAIN'],
    ['one that names no device', [certificateOf([])], 'ERR_CERTIFICATE_CHAIN'],
    ['one that is none', [new Uint8Array([1, 2])], 'ERR_CERTIFICATE_FORMAT'],
  ])('is not in %s', (_what, certificates, code) => {
    expect(() => clientOfCertificates(crypto, certificates)).toThrow(expect.objectContaining({ code }));
  });
});
