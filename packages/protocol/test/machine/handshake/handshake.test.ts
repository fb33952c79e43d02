import { describe, expect, it } from 'vitest';
import {
  concatBytes,
  HANDSHAKE_INITIATOR_TRANSITIONS,
  HANDSHAKE_RESPONDER_TRANSITIONS,
  type HandshakeSession,
  handshakeInitiator,
  handshakeResponder,
  ProtocolError,
  transitionRecorder,
} from '../../../src/index.ts';
import { createHandshakeSchedule, HANDSHAKES, prologueParts, randomScalar } from '../../../src/key-schedule/index.ts';
import { createCbcOpener } from '../../../src/record/index.ts';
import { seededEntropy } from '../../../src/testing/index.ts';
import * as wire from '../../../src/wire/index.ts';
import {
  answer,
  BINDINGS,
  crypto,
  FINISH_CONTENT,
  initiatorOptions,
  NAMES,
  NOW_MS,
  pair,
  peerOf,
  psk,
  responderOptions,
  Side,
  shake,
} from './handshake-bench.ts';

const recorder = transitionRecorder();
const onTransition = recorder.listener;
const withPsk = NAMES.filter((name) => HANDSHAKES[name].psk);
const withStatic = NAMES.filter((name) => HANDSHAKES[name].staticKey);

function alertOf(side: Side): wire.AlertCode {
  return wire.alert.decode(wire.parseFrame(side.take())).code;
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  const index = at < 0 ? bytes.length + at : at;
  copy[index] = (copy[index] as number) ^ 1;
  return copy;
}

/** The message of a frame encoded again with other fields, its trailer as it was. */
function changed<T extends object>(codec: wire.MessageCodec<T>, frame: Uint8Array, trailerBytes: number, change: Partial<T>): Uint8Array {
  const parsed = wire.parseFrame(frame, { trailerBytes });
  return concatBytes(codec.encode({ ...codec.decode(parsed), ...change }), parsed.trailer);
}

/** A message goes from one end to the other over the records of a session. */
function carry(from: HandshakeSession, to: HandshakeSession, text: Uint8Array): Uint8Array | undefined {
  if (from.records.kind === 'cbc' && to.records.kind === 'cbc') return to.records.opener.open(from.records.sealer.seal(text, NOW_MS), NOW_MS);
  if (from.records.kind !== 'gcm' || to.records.kind !== 'gcm') return undefined;
  const opened = to.records.opener.open(from.records.sealer.sealData(text, NOW_MS), NOW_MS);
  return opened.type === 'data' ? opened.plaintext : undefined;
}

