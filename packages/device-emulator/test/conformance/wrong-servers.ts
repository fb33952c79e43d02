import { fromHex, type PeerIdentity, toHex } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import * as wire from '@uemkit/protocol/wire';
import { ALTERED_ANSWERS } from './altered-answers.ts';
import { WRONG_ACTIVATION } from './wrong-activation.ts';
import { WRONG_CONFIGURATION } from './wrong-configuration.ts';
import { WRONG_CONTENT } from './wrong-content.ts';
import { WRONG_MANAGEMENT } from './wrong-management.ts';
import {
  alertOf,
  answered,
  changed,
  forgetful,
  isFrame,
  isKnownUser,
  messageIn,
  messageOf,
  nameOf,
  onFrames,
  onPushes,
  type WrongServer,
} from './wrong-server.ts';
import { WRONG_SIGNATURES } from './wrong-signatures.ts';
import { WRONG_TRANSPORT } from './wrong-transport.ts';

const idle = { pollIntervalS: 900, pollJitterS: 60, serverTimeEpochS: Math.floor(Date.now() / 1_000) };

/** The device of a request: one certificate, one name. */
function deviceOf(peer: PeerIdentity): string {
  return peer.kind === 'certificate' ? toHex(peer.certificate) : '';
}

/** A frame without some of its fields, as a reader that passes over too much would take it. */
function without(frame: Uint8Array, wrong: (key: number | string) => boolean): Uint8Array {
  const { body } = wire.parseFrame(frame);
  const fields = [...(wire.decodeCbor(body) as wire.CborMap)].filter(([key]) => !wrong(key));
  const encoded = wire.encodeCbor(new Map(fields) as wire.CborMap);
  const header = frame.slice(0, wire.FRAME_HEADER_BYTES);
  new DataView(header.buffer).setUint32(4, encoded.length);
  return new Uint8Array([...header, ...encoded]);
}

/** Servers that take too much, or tell too much, before a device is known. */
const beforeProof: readonly WrongServer[] = [
  onFrames({ name: 'discovery-tells', breaks: 'discovery refuses unknown users', caughtBy: 'discovery-unknown-user-alike' }, async (request, next, lab) => {
    const asked = messageOf(request, wire.discoveryRequest);
    return asked === undefined || isKnownUser(lab, asked.userId) ? next(request) : answered(wire.alert, { code: 'authFailed' });
  }),
  onFrames({ name: 'refuses-strangers', breaks: 'A1 of an unknown user is refused', caughtBy: 'unknown-user-alike' }, async (request, next, lab) => {
    const start = messageOf(request, wire.activationStart);
    return start === undefined || isKnownUser(lab, start.userId) ? next(request) : answered(wire.alert, { code: 'authFailed' });
  }),
  onFrames(
    { name: 'random-salts', breaks: 'the salt of an unknown user is another one each time', caughtBy: 'unknown-user-salt-stable' },
    async (request, next, lab) => {
      const start = messageOf(request, wire.activationStart);
      const answer = await next(request);
      const known = start === undefined || isKnownUser(lab, start.userId);
      return known ? answer : changed(answer, wire.activationParameters, (message) => ({ ...message, salt: nodeEntropy().randomBytes(16) }));
    },
  ),
  onFrames({ name: 'salt-tells', breaks: 'a user without a secret has another salt', caughtBy: 'salt-survives-secrets' }, async (request, next, lab) => {
    const start = messageOf(request, wire.activationStart);
    const answer = await next(request);
    const user = [...lab.admin.users()].find(({ userId }) => userId === start?.userId);
    if (user === undefined || [...lab.admin.activationSecrets(user.guid)].length > 0) return answer;
    return changed(answer, wire.activationParameters, (message) => ({ ...message, salt: new Uint8Array(16).fill(7) }));
  }),
  onFrames({ name: 'takes-any-version', breaks: 'offered versions are not looked at', caughtBy: 'a1-no-common-version' }, (request, next) => {
    const start = messageOf(request, wire.activationStart);
    return next(start === undefined ? request : { ...request, frame: wire.activationStart.encode({ ...start, versions: [wire.PROTOCOL_VERSION] }) });
  }),
  onFrames({ name: 'takes-any-field', breaks: 'unknown critical fields are passed over', caughtBy: 'a1-unknown-critical-field' }, (request, next) => {
    if (!isFrame(request, 'activationStart')) return next(request);
    try {
      return next({ ...request, frame: without(request.frame, (key) => key === 63) });
    } catch {
      return next(request);
    }
  }),
  onFrames({ name: 'takes-large-frames', breaks: 'the size of A1 is not looked at', caughtBy: 'a1-oversized' }, (request, next) => {
    if (!isFrame(request, 'activationStart') || request.frame.length < 4_000) return next(request);
    return next({ ...request, frame: without(request.frame, (key) => key === 64) });
  }),
  {
    name: 'stuck-random',
    breaks: 'random numbers of 32 bytes repeat',
    caughtBy: 'a2-fresh',
    options() {
      const good = nodeEntropy();
      const stuck = good.randomBytes(32);
      return { entropy: { randomBytes: (length) => (length === 32 ? stuck.slice() : good.randomBytes(length)) } };
    },
  },
];

