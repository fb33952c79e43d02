import { connect, type Socket } from 'node:net';
import { type FrameReceiver, handshakeStream, isProtocolError, ProtocolError } from '@uemkit/protocol';
import type { AppLink, UemClientLink } from '../activation/uem-client-link.ts';
import { tlsError } from './tls-error.ts';

/**
 * The UEM Client behind a Unix socket, or a named pipe of Windows (docs/protocol/03-handshake.md, 3.10). The platform ids are of the operating system; on a system that knows
 * none they are what both ends agreed on.
 */
export function uemClientSocket({ path, platformIds }: { readonly path: string; readonly platformIds: UemClientLink['platformIds'] }): UemClientLink {
  return {
    platformIds,
    connect: (signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const socket = connect(path);
        const abort = (): void => {
          socket.destroy();
          reject(signal.reason);
        };
        signal.addEventListener('abort', abort, { once: true });
        socket.once('close', () => signal.removeEventListener('abort', abort));
        socket.on('error', (error) => reject(connectError(error)));
        socket.once('connect', () => {
          signal.removeEventListener('abort', abort);
          resolve(socketLink(socket));
        });
      }),
  };
}

function socketLink(socket: Socket): AppLink {
  const stream = handshakeStream('ipc', 'responder');
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
      if (!socket.writable) throw new ProtocolError('ERR_TRANSPORT_CLOSED', 'the UEM Client has gone');
      socket.write(frame);
    },
    close: () => socket.destroySoon(),
  };
}

/** No socket, or nobody behind it: there is no UEM Client now. */
function connectError(error: NodeJS.ErrnoException): ProtocolError {
  return error.code === 'ENOENT' ? new ProtocolError('ERR_TRANSPORT_CONNECT', 'there is no UEM Client', { cause: error }) : tlsError(error);
}