describe.each(NAMES)('handshake %s', (name) => {
  const { trailerBytes } = HANDSHAKES[name];

  it('ends with the same session on both sides, and records both ways', () => {
    const sides = pair(name, { onTransition });
    const { app, server } = shake(sides);
    expect(app.sessionId).toEqual(server.sessionId);
    expect(app.exporter).toEqual(server.exporter);
    expect(app.start).toEqual(server.start);
    expect(app.records.kind).toBe(HANDSHAKES[name].records);
    expect(server.finishContent).toEqual(name === 'sc' ? FINISH_CONTENT : undefined);
    expect(app.certificates?.length).toBe(name === 'ipc' ? 1 : undefined);
    const text = Uint8Array.of(1, 2, 3);
    const expected = app.records.kind === 'none' ? undefined : text;
    expect(carry(app, server, text)).toEqual(expected);
    expect(carry(server, app, text)).toEqual(expected);
    expect([sides.app.machine.state, sides.server.machine.state]).toEqual(['established', 'established']);
    expect([sides.app.timers.size, sides.server.timers.size]).toEqual([0, 0]);
    app.wipe();
    expect(app.exporter.every((byte) => byte === 0)).toBe(true);
    if (name !== 'link' && name !== 'dc') expect(() => carry(app, server, text)).toThrow();
    expect(sides.app.receive(Uint8Array.of(1)).start().sent).toHaveLength(0);
    expect(sides.server.receive(Uint8Array.of(1)).sent).toHaveLength(0);
  });

  it('gives keys only after the confirmation of the other side', () => {
    const { app, server } = pair(name);
    expect(app.session).toBeUndefined();
    server.receive(app.take());
    expect(server.session).toBeUndefined();
    app.receive(server.take());
    expect(app.session).toBeDefined();
    expect(server.session).toBeUndefined();
    server.receive(app.take());
    expect(server.session).toBeDefined();
  });

  it('names a flow step on every frame', () => {
    const { app, server } = pair(name);
    expect(app.sent[0]?.step).toMatch(/^(F\d+|S)\.\d+$/);
    server.receive(app.take());
    expect(server.sent[0]?.step).toMatch(/^(F\d+|S)\.\d+$/);
  });

  it('fails closed at any changed byte of M1 (downgrade, splice)', () => {
    const length = pair(name).app.take().length;
    for (let at = 0; at < length; at += 3) {
      const { app, server } = pair(name);
      server.receive(flipped(app.take(), at));
      // Without a psk only mac2 shows that M1 was changed.
      if (server.failure === undefined) app.receive(server.take());
      expect(server.failure ?? app.failure).toBeInstanceOf(ProtocolError);
      expect([server.session, app.session]).toEqual([undefined, undefined]);
    }
  });

  it('fails closed at any changed byte of M2', () => {
    const probe = pair(name);
    const length = probe.server.receive(probe.app.take()).take().length;
    for (let at = 0; at < length; at += 5) {
      const { app, server } = pair(name);
      app.receive(flipped(server.receive(app.take()).take(), at));
      expect(app.failure).toBeInstanceOf(ProtocolError);
      expect(app.session).toBeUndefined();
    }
  });

  it('fails closed at any changed byte of M3', () => {
    const length = 8 + 32;
    for (let at = 0; at < length; at += 2) {
      const { app, server } = pair(name);
      app.receive(server.receive(app.take()).take());
      server.receive(flipped(app.take(), at));
      expect(server.failure).toBeInstanceOf(ProtocolError);
      expect(server.session).toBeUndefined();
    }
  });

  it('refuses truncated frames', () => {
    const first = pair(name);
    expect(first.server.receive(first.app.take().subarray(0, -1)).error.code).toMatch(/ERR_WIRE_(TRUNCATED|TRAILING)/);
    expect(alertOf(first.server)).toBe('badMessage');
    const second = pair(name);
    second.app.receive(second.server.receive(second.app.take()).take().subarray(0, -1));
    expect(second.app.error.code).toBe('ERR_WIRE_TRUNCATED');
    expect(alertOf(second.app)).toBe('badMessage');
    const third = pair(name);
    third.app.receive(third.server.receive(third.app.take()).take());
    expect(third.server.receive(third.app.take().subarray(0, -1)).error.code).toBe('ERR_WIRE_TRUNCATED');
  });

  it('does not take frames of another session (replay, splice)', () => {
    const one = pair(name, { seed: '1' });
    const two = pair(name, { seed: '2' });
    const [m1, other1] = [one.app.take(), two.app.take()];
    const [m2, other2] = [one.server.receive(m1).take(), two.server.receive(other1).take()];
    const spliced = pair(name, { seed: '1' });
    expect(spliced.app.receive(other2).error.kind).toBe('crypto');
    spliced.app.take();
    expect(alertOf(spliced.app)).toBe('authFailed');
    one.app.receive(m2);
    two.app.receive(other2);
    const [, other3] = [one.app.take(), two.app.take()];
    expect(one.server.receive(other3).error.code).toBe('ERR_CRYPTO_KEY_CONFIRMATION');
  });

  it('does not accept its own frames sent back (reflection)', () => {
    const { app, server } = pair(name);
    const m1 = app.take();
    app.receive(m1);
    expect(app.error.kind).toBe('wire');
    server.receive(m1);
    const m2 = server.take();
    server.receive(m2);
    expect(server.error.kind).toBe('wire');
  });

  it('gives the same M1 the same M2, and no other M1 anything', () => {
    const { app, server } = pair(name, { onTransition });
    const m1 = app.take();
    const m2 = server.receive(m1).take();
    expect(server.receive(m1.slice()).take()).toEqual(m2);
    const other = pair(name, { seed: 'other' }).app.take();
    expect(server.receive(other).error.kind).toBe('wire');
    expect(alertOf(server)).toBe('badMessage');
  });

  it('refuses versions and suites that it does not know or did not offer', () => {
    const versions = pair(name);
    versions.server.receive(changed(wire.handshakeStart, versions.app.take(), trailerBytes.start, { versions: [2] }));
    expect(versions.server.error.code).toBe('ERR_WIRE_VERSION');
    const suites = pair(name);
    suites.server.receive(changed(wire.handshakeStart, suites.app.take(), trailerBytes.start, { suites: [2, 3] }));
    expect(suites.server.error.code).toBe('ERR_WIRE_VERSION');
    expect(alertOf(suites.server)).toBe('badMessage');
    for (const change of [{ version: 2 }, { suite: 2 }]) {
      const { app, server } = pair(name);
      app.receive(changed(wire.handshakeReply, server.receive(app.take()).take(), trailerBytes.reply, change));
      expect(app.error.code).toBe('ERR_PEER_MISMATCH');
      expect(alertOf(app)).toBe('authFailed');
    }
  });

  it('has exactly the fields of its instance', () => {
    const all = { pskId: new Uint8Array(16), userId: 'u', appId: 'a', instanceId: new Uint8Array(16) };
    for (const field of ['pskId', 'userId', 'appId', 'instanceId'] as const) {
      const { app, server } = pair(name);
      const present = HANDSHAKES[name].startFields.includes(field);
      server.receive(changed(wire.handshakeStart, app.take(), trailerBytes.start, { [field]: present ? undefined : all[field] }));
      expect(server.error.code).toBe('ERR_WIRE_FIELD');
      expect(server.requests).toHaveLength(0);
    }
    const reply = pair(name);
    const certificates = HANDSHAKES[name].signature ? undefined : [Uint8Array.of(1)];
    reply.app.receive(changed(wire.handshakeReply, reply.server.receive(reply.app.take()).take(), trailerBytes.reply, { certificates }));
    expect(reply.app.error.code).toBe('ERR_WIRE_FIELD');
    const finish = pair(name);
    finish.app.receive(finish.server.receive(finish.app.take()).take());
    const record = HANDSHAKES[name].recordInFinish ? undefined : Uint8Array.of(1);
    finish.server.receive(changed(wire.handshakeFinish, finish.app.take(), trailerBytes.finish, { record }));
    expect(finish.server.error.code).toBe('ERR_WIRE_FIELD');
  });

  it('is not taken for another instance', () => {
    const { app, server } = pair(name);
    const other = NAMES.find((candidate) => candidate !== name) as wire.HandshakeName;
    server.receive(changed(wire.handshakeStart, app.take(), trailerBytes.start, { instance: other }));
    expect(server.error.code).toBe('ERR_WIRE_FIELD');
  });

  it('refuses an initiator that nobody knows, like one with a wrong key', () => {
    const { app, server } = pair(name, { peer: undefined });
    server.receive(app.take());
    expect(server.error.code).toBe('ERR_CRYPTO_KEY_CONFIRMATION');
    expect(server.events).toEqual([{ type: 'proofFailed', message: 'M1' }]);
    const frame = server.take();
    expect(wire.alert.decode(wire.parseFrame(frame)).code).toBe('authFailed');
    if (!HANDSHAKES[name].psk) return;
    const wrong = pair(name, { initiator: { psk: psk(8) } });
    wrong.server.receive(wrong.app.take());
    expect(wrong.server.error.code).toBe('ERR_CRYPTO_KEY_CONFIRMATION');
    expect(wrong.server.take()).toEqual(frame);
  });

  it('ends at an alert, and sends none back', () => {
    const toApp = pair(name);
    toApp.app.receive(wire.alert.encode({ code: 'authFailed' }));
    expect(toApp.app.error).toMatchObject({ code: 'ERR_PEER_ALERT', details: { alert: 'authFailed' } });
    expect(toApp.app.sent).toHaveLength(1);
    const busy = pair(name);
    expect(busy.app.receive(wire.alert.encode({ code: 'busy' })).error.code).toBe('ERR_REJECTED_BUSY');
    const toServer = pair(name);
    expect(toServer.server.receive(wire.alert.encode({ code: 'internal' })).error.code).toBe('ERR_PEER_ALERT');
    const later = pair(name);
    later.server.receive(later.app.take());
    expect(later.server.receive(wire.alert.encode({ code: 'internal' })).error.code).toBe('ERR_PEER_ALERT');
    expect(later.server.sent).toHaveLength(1);
  });

  it('takes 30 seconds and no more, and ends when the connection does', () => {
    const sides = pair(name);
    expect(sides.app.timers.get('deadline')).toBe(30_000);
    expect(sides.app.input({ type: 'timer', timer: 'deadline' }).error.code).toBe('ERR_PEER_TIMEOUT');
    sides.server.receive(sides.app.take());
    expect(sides.server.timers.get('deadline')).toBe(30_000);
    expect(sides.server.input({ type: 'timer', timer: 'deadline' }).error.code).toBe('ERR_PEER_TIMEOUT');
    const closed = pair(name);
    closed.server.receive(closed.app.take());
    expect(closed.app.input({ type: 'closed' }).error.code).toBe('ERR_TRANSPORT_CLOSED');
    expect(closed.server.input({ type: 'closed' }).error.code).toBe('ERR_TRANSPORT_CLOSED');
    const tls = new ProtocolError('ERR_TRANSPORT_TLS', 'x');
    const broken = pair(name);
    expect(broken.app.input({ type: 'closed', error: tls }).error.code).toBe('ERR_TRANSPORT_TLS');
    expect(broken.server.input({ type: 'closed', error: tls }).error.code).toBe('ERR_TRANSPORT_TLS');
  });
});