/** Servers that do not count, compare or remember as they must while a secret is proved. */
const proof: readonly WrongServer[] = [
  onFrames({ name: 'shares-anew', breaks: 'the same A3 gets another A4', caughtBy: 'a3-same-again' }, async (request, next) => {
    const answer = await next(request);
    return changed(answer, wire.activationShareReply, (message) => ({ ...message, confirmV: nodeEntropy().randomBytes(32) }));
  }),
  {
    name: 'takes-second-shares',
    breaks: 'another A3 of the same run gets the A4 of the first one',
    caughtBy: 'a3-other-share',
    options() {
      const first = new Map<string, Uint8Array>();
      return {
        interceptor: {
          exchange(_role, request, next) {
            const share = messageOf(request, wire.activationShare);
            if (share === undefined) return next(request);
            const run = toHex(share.activationId);
            const frame = first.get(run) ?? request.frame;
            first.set(run, frame);
            return next({ ...request, frame });
          },
        },
      };
    },
  },
  forgetful({ name: 'charges-nothing', breaks: 'the try that A4 costs is not written', caughtBy: 'try-is-charged' }, 'activationShare'),
  forgetful({ name: 'never-exhausted', breaks: 'tries never run out', caughtBy: 'tries-exhausted' }, 'activationShare'),
  {
    name: 'takes-any-confirmation',
    breaks: 'comparisons of MACs always succeed',
    caughtBy: 'a5-wrong-confirmation',
    options: () => ({ crypto: { ...nodeCrypto(), equal: () => true } }),
  },
  {
    name: 'takes-any-pop',
    breaks: 'a certificate request is not bound to its run',
    caughtBy: 'csr-other-pop',
    options: () => ({ crypto: { ...nodeCrypto(), equal: (a, b) => (a.length === 43 ? true : nodeCrypto().equal(a, b)) } }),
  },
  {
    name: 'takes-any-signature',
    breaks: 'signatures of certificate requests are not checked',
    caughtBy: 'csr-not-signed-by-its-key',
    options: () => ({ crypto: { ...nodeCrypto(), p256Verify: () => true } }),
  },
  {
    name: 'answers-a5-once',
    breaks: 'a repeated A5 is refused',
    caughtBy: 'a5-same-again',
    options() {
      const seen = new Set<string>();
      return {
        interceptor: {
          async exchange(_role, request, next) {
            const bytes = toHex(request.frame);
            if (isFrame(request, 'activationRequest') && seen.has(bytes)) return answered(wire.alert, { code: 'authFailed' });
            seen.add(bytes);
            return next(request);
          },
        },
      };
    },
  },
];

/** Servers that take a device for what it is not. */
const identity: readonly WrongServer[] = [
  {
    name: 'clock-ahead',
    breaks: 'the clock is two hours ahead',
    caughtBy: 'certificate-dates',
    options() {
      const clock = systemClock();
      return { clock: { nowMs: () => clock.nowMs() + 7_200_000, monotonicMs: () => clock.monotonicMs(), setTimer: (ms, run) => clock.setTimer(ms, run) } };
    },
  },
  onFrames({ name: 'serves-pending', breaks: 'a device that has not confirmed is served', caughtBy: 'pending-gets-nothing' }, async (request, next) => {
    const answer = await next(request);
    return isFrame(request, 'poll') && alertOf(answer) === 'badMessage' ? answered(wire.idle, idle) : answer;
  }),
  onFrames({ name: 'serves-revoked', breaks: 'a revoked device is served', caughtBy: 'listener-removed-device' }, async (request, next) => {
    const answer = await next(request);
    return isFrame(request, 'poll') && alertOf(answer) === 'revoked' ? answered(wire.idle, idle) : answer;
  }),
  forgetful({ name: 'forgets-a7', breaks: 'A7 is acknowledged and forgotten', caughtBy: 'pending-does-not-count' }, 'activationDone'),
  {
    name: 'renews-anew',
    breaks: 'the same renewal gets another certificate each time',
    caughtBy: 'renew-same-again',
    options() {
      let flip = 0;
      return {
        crypto: { ...nodeCrypto(), p256Verify: () => true },
        interceptor: {
          exchange(_role, request, next) {
            const renewal = messageOf(request, wire.renewRequest);
            if (renewal === undefined) return next(request);
            // Another signature makes another request; nobody checks it here.
            const csr = renewal.csr.slice();
            csr[csr.length - 1] = flip++ % 256;
            return next({ ...request, frame: wire.renewRequest.encode({ csr }) });
          },
        },
      };
    },
  },
];

