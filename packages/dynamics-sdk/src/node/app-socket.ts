import { connect, type Socket } from 'node:net';
import { type FrameReceiver, handshakeStream, isProtocolError, ProtocolError } from '@uemkit/protocol';
import type { AppLink } from '../activation/uem-client-link.ts';
import { tlsError } from './tls-error.ts';

/** What is still to be sent when a connection ends has to leave in this time; the other app may read nothing. */
const FAREWELL_MS = 5_000;

/** Whose messages come over a local socket, in which channel; `who` is for messages of errors. */
export interface SocketPeer {
  readonly channel: 'ipc' | 'ipcd' | 'svc';
  readonly sender: 'initiator' | 'responder';
  readonly who: string;
}

/** Connects to another app of this device. @throws ProtocolError `ERR_TRANSPORT_*`; an abort rejects with `signal.reason` */
export function connectApp(path: string, peer: SocketPeer, signal: AbortSignal): Promise<AppLink> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect(path);
    const abort = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    socket.once('close', () => signal.removeEventListener('abort', abort));
    socket.on('error', (error) => reject(connectError(error, peer)));
    socket.once('connect', () => {
      signal.removeEventListener('abort', abort);
      resolve(appSocketLink(socket, peer));
    });
  });
}

/** One end of a channel over a local socket (docs/protocol/03-handshake.md, 3.10). */
export function appSocketLink(socket: Socket, { channel, sender, who }: SocketPeer): AppLink {
  const stream = handshakeStream(channel, sender);
  let failure: ProtocolError | undefined;
  const reading = (receiver: FrameReceiver): void => {
    socket.on('data', (chunk: Uint8Array) => {
      try {
        // A copy, because `slice` of a Buffer is a view.
        for (const frame of stream.push(new Uint8Array(chunk))) receiver.received(frame);
      } catch (error) {
        socket.destroy();
        if (!isProtocolError(error)) throw error;
        failure = error;
      }
    });
    socket.on('error', (error) => {
      failure ??= tlsError(error);
    });
    socket.once('close', () => receiver.closed(failure));
  };
  return {
    receive: reading,
    send(frame) {
      if (!socket.writable) throw new ProtocolError('ERR_TRANSPORT_CLOSED', `${who} has gone`);
      socket.write(frame);
    },
    close() {
      socket.setTimeout(FAREWELL_MS, () => socket.destroy());
      socket.destroySoon();
    },
  };
}

/** No socket, or nobody behind it: the other app is not there now. */
function connectError(error: NodeJS.ErrnoException, { who }: SocketPeer): ProtocolError {
  return error.code === 'ENOENT' ? new ProtocolError('ERR_TRANSPORT_CONNECT', `there is no ${who}`, { cause: error }) : tlsError(error);
}