describe('keys', () => {
  it.each(withPsk)('%s: nothing is answered before the binder is right', (name) => {
    const { app, server } = pair(name, { initiator: { psk: psk(1) } });
    server.receive(app.take());
    expect(server.effects.filter((effect) => effect.type === 'send')).toHaveLength(1);
    expect(alertOf(server)).toBe('authFailed');
  });

  it.each(withStatic)('%s: who knows the psk alone cannot pose as the responder', (name) => {
    const { app, server } = pair(name, { peer: { ...peerOf(name), staticScalar: new Uint8Array(32).fill(0x22) as never } });
    server.receive(app.take());
    expect(app.receive(server.take()).error.code).toBe('ERR_CRYPTO_KEY_CONFIRMATION');
  });

  it.each(NAMES)('%s: the same ephemeral key on both sides is refused', (name) => {
    const { app, server } = pair(name, { initiator: { entropy: seededEntropy('same') }, responder: { entropy: seededEntropy('same') } });
    server.receive(app.take());
    expect(server.error.code).toBe('ERR_CRYPTO_PUBLIC_KEY');
    expect(alertOf(server)).toBe('authFailed');
  });

  it('ipc: the app refuses another certificate, and another signer', () => {
    const chain = pair('ipc', { responder: { certificates: [Uint8Array.of(1)] } });
    expect(chain.app.receive(chain.server.receive(chain.app.take()).take()).error.code).toBe('ERR_CERTIFICATE_CHAIN');
    const signer = pair('ipc', { initiator: { identifyResponder: () => crypto.p256PublicKey(new Uint8Array(32).fill(9)) } });
    expect(signer.app.receive(signer.server.receive(signer.app.take()).take()).error.code).toBe('ERR_CRYPTO_SIGNATURE');
  });

  it('sc: the record in M3 is opened after mac3, and has number 0', () => {
    const sides = pair('sc');
    const { app, server } = shake(sides);
    if (app.records.kind !== 'cbc' || server.records.kind !== 'cbc') throw new Error('no records');
    expect([app.records.sealer.sequence, server.records.opener.sequence]).toEqual([1, 1]);
    expect([app.records.opener.sequence, server.records.sealer.sequence]).toEqual([0, 0]);
  });

  it('sc: a record that does not open ends the run and wipes its keys', () => {
    // An initiator that has the keys, but seals its record under others.
    const instance = HANDSHAKES.sc;
    const scalar = randomScalar<'ephemeral-scalar'>(seededEntropy('liar'));
    const own = crypto.p256PublicKey(scalar);
    const schedule = createHandshakeSchedule(crypto, 'sc', prologueParts('sc', BINDINGS.sc.prologue), { role: 'initiator', psk: psk() });
    const { start } = initiatorOptions('sc');
    const m1 = schedule.sealStart(
      wire.handshakeStart.encode({ ...start, versions: [1], suites: [1], ephemeralKey: own, random: new Uint8Array(32), instance: 'sc' }),
    );
    const server = new Side(handshakeResponder(responderOptions('sc')), peerOf('sc')).receive(m1);
    const m2 = wire.parseFrame(server.take(), { trailerBytes: instance.trailerBytes.reply });
    const reply = wire.handshakeReply.decode(m2);
    schedule.agree({ scalar, own, peer: reply.ephemeralKey });
    schedule.openReply(m2.core, m2.trailer);
    server.receive(schedule.sealFinish(wire.handshakeFinish.encode({ record: new Uint8Array(94), sessionId: reply.sessionId })));
    expect(server.error.code).toBe('ERR_CRYPTO_OPEN');
    expect(alertOf(server)).toBe('authFailed');
    expect(server.session).toBeUndefined();
  });

  it('ipcd: M3 with a right mac3 but another session id is refused', () => {
    const scalar = randomScalar<'ephemeral-scalar'>(seededEntropy('liar'));
    const own = crypto.p256PublicKey(scalar);
    const schedule = createHandshakeSchedule(crypto, 'ipcd', prologueParts('ipcd', BINDINGS.ipcd.prologue), { role: 'initiator' });
    const { start } = initiatorOptions('ipcd');
    const m1 = schedule.sealStart(
      wire.handshakeStart.encode({ ...start, versions: [1], suites: [1], ephemeralKey: own, random: new Uint8Array(32), instance: 'ipcd' }),
    );
    const server = new Side(handshakeResponder(responderOptions('ipcd')), peerOf('ipcd')).receive(m1);
    const m2 = wire.parseFrame(server.take(), { trailerBytes: 32 });
    schedule.agree({ scalar, own, peer: wire.handshakeReply.decode(m2).ephemeralKey });
    schedule.openReply(m2.core, m2.trailer);
    server.receive(schedule.sealFinish(wire.handshakeFinish.encode({ sessionId: new Uint8Array(16) })));
    expect(server.error.code).toBe('ERR_PEER_MISMATCH');
  });

  it.each(['link', 'px', 'dc', 'svc'] as const)('%s: M1 must name the object whose keys it uses', (name) => {
    const peer = peerOf(name);
    const other = new Uint8Array(16).fill(0x77);
    const prologue = name === 'link' ? { ...BINDINGS.link.prologue, linkId: other } : { ...BINDINGS[name].prologue, instanceId: other };
    const binding = { name, prologue } as typeof peer.binding;
    // Both sides agree on the prologue, so the macs are right: only the check finds that M1 names another one.
    const instance = HANDSHAKES[name];
    const options = initiatorOptions(name);
    const scalar = randomScalar<'ephemeral-scalar'>(seededEntropy('liar'));
    const schedule = createHandshakeSchedule(crypto, name, prologueParts(name, prologue as never), {
      role: 'initiator',
      psk: psk(),
      responderStaticKey: options.responderStaticKey,
    });
    expect(instance.psk).toBe(true);
    const start = { ...options.start, versions: [1], suites: [1], ephemeralKey: crypto.p256PublicKey(scalar), random: new Uint8Array(32), instance: name };
    const server = new Side(handshakeResponder(responderOptions(name)), { ...peer, binding }).receive(schedule.sealStart(wire.handshakeStart.encode(start)));
    expect(server.error.code).toBe('ERR_PEER_MISMATCH');
    expect(alertOf(server)).toBe('authFailed');
  });
});

