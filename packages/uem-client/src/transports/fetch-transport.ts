import { isProtocolError, ProtocolError } from '@uemkit/protocol';
import type { ExchangeRequest, PushConnection, PushRequest, Trust, UemTransport } from '../transport.ts';
import { answerTooLong, checkAnswerHead, FRAME_MEDIA_TYPE, MAX_ANSWER_BYTES, PUSH_PATH, servicePath } from './binding.ts';
import { openWebSocket, type WebSocketConstructor } from './web-socket-push.ts';

/** What is used of `fetch`. The third argument is for functions that apply trust and identity themselves; the platform's ignores it. */
export type FetchFunction = (url: string, init: RequestInit, request: ExchangeRequest) => Promise<Response>;

export interface FetchTransportOptions {
  readonly fetch: FetchFunction;
  /** Absent: no push, the device only polls. */
  readonly webSocket?: WebSocketConstructor | undefined;
  /**
   * Who checks the server. `platform`: the platform's roots alone; a request that asks for other roots, pins or a device certificate is refused, because a plain
   * `fetch` cannot honour it. `delegated`: the given functions apply the trust and the identity of the request.
   */
  readonly security: 'platform' | 'delegated';
}

/** Transport over `fetch` and `WebSocket`, for platforms without sockets. On Node prefer `nodeTransport`: it does mutual TLS and costs a tenth. */
export function fetchTransport(options: FetchTransportOptions): UemTransport {
  return new FetchTransport(options);
}

class FetchTransport implements UemTransport {
  readonly #options: FetchTransportOptions;
  readonly #closing = new AbortController();

  constructor(options: FetchTransportOptions) {
    this.#options = options;
  }

  async exchange(request: ExchangeRequest): Promise<Uint8Array> {
    this.#check(request.trust, request.identity !== undefined);
    const signal = request.signal === undefined ? this.#closing.signal : AbortSignal.any([request.signal, this.#closing.signal]);
    signal.throwIfAborted();
    try {
      const init = { method: 'POST', headers: { 'content-type': FRAME_MEDIA_TYPE }, body: request.frame, redirect: 'error', signal } as const;
      const response = await this.#options.fetch(`https://${request.address}${servicePath(request.service)}`, init as RequestInit, request);
      const head = response.headers;
      checkAnswerHead(response.status, head.get('content-type') ?? undefined, head.get('retry-after') ?? undefined);
      return await readBounded(response);
    } catch (error) {
      request.signal?.throwIfAborted();
      if (isProtocolError(error)) throw error;
      // A page is deliberately not told what went wrong between it and a server.
      throw new ProtocolError('ERR_TRANSPORT_CONNECT', 'the request failed', { cause: error });
    }
  }

  openPush(request: PushRequest): Promise<PushConnection> {
    this.#check(request.trust, false);
    if (this.#options.webSocket === undefined) throw new ProtocolError('ERR_TRANSPORT_CONNECT', 'this transport has no WebSocket');
    return openWebSocket(this.#options.webSocket, `wss://${request.address}${PUSH_PATH}`, request, this.#closing.signal);
  }

  release(): void {
    // The platform keeps and closes its connections by itself.
  }

  async close(): Promise<void> {
    this.#closing.abort(new ProtocolError('ERR_TRANSPORT_CLOSED', 'the transport was closed'));
  }

  #check(trust: Trust, withIdentity: boolean): void {
    if (this.#closing.signal.aborted) throw new ProtocolError('ERR_USAGE_STATE', 'the transport is closed');
    if (this.#options.security === 'delegated') return;
    if (withIdentity || trust.roots !== 'platform' || trust.spkiPins.length > 0) {
      throw new ProtocolError('ERR_TRANSPORT_TLS', 'fetch of the platform cannot apply own roots, key pins or a device certificate');
    }
  }
}

async function readBounded(response: Response): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array(0);
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let lengthBytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    lengthBytes += value.length;
    if (lengthBytes > MAX_ANSWER_BYTES) {
      void reader.cancel().catch(() => undefined);
      throw answerTooLong();
    }
    chunks.push(value);
  }
  const answer = new Uint8Array(lengthBytes);
  let at = 0;
  for (const chunk of chunks) {
    answer.set(chunk, at);
    at += chunk.length;
  }
  return answer;
}
