import { ProtocolError } from '@uemkit/protocol';
import type { PushConnection, PushRequest } from '../transport.ts';
import { MAX_ANSWER_BYTES, PUSH_SUBPROTOCOL } from './binding.ts';

/** What is used of the platform's `WebSocket`. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  send(data: Uint8Array): void;
  close(code?: number): void;
  addEventListener(name: 'open' | 'error', listener: () => void): void;
  addEventListener(name: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(name: 'close', listener: (event: { readonly code: number; readonly wasClean: boolean }) => void): void;
}

export type WebSocketConstructor = new (url: string, protocol: string) => WebSocketLike;

const OPEN = 1;
/** Text, or a message over the limit: 1003 and 1009 are not for pages to send. */
const UNSUITABLE = 4003;

/** Opens the push connection over the platform's `WebSocket`. A page does not see pings, so silence proves nothing here. @throws `ERR_TRANSPORT_CONNECT` */
export function openWebSocket(WebSocket: WebSocketConstructor, url: string, request: PushRequest, closing: AbortSignal): Promise<PushConnection> {
  return new Promise((resolve, reject) => {
    request.signal?.throwIfAborted();
    const socket = new WebSocket(url, PUSH_SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    let opened = false;
    const abort = (): void => socket.close(1000);
    const signals = request.signal === undefined ? [closing] : [closing, request.signal];
    for (const signal of signals) signal.addEventListener('abort', abort, { once: true });
    socket.addEventListener('open', () => {
      opened = true;
      request.signal?.removeEventListener('abort', abort);
      resolve({
        send: (frame) => {
          if (socket.readyState === OPEN) socket.send(frame);
        },
        close: () => socket.close(1000),
      });
    });
    socket.addEventListener('message', ({ data }) => {
      if (data instanceof ArrayBuffer && data.byteLength <= MAX_ANSWER_BYTES) request.onFrame(new Uint8Array(data));
      else socket.close(UNSUITABLE);
    });
    socket.addEventListener('close', ({ code, wasClean }) => {
      for (const signal of signals) signal.removeEventListener('abort', abort);
      if (opened) request.onClose(wasClean ? undefined : new ProtocolError('ERR_TRANSPORT_CLOSED', 'the push connection broke', { details: { code } }));
      else reject(request.signal?.aborted ? request.signal.reason : new ProtocolError('ERR_TRANSPORT_CONNECT', 'no push connection', { details: { code } }));
    });
  });
}
