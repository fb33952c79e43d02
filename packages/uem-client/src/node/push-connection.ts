import type { ClientRequest, IncomingMessage } from 'node:http';
import type { SecureContext, TLSSocket } from 'node:tls';
import { ProtocolError } from '@uemkit/protocol';
import WebSocket from 'ws';
import type { PushConnection, PushRequest } from '../transport.ts';
import { MAX_ANSWER_BYTES, PUSH_PATH, PUSH_SUBPROTOCOL } from '../transports/binding.ts';
import type { KeyPins } from './key-pins.ts';
import { connectTls } from './tls-connect.ts';
import { transportError } from './transport-error.ts';

/** An open push connection that can also be dropped at once. */
export interface OpenPushConnection extends PushConnection {
  terminate(): void;
}

/** How the TLS connection is made. */
export interface PushWay {
  readonly context: SecureContext;
  readonly pins: KeyPins;
  readonly timeoutMs: number;
}

/** Opens the push connection (F5.2). @throws `ERR_TRANSPORT_*` */
export async function openPushConnection(request: PushRequest, way: PushWay): Promise<OpenPushConnection> {
  const { address, trust } = request;
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    connectTls({ address, trust, ...way }, (error, connected) => {
      if (connected === null) reject(error);
      else resolve(connected);
    });
  });
  if (request.signal?.aborted) {
    socket.destroy();
    throw request.signal.reason;
  }
  return upgrade(request, socket);
}

async function upgrade(request: PushRequest, tls: TLSSocket): Promise<OpenPushConnection> {
  const socket = new PushSocket(`wss://${request.address}${PUSH_PATH}`, PUSH_SUBPROTOCOL, {
    createConnection: () => tls,
    maxPayload: MAX_ANSWER_BYTES,
    perMessageDeflate: false,
  });
  const connection = new WsPushConnection(socket, tls, request);
  // Without an answer the upgrade ends with the abort of the request, which has its own time limit.
  const abort = (): void => socket.terminate();
  request.signal?.addEventListener('abort', abort, { once: true });
  try {
    await opened(socket, connection);
    return connection;
  } catch (error) {
    tls.destroy();
    throw request.signal?.aborted ? request.signal.reason : error;
  } finally {
    request.signal?.removeEventListener('abort', abort);
  }
}

function opened(socket: PushSocket, connection: WsPushConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    const refused = (http: ClientRequest, response: IncomingMessage): void => {
      const status = response.statusCode ?? 0;
      http.destroy();
      done(new ProtocolError('ERR_TRANSPORT_HTTP', `no push connection: HTTP status ${status}`, { details: { status } }));
    };
    const closed = (): void =>
      done(socket.failure === undefined ? new ProtocolError('ERR_TRANSPORT_CLOSED', 'no push connection') : transportError(socket.failure));
    const open = (): void => done(undefined);
    const done = (error: ProtocolError | undefined): void => {
      socket.off('open', open).off('unexpected-response', refused).off('close', closed);
      connection.opened = error === undefined;
      connection.heard();
      if (error === undefined) resolve();
      else reject(error);
    };
    socket.on('open', open).on('unexpected-response', refused).on('close', closed);
  });
}

/** A WebSocket that knows the connection which it carries. Its listeners are the same functions for all devices. */
class PushSocket extends WebSocket {
  connection: WsPushConnection | undefined;
  failure: Error | undefined;
}

function remember(this: WebSocket, error: Error): void {
  (this as PushSocket).failure ??= error;
}

function receive(this: WebSocket, data: WebSocket.RawData, isBinary: boolean): void {
  (this as PushSocket).connection?.receive(data, isBinary);
}

function end(this: WebSocket, code: number): void {
  (this as PushSocket).connection?.end(code, (this as PushSocket).failure);
}

class WsPushConnection implements OpenPushConnection {
  readonly #socket: PushSocket;
  readonly #request: PushRequest;
  readonly #tls: TLSSocket;
  /** Pings included, without a listener for each kind of frame. */
  #bytesHeard = 0;
  opened = false;

  constructor(socket: PushSocket, tls: TLSSocket, request: PushRequest) {
    this.#socket = socket;
    this.#tls = tls;
    this.#request = request;
    socket.connection = this;
    socket.on('error', remember).on('message', receive).on('close', end);
  }

  receive(data: WebSocket.RawData, isBinary: boolean): void {
    // A copy: what ws hands out is a view of what the socket read.
    if (isBinary && data instanceof Uint8Array) this.#request.onFrame(new Uint8Array(data));
    else this.#socket.close(1003);
  }

  end(code: number, failure: Error | undefined): void {
    if (!this.opened) return;
    const clean = failure === undefined && (code === 1000 || code === 1001);
    if (clean) this.#request.onClose();
    else
      this.#request.onClose(
        failure === undefined ? new ProtocolError('ERR_TRANSPORT_CLOSED', 'the push connection broke', { details: { code } }) : transportError(failure),
      );
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
    const before = this.#bytesHeard;
    this.#bytesHeard = this.#tls.bytesRead;
    return this.#bytesHeard !== before;
  }

  ping(): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }
}
