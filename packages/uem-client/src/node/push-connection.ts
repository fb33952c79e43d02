import type { ClientRequest, IncomingMessage } from 'node:http';
import type { SecureContext, TLSSocket } from 'node:tls';
import { ProtocolError } from '@uemkit/protocol';
import WebSocket from 'ws';
import type { PushConnection, PushRequest } from '../transport.ts';
import { MAX_ANSWER_BYTES, PUSH_PATH, PUSH_SUBPROTOCOL } from '../transports/binding.ts';
import { connectTls } from './tls-connect.ts';
import { transportError } from './transport-error.ts';

/** An open push connection that can also be dropped at once. */
export interface OpenPushConnection extends PushConnection {
  terminate(): void;
}

/** Opens the push connection (F5.2). @throws `ERR_TRANSPORT_*` */
export async function openPushConnection(request: PushRequest, context: SecureContext, timeoutMs: number): Promise<OpenPushConnection> {
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    connectTls({ address: request.address, trust: request.trust, context, timeoutMs }, (error, connected) => {
      if (connected === null) reject(error);
      else resolve(connected);
    });
  });
  if (request.signal?.aborted) {
    socket.destroy();
    throw request.signal.reason;
  }
  return upgrade(request, socket, timeoutMs);
}

function upgrade(request: PushRequest, tls: TLSSocket, timeoutMs: number): Promise<OpenPushConnection> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`wss://${request.address}${PUSH_PATH}`, PUSH_SUBPROTOCOL, {
      createConnection: () => tls,
      handshakeTimeout: timeoutMs,
      maxPayload: MAX_ANSWER_BYTES,
      perMessageDeflate: false,
    });
    const connection = new WsPushConnection(socket, request);
    let failure: ProtocolError | undefined;
    socket.once('open', () => resolve(connection));
    socket.on('error', (error) => {
      failure ??= transportError(error);
    });
    socket.once('unexpected-response', (http: ClientRequest, response: IncomingMessage) => {
      const status = response.statusCode ?? 0;
      failure = new ProtocolError('ERR_TRANSPORT_HTTP', `no push connection: HTTP status ${status}`, { details: { status } });
      http.destroy();
      tls.destroy();
      connection.detach();
      reject(failure);
    });
    socket.once('close', (code) => {
      connection.detach();
      const clean = code === 1000 || code === 1001;
      const error = failure ?? (clean ? undefined : new ProtocolError('ERR_TRANSPORT_CLOSED', 'the push connection broke', { details: { code } }));
      if (connection.opened) request.onClose(error);
      else reject(request.signal?.aborted ? request.signal.reason : (error ?? new ProtocolError('ERR_TRANSPORT_CLOSED', 'no push connection')));
    });
  });
}

class WsPushConnection implements OpenPushConnection {
  readonly #socket: WebSocket;
  readonly #signal: AbortSignal | undefined;
  #heard = false;
  opened = false;

  constructor(socket: WebSocket, request: PushRequest) {
    this.#socket = socket;
    this.#signal = request.signal;
    this.#signal?.addEventListener('abort', this, { once: true });
    const hear = (): void => {
      this.#heard = true;
    };
    socket.once('open', () => {
      this.opened = true;
    });
    socket.on('ping', hear);
    socket.on('pong', hear);
    socket.on('message', (data, isBinary) => {
      this.#heard = true;
      if (isBinary && data instanceof Uint8Array) request.onFrame(new Uint8Array(data));
      else socket.close(1003);
    });
  }

  handleEvent(): void {
    this.#socket.terminate();
  }

  detach(): void {
    this.#signal?.removeEventListener('abort', this);
  }

  send(frame: Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(frame);
  }

  close(): void {
    this.#socket.close(1000);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  heard(): boolean {
    const heard = this.#heard;
    this.#heard = false;
    return heard;
  }

  ping(): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }
}