describe('requests of the responder', () => {
  it('answers busy when its owner says so, and internal when its owner cannot', () => {
    const busy = pair('px', { peer: 'manual', onTransition });
    busy.server.receive(busy.app.take());
    expect(busy.server.requests).toMatchObject([{ type: 'identify', start: { instance: 'px' } }]);
    busy.server.input({ type: 'failed', error: new ProtocolError('ERR_REJECTED_BUSY', 'five already') });
    expect(alertOf(busy.server)).toBe('busy');
    expect(busy.server.error.code).toBe('ERR_REJECTED_BUSY');
    const broken = pair('ipc', { peer: 'manual', onTransition });
    broken.server.receive(broken.app.take());
    broken.server.input({ type: 'result', result: answer({ type: 'identify', start: undefined as never }, peerOf('ipc')) });
    broken.server.input({ type: 'failed', error: new ProtocolError('ERR_STORE_READ', 'no key') });
    expect(alertOf(broken.server)).toBe('internal');
    const bug = pair('ipc', { peer: 'manual' });
    bug.server.receive(bug.app.take());
    bug.server.input({ type: 'failed', error: new ProtocolError('ERR_INTERNAL', 'bug') });
    expect(alertOf(bug.server)).toBe('internal');
  });

  it('waits for the answer: the same M1 again gets nothing yet, M3 is too early', () => {
    const { app, server } = pair('ipcd', { peer: 'manual' });
    const m1 = app.take();
    server.receive(m1).receive(m1);
    expect(server.sent).toHaveLength(0);
    const early = wire.handshakeFinish.encode({ sessionId: new Uint8Array(16) });
    expect(server.receive(concatBytes(early, new Uint8Array(32))).error.code).toBe('ERR_PEER_UNEXPECTED');
  });

  it('drops results that nothing asked for, and calls', () => {
    const { server } = pair('ipc', { peer: 'manual' });
    server.input({ type: 'result', result: { type: 'identified', peer: peerOf('ipc') } });
    server.input({ type: 'result', result: { type: 'signed', signature: new Uint8Array(64) } });
    server.input({ type: 'start' });
    expect(server.effects).toEqual([]);
    const { app } = pair('ipc');
    app.input({ type: 'call', call: undefined as never });
    expect(app.effects.filter((effect) => effect.type === 'send')).toHaveLength(1);
  });

  it('refuses a peer of another instance as a fault of its owner', () => {
    const { app, server } = pair('link', { peer: peerOf('px') });
    server.receive(app.take());
    expect(server.error.code).toBe('ERR_USAGE_ARGUMENT');
    expect(alertOf(server)).toBe('internal');
  });
});