/** Servers that lose or mix up commands. */
const management: readonly WrongServer[] = [
  onFrames({ name: 'hides-deferral', breaks: 'idle does not say when a deferred command is due', caughtBy: 'deferred-waits' }, async (request, next) =>
    changed(await next(request), wire.idle, (message) => ({ ...message, pollAfterS: undefined })),
  ),
  onFrames({ name: 'other-interval', breaks: 'idle tells another poll interval than the configuration', caughtBy: 'idle-fields' }, async (request, next) =>
    changed(await next(request), wire.idle, (message) => ({ ...message, pollIntervalS: message.pollIntervalS + 1 })),
  ),
  {
    name: 'repeats-otherwise',
    breaks: 'a command that is handed out again is not the same bytes',
    caughtBy: 'command-in-flight-again',
    options() {
      let answers = 0;
      return {
        interceptor: {
          exchange: async (_role, request, next) =>
            changed(await next(request), wire.command, (message) => ({ ...message, issuedAtEpochS: message.issuedAtEpochS + answers++ })),
        },
      };
    },
  },
  {
    name: 'takes-any-result',
    breaks: 'a result ends the command in flight, whatever id it names',
    caughtBy: 'result-not-in-flight',
    options() {
      const inFlight = new Map<string, Uint8Array>();
      return {
        interceptor: {
          async exchange(_role, request, next) {
            const device = deviceOf(request.peer);
            const result = messageOf(request, wire.commandResult);
            const commandId = inFlight.get(device);
            const frame = result === undefined || commandId === undefined ? request.frame : wire.commandResult.encode({ ...result, commandId });
            const answer = await next({ ...request, frame });
            const handedOut = messageIn(answer, wire.command);
            if (handedOut !== undefined) inFlight.set(device, handedOut.commandId);
            return answer;
          },
        },
      };
    },
  },
  {
    name: 'refuses-second-results',
    breaks: 'a repeated result is refused instead of ignored',
    caughtBy: 'second-result-ignored',
    options() {
      const seen = new Set<string>();
      return {
        interceptor: {
          async exchange(_role, request, next) {
            const result = messageOf(request, wire.commandResult);
            if (result === undefined) return next(request);
            const id = toHex(result.commandId);
            if (seen.has(id)) return answered(wire.alert, { code: 'badMessage' });
            seen.add(id);
            return next(request);
          },
        },
      };
    },
  },
  forgetful({ name: 'forgets-results', breaks: 'a result is answered and forgotten', caughtBy: 'one-command-at-a-time' }, 'commandResult'),
  forgetful({ name: 'forgets-what-is-in-flight', breaks: 'that a command was handed out is forgotten', caughtBy: 'in-flight-is-not-displaced' }, 'poll'),
  onFrames({ name: 'first-come-first-served', breaks: 'commands are handed out by age alone', caughtBy: 'priority' }, async (request, next, lab) => {
    const answer = await next(request);
    const handedOut = messageIn(answer, wire.command);
    if (handedOut === undefined || !isFrame(request, 'poll')) return answer;
    for (const device of lab.admin.devices()) {
      const open = [...lab.admin.commands(device.deviceId)].filter(({ state }) => state === 'queued' || state === 'sent');
      const oldest = open[0];
      if (oldest === undefined || !open.some(({ commandId }) => commandId === toHex(handedOut.commandId))) continue;
      return answered(wire.command, { ...handedOut, commandId: fromHex(oldest.commandId), type: oldest.type });
    }
    return answer;
  }),
  onFrames({ name: 'manages-after-the-end', breaks: 'commands go on after a delete command', caughtBy: 'delete-ends-management' }, async (request, next) => {
    const answer = await next(request);
    const result = messageOf(request, wire.commandResult);
    if (result === undefined || nameOf(answer) !== 'idle') return answer;
    return answered(wire.command, { commandId: new Uint8Array(16), type: 'REQUEST_DEVICE_INFO', properties: {}, issuedAtEpochS: 0 });
  }),
];

