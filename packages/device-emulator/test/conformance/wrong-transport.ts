import { nodeEntropy } from '@uemkit/protocol/node';
import * as wire from '@uemkit/protocol/wire';
import type { Front } from './front.ts';
import { onPushes, type WrongServer } from './wrong-server.ts';

type About = Omit<WrongServer, 'options'>;

function behind(about: About, front: Front): WrongServer {
  return { ...about, options: () => ({ front }) };
}

/** The same bytes with one text in place of another, of any length. */
function replaced(bytes: Buffer, from: string, to: string): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1');
}

/** A wrong server whose answers have another status than they must. */
function otherStatus(about: About, from: number, to: number): WrongServer {
  return behind(about, { listener: 'infrastructure', down: (bytes) => replaced(bytes, `HTTP/1.1 ${from}`, `HTTP/1.1 ${to}`) });
}

/** Servers that break a rule of TLS or HTTP below everything that a role sees (9.1 to 9.4). */
const listeners: readonly WrongServer[] = [
  otherStatus({ name: 'large-is-malformed', breaks: 'a body over the limit gets the status of a malformed one', caughtBy: 'http-too-large' }, 413, 400),
  otherStatus(
    { name: 'long-headers-are-malformed', breaks: 'headers over the limit get the status of malformed ones', caughtBy: 'http-headers-too-large' },
    431,
    400,
  ),
  behind({ name: 'speaks-tls-1.2', breaks: 'TLS 1.2 is answered', caughtBy: 'tls-version' }, { listener: 'infrastructure', minVersion: 'TLSv1.2' }),
  behind(
    { name: 'refuses-by-status', breaks: 'a device without a certificate gets an answer of HTTP', caughtBy: 'listener-no-certificate' },
    { listener: 'devices', identify: () => 403 },
  ),
  behind(
    { name: 'takes-foreign-roots', breaks: 'a certificate of any root gets to the role', caughtBy: 'listener-foreign-certificate' },
    {
      listener: 'devices',
      identify: (certificate) => (certificate === undefined ? 403 : { kind: 'certificate', source: '127.0.0.1', certificate }),
    },
  ),
];

/** Passes over the masked message of 8 KiB that a case sends: its header says so, and it may come in several parts. */
function withoutLarge(): (bytes: Buffer) => Buffer {
  let left = 0;
  return (bytes) => {
    const isLarge = bytes.length > 8 && bytes[0] === 0x82 && bytes[1] === 0xfe && bytes.readUInt16BE(2) > 4_096;
    if (isLarge) left = 8 + bytes.readUInt16BE(2);
    const passed = Math.min(left, bytes.length);
    left -= passed;
    return bytes.subarray(passed);
  };
}

const passesOverLarge = withoutLarge();

/** Notification services that take what ends a connection, or take it for something else (10). */
const push: readonly WrongServer[] = [
  onPushes({ name: 'one-token-for-all', breaks: 'every device gets the same token', caughtBy: 'push-register' }, (socket, source, next) =>
    next(
      altering(socket, (frame) =>
        wire.peekFrameName(frame) === 'pushRegistered'
          ? wire.pushRegistered.encode({ ...wire.pushRegistered.decode(wire.parseFrame(frame)), token: new Uint8Array(32) })
          : frame,
      ),
      source,
    ),
  ),
  hearing({ name: 'always-a-new-token', breaks: 'a token in force is replaced, too', caughtBy: 'push-register-again' }, (frame) =>
    wire.peekFrameName(frame) === 'pushRegister'
      ? wire.pushRegister.encode({ ...wire.pushRegister.decode(wire.parseFrame(frame)), token: nodeEntropy().randomBytes(32) })
      : frame,
  ),
  hearing({ name: 'hears-no-acks', breaks: 'acknowledgements are passed over', caughtBy: 'push-acknowledged-is-gone' }, (frame) =>
    wire.peekFrameName(frame) === 'pushAck' ? undefined : frame,
  ),
  onPushes({ name: 'wakes-for-each', breaks: 'a wake-up is sent twice, under two ids', caughtBy: 'push-one-waits' }, (socket, source, next) =>
    next(
      {
        ...altering(socket, (frame) => frame),
        send(frame) {
          socket.send(frame);
          if (wire.peekFrameName(frame) !== 'wakeUp') return;
          socket.send(wire.wakeUp.encode({ ...wire.wakeUp.decode(wire.parseFrame(frame)), wakeUpId: nodeEntropy().randomBytes(16) }));
        },
      },
      source,
    ),
  ),
  onPushes({ name: 'registers-often', breaks: 'a second pushRegister is passed over', caughtBy: 'push-registers-once' }, (socket, source, next) => {
    let registered = false;
    const connection = next(socket, source);
    return {
      received(frame) {
        const isRegister = wire.peekFrameName(frame) === 'pushRegister';
        if (!isRegister || !registered) connection.received(frame);
        registered ||= isRegister;
      },
      alive: () => connection.alive(),
      closed: () => connection.closed(),
    };
  }),
  hearing({ name: 'passes-over-text', breaks: 'text messages are passed over', caughtBy: 'push-no-text' }, (frame) => (frame.length === 0 ? undefined : frame)),
  behind(
    { name: 'passes-over-large', breaks: 'messages that are too large are passed over', caughtBy: 'push-too-large' },
    { listener: 'notification', up: passesOverLarge },
  ),
  behind(
    { name: 'any-subprotocol', breaks: 'the subprotocol is not looked at', caughtBy: 'push-subprotocol' },
    {
      listener: 'notification',
      up: (bytes) => replaced(bytes, 'sec-websocket-protocol: chat', 'sec-websocket-protocol: uemkit.push.1'),
      down: (bytes) => replaced(bytes, 'Sec-WebSocket-Protocol: uemkit.push.1', 'Sec-WebSocket-Protocol: chat'),
    },
  ),
];

type Socket = Parameters<NonNullable<Parameters<typeof onPushes>[1]>>[0];

/** The socket with other frames going out. */
function altering(socket: Socket, change: (frame: Uint8Array) => Uint8Array): Socket {
  return {
    send: (frame) => socket.send(change(frame)),
    ping: () => socket.ping(),
    close: (why) => socket.close(why),
    cutOff: () => socket.cutOff(),
    unreadBytes: 0,
  };
}

/** A notification service that hears other frames than are said; undefined: none. */
function hearing(about: About, change: (frame: Uint8Array) => Uint8Array | undefined): WrongServer {
  return onPushes(about, (socket, source, next) => {
    const connection = next(socket, source);
    return {
      received(frame) {
        const heard = change(frame);
        if (heard !== undefined) connection.received(heard);
      },
      alive: () => connection.alive(),
      closed: () => connection.closed(),
    };
  });
}

/** Servers that are wrong on the way between device and role. */
export const WRONG_TRANSPORT: readonly WrongServer[] = [...listeners, ...push];
