import { ProtocolError } from '@uemkit/protocol';
import type { NocConnection, NocRequest, NocTransport } from './noc-transport.ts';
import { NOC_BODY_BYTES, NOC_PATH, NOC_SUBPROTOCOL } from './noc-wire.ts';

/** What is used of the platform's `WebSocket`. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  send(data: Uint8Array): void;
  close(code?: number): void;
  addEventListener(name: 'open', listener: () => void): void;
  addEventListener(name: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(name: 'close', listener: (event: { readonly code: number; readonly wasClean: boolean }) => void): void;
}

export type WebSocketConstructor = new (url: string, protocol: string) => WebSocketLike;

const OPEN = 1;
/** Text, or a message over the limit: 1003 and 1009 are not for pages to send. */
const UNSUITABLE = 4003;
/** Header and longest trailer of a frame. */
const FRAME_EXTRA_BYTES = 8 + 32;

/**
 * The NOC over the platform's `WebSocket`, for pages: the platform's roots alone, since a page applies no others, no pins, and sees no certificate. What the app sends is
 * protected end to end towards UEM from M1 on; the NOC itself is the one that the platform's TLS says it is.
 */
export function webSocketNocTransport({ webSocket }: { readonly webSocket: WebSocketConstructor }): NocTransport {
  return {
    async openNoc(request) {
      request.signal.throwIfAborted();
      // check: trust that a page can apply
      if (request.trust.roots !== 'platform' || request.trust.spkiPins.length > 0) {
        throw new ProtocolError('ERR_TRANSPORT_TLS', 'a page cannot apply own roots or key pins');
      }
      return open(webSocket, request);
    },
  };
}

function open(WebSocket: WebSocketConstructor, { address, signal, onFrame, onClose }: NocRequest): Promise<NocConnection> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`wss://${address}${NOC_PATH}`, NOC_SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    let isOpen = false;
    const abort = (): void => socket.close(1000);
    signal.addEventListener('abort', abort, { once: true });
    socket.addEventListener('open', () => {
      isOpen = true;
      signal.removeEventListener('abort', abort);
      resolve({
        send(frame) {
          if (socket.readyState === OPEN) socket.send(frame);
        },
        close: () => socket.close(1000),
      });
    });
    socket.addEventListener('message', ({ data }) => {
      // check: form and size of a message
      if (data instanceof ArrayBuffer && data.byteLength <= NOC_BODY_BYTES + FRAME_EXTRA_BYTES) onFrame(new Uint8Array(data));
      else socket.close(UNSUITABLE);
    });
    socket.addEventListener('close', ({ code, wasClean }) => {
      signal.removeEventListener('abort', abort);
      if (!isOpen)
        return reject(signal.aborted ? signal.reason : new ProtocolError('ERR_TRANSPORT_CONNECT', 'no connection to the NOC', { details: { code } }));
      onClose(wasClean ? undefined : new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection to the NOC broke', { details: { code } }));
    });
  });
}