/** Notification services that lose, invent or repeat. */
const push: readonly WrongServer[] = [
  onPushes({ name: 'confirms-any-token', breaks: 'an unknown token is confirmed', caughtBy: 'push-unknown-token' }, (socket, source, next) => {
    let asked: Uint8Array | undefined;
    const connection = next(
      {
        send(frame) {
          const registered = wire.peekFrameName(frame) === 'pushRegistered' ? wire.pushRegistered.decode(wire.parseFrame(frame)) : undefined;
          socket.send(registered === undefined || asked === undefined ? frame : wire.pushRegistered.encode({ ...registered, token: asked }));
        },
        ping: () => socket.ping(),
        close: (why) => socket.close(why),
        cutOff: () => socket.cutOff(),
        unreadBytes: 0,
      },
      source,
    );
    return {
      received(frame) {
        if (wire.peekFrameName(frame) === 'pushRegister') asked = wire.pushRegister.decode(wire.parseFrame(frame)).token;
        connection.received(frame);
      },
      alive: () => connection.alive(),
      closed: () => connection.closed(),
    };
  }),
  onPushes(
    { name: 'forgets-unacknowledged', breaks: 'a wake-up is forgotten as soon as it was sent', caughtBy: 'push-kept-until-acknowledged' },
    (socket, source, next) => {
      const connection = next(
        {
          send(frame) {
            socket.send(frame);
            if (wire.peekFrameName(frame) !== 'wakeUp') return;
            const { wakeUpId } = wire.wakeUp.decode(wire.parseFrame(frame));
            queueMicrotask(() => connection.received(wire.pushAck.encode({ wakeUpId })));
          },
          ping: () => socket.ping(),
          close: (why) => socket.close(why),
          cutOff: () => socket.cutOff(),
          unreadBytes: 0,
        },
        source,
      );
      return connection;
    },
  ),
  onPushes(
    { name: 'keeps-old-connections', breaks: 'an older connection of the same token is not told', caughtBy: 'push-newest-connection-wins' },
    (socket, source, next) =>
      next(
        {
          send(frame) {
            if (wire.peekFrameName(frame) !== 'pushClose') socket.send(frame);
          },
          ping: () => socket.ping(),
          close: (why) => (why === 'ended' ? undefined : socket.close(why)),
          cutOff: () => socket.cutOff(),
          unreadBytes: 0,
        },
        source,
      ),
  ),
  onPushes({ name: 'wakes-nobody', breaks: 'wake-ups never leave', caughtBy: 'push-wake-up' }, (socket, source, next) =>
    next(
      {
        send(frame) {
          if (wire.peekFrameName(frame) !== 'wakeUp') socket.send(frame);
        },
        ping: () => socket.ping(),
        close: (why) => socket.close(why),
        cutOff: () => socket.cutOff(),
        unreadBytes: 0,
      },
      source,
    ),
  ),
  onPushes({ name: 'takes-acks-first', breaks: 'a connection need not begin with pushRegister', caughtBy: 'push-registers-first' }, (socket, source, next) => {
    let registered = false;
    const connection = next(socket, source);
    return {
      received(frame) {
        registered ||= wire.peekFrameName(frame) === 'pushRegister';
        if (registered) connection.received(frame);
      },
      alive: () => connection.alive(),
      closed: () => connection.closed(),
    };
  }),
];

/** Servers that each break one rule; the conformance kit has to catch every one by the case that it names. */
export const WRONG_SERVERS: readonly WrongServer[] = [
  ...beforeProof,
  ...proof,
  ...identity,
  ...management,
  ...push,
  ...ALTERED_ANSWERS,
  ...WRONG_ACTIVATION,
  ...WRONG_CONFIGURATION,
  ...WRONG_CONTENT,
  ...WRONG_MANAGEMENT,
  ...WRONG_SIGNATURES,
  ...WRONG_TRANSPORT,
];
