import { type CancelTimer, type Clock, ProtocolError } from '@uemkit/protocol';
import type { LinkChannel, LinkChannelRequest } from './link-channel.ts';
import { LINK_MESSAGE_BYTES, LINK_PATH, LINK_SUBPROTOCOL } from './noc-wire.ts';
import { OPEN, UNSUITABLE, type WebSocketConstructor, type WebSocketLike } from './web-socket.ts';

/** Waits for room with more than this in the socket. */
const HIGH_BYTES = 262_144;
/** A WebSocket tells nobody when it has sent something, so it is asked this often while somebody waits. */
const ROOM_MS = 10;
/** Closed, or closed without saying why. */
const CLEAN = [1000, 1005];

/**
 * A link over the platform's `WebSocket` (docs/protocol/12, 12.1): without channel binding, and with what the platform lacks. Nothing stops what comes, and there is no half-close:
 * after `end` the other end hears nothing until the whole connection ends.
 */
export function openWebSocketLink(WebSocket: WebSocketConstructor, clock: Clock, request: LinkChannelRequest): Promise<LinkChannel> {
  const { address, signal } = request;
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`wss://${address}${LINK_PATH}`, LINK_SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    let isOpen = false;
    const abort = (): void => socket.close(1000);
    signal.addEventListener('abort', abort, { once: true });
    const room = waitForRoom(socket, clock, () => request.onRoom());
    let failure: ProtocolError | undefined;
    socket.addEventListener('open', () => {
      isOpen = true;
      signal.removeEventListener('abort', abort);
      resolve({
        binding: { kind: 'none' },
        canPause: false,
        send(bytes) {
          if (socket.readyState !== OPEN) return true;
          for (let at = 0; at < bytes.length; at += LINK_MESSAGE_BYTES) socket.send(bytes.subarray(at, at + LINK_MESSAGE_BYTES));
          return socket.bufferedAmount <= HIGH_BYTES || room.wanted();
        },
        pause: () => {},
        resume: () => {},
        end: () => {},
        close: () => socket.close(1000),
      });
    });
    socket.addEventListener('message', ({ data }) => {
      // check: form of a message
      if (data instanceof ArrayBuffer) return request.onBytes(new Uint8Array(data));
      failure = new ProtocolError('ERR_WIRE_TYPE', 'the NOC sent text on a link');
      socket.close(UNSUITABLE);
    });
    socket.addEventListener('close', ({ code, wasClean }) => {
      signal.removeEventListener('abort', abort);
      room.cancel();
      if (!isOpen)
        return reject(signal.aborted ? signal.reason : new ProtocolError('ERR_TRANSPORT_CONNECT', 'no connection to the NOC', { details: { code } }));
      // check: a connection that broke is no end of what the other end sends
      if (!wasClean || !CLEAN.includes(code)) failure ??= new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection to the NOC broke', { details: { code } });
      if (failure === undefined) request.onEnd();
      request.onClose(failure);
    });
  });
}

interface Room {
  /** Says so when half of it has gone. @returns false */
  wanted(): false;
  cancel(): void;
}

function waitForRoom(socket: WebSocketLike, clock: Clock, tell: () => void): Room {
  let cancel: CancelTimer | undefined;
  const look = (): void => {
    cancel = undefined;
    if (socket.bufferedAmount > HIGH_BYTES / 2) wait();
    else tell();
  };
  const wait = (): void => {
    cancel ??= clock.setTimer(ROOM_MS, look);
  };
  return {
    wanted() {
      wait();
      return false;
    },
    cancel() {
      cancel?.();
    },
  };
}
