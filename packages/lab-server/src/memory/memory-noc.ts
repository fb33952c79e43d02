import { ProtocolError } from '@uemkit/protocol';
import type { NocConnection, NocSocket } from '../roles/noc/noc-connection.ts';
import type { MemoryTrust } from './memory-trust.ts';

/** A connection of an app to the NOC; the same shape as the request of a client. */
export interface MemoryNocRequest {
  readonly address: string;
  readonly trust: MemoryTrust;
  onFrame(frame: Uint8Array): void;
  onClose(error?: ProtocolError): void;
  readonly signal?: AbortSignal;
}

/** Opens one; the NOC itself breaks it when it is started again. */
export function openMemoryNoc(
  connect: (socket: NocSocket, source: string) => NocConnection | undefined,
  request: MemoryNocRequest,
  source: string,
  open: Set<() => void>,
): { send(frame: Uint8Array): void; close(): void } {
  let isOpen = true;
  let connection: NocConnection | undefined;
  const end = (error?: ProtocolError): void => {
    if (!isOpen) return;
    isOpen = false;
    open.delete(cut);
    request.signal?.removeEventListener('abort', cut);
    connection?.closed();
    // As with a socket the app hears of it later, never inside its own call.
    queueMicrotask(() => request.onClose(error));
  };
  const cut = (): void => end(new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection to the NOC broke'));
  connection = connect(
    {
      send(frame) {
        const copy = frame.slice();
        queueMicrotask(() => {
          if (isOpen) request.onFrame(copy);
        });
      },
      // Behind the frames that were sent before.
      close: () => queueMicrotask(() => end()),
      cutOff: cut,
    },
    source,
  );
  if (connection === undefined) throw new ProtocolError('ERR_TRANSPORT_CONNECT', 'the NOC takes no more connections');
  open.add(cut);
  request.signal?.addEventListener('abort', cut, { once: true });
  return {
    send(frame) {
      const copy = frame.slice();
      if (isOpen) queueMicrotask(() => connection?.received(copy));
    },
    close: () => end(),
  };
}