describe('usage', () => {
  it.each([
    ['a field that the instance does not have', { start: { ...initiatorOptions('link').start, userId: 'u' } }, 'link'],
    ['ids that do not fit', { start: { pskId: new Uint8Array(16) } }, 'link'],
    ['no id at all', { start: {} }, 'link'],
    ['no instance id', { start: { pskId: new Uint8Array(16) } }, 'px'],
    ['no psk', { psk: undefined }, 'px'],
    ['no static key', { responderStaticKey: undefined }, 'dc'],
    ['no content for M3', { finishContent: undefined }, 'sc'],
    ['content for M3 that is too long', { finishContent: new Uint8Array(16_200) }, 'sc'],
    ['content for M3 that nobody reads', { finishContent: new Uint8Array(1) }, 'px'],
    ['nobody to check the certificate', { identifyResponder: undefined }, 'ipc'],
  ] as const)('the initiator refuses %s', (_name, change, name) => {
    const options = { ...initiatorOptions(name), ...change } as Parameters<typeof handshakeInitiator>[0];
    expect(() => handshakeInitiator(options)).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
  });

  it('the responder refuses certificates that do not fit', () => {
    expect(() => handshakeResponder({ ...responderOptions('px'), certificates: [] })).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
    expect(() => handshakeResponder({ ...responderOptions('ipc'), certificates: undefined })).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
  });

  it('does not take a fault of its own for one of the peer', () => {
    const bug = (): never => {
      throw new TypeError('bug');
    };
    const app = pair('ipc', { initiator: { identifyResponder: bug } });
    const m2 = app.server.receive(app.app.take()).take();
    expect(() => app.app.receive(m2)).toThrow(TypeError);
    const server = pair('px', { responder: { crypto: { ...crypto, p256PublicKey: bug } } });
    const m1 = server.app.take();
    expect(() => server.server.receive(m1)).toThrow(TypeError);
  });

  it('ends at a start that cannot be', () => {
    const { app } = pair('link', { onTransition });
    expect(app.machine.state).toBe('awaitingReply');
    const never = new Side(handshakeInitiator({ ...initiatorOptions('link'), onTransition }));
    expect(never.input({ type: 'closed' }).error).toMatchObject({ code: 'ERR_TRANSPORT_CLOSED', step: 'F10.2' });
    const silent = new Side(handshakeResponder({ ...responderOptions('link'), onTransition }));
    expect(silent.input({ type: 'closed' }).error.code).toBe('ERR_TRANSPORT_CLOSED');
    const waiting = pair('link', { onTransition });
    waiting.server.receive(waiting.app.take());
    waiting.server.input({ type: 'closed' });
    waiting.app.input({ type: 'closed' });
    expect([waiting.app.machine.state, waiting.server.machine.state]).toEqual(['failed', 'failed']);
  });
});

it('takes every row of both tables', () => {
  expect(recorder.missing(HANDSHAKE_INITIATOR_TRANSITIONS)).toEqual([]);
  expect(recorder.missing(HANDSHAKE_RESPONDER_TRANSITIONS)).toEqual([]);
});

it('only the initiator of sc can open what comes after a crash, from the traffic secret of its session', () => {
  for (const name of NAMES) {
    const sessions = shake(pair(name));
    expect([sessions.app.answerTraffic?.length, sessions.server.answerTraffic]).toEqual([name === 'sc' ? 32 : undefined, undefined]);
    if (name !== 'sc' || sessions.server.records.kind !== 'cbc') continue;
    sessions.server.records.sealer.seal(new Uint8Array(1), NOW_MS);
    const record = sessions.server.records.sealer.seal(FINISH_CONTENT, NOW_MS);
    const traffic = sessions.app.answerTraffic as NonNullable<HandshakeSession['answerTraffic']>;
    const opener = createCbcOpener(crypto, { traffic, direction: 'responder-to-initiator', bornMs: NOW_MS, sequence: 1 });
    expect(opener.open(record, NOW_MS)).toEqual(FINISH_CONTENT);
  }
});
