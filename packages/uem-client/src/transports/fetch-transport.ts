import { deviceSignatures, type httpSignature, isProtocolError, ProtocolError } from '@uemkit/protocol';
import type { ExchangeRequest, PushConnection, PushRequest, Trust, UemService, UemTransport } from '../transport.ts';
import { answerTooLong, checkAnswerHead, FRAME_MEDIA_TYPE, MAX_ANSWER_BYTES, PUSH_PATH, servicePath } from './binding.ts';
import { type DeviceRequest, RequestSigner, type SigningPorts } from './request-signer.ts';
import { openWebSocket, type WebSocketConstructor } from './web-socket-push.ts';

/** What is used of `fetch`. The third argument is for functions that apply trust and identity themselves; the platform's ignores it. */
export type FetchFunction = (url: string, init: RequestInit, request: ExchangeRequest) => Promise<Response>;

export interface FetchTransportOptions {
  readonly fetch: FetchFunction;
  /** Absent: no push, the device only polls. */
  readonly webSocket?: WebSocketConstructor | undefined;
  /**
   * Who checks the server and proves the device. `platform`: the platform's roots alone; a request that asks for other roots, pins or a device certificate is
   * refused, because a plain `fetch` cannot honour it. `delegated`: the given functions apply the trust and the identity of the request. Ports for signing: for
   * pages; see `SignedSecurity`.
   */
  readonly security: 'platform' | 'delegated' | SignedSecurity;
}

/**
 * Requests of the device are signed by its key, and only answers that UEM signed count, under the tenant's roots (docs/protocol/11-signatures.md). TLS is checked by
 * the platform's roots: discovery refuses any other trust; activation and push need none, since the activation secret and the poll protect what matters there.
 */
export interface SignedSecurity extends SigningPorts {
  readonly kind: 'signed';
}

/** Transport over `fetch` and `WebSocket`, for platforms without sockets. On Node prefer `nodeTransport`: it does mutual TLS and costs a tenth. */
export function fetchTransport(options: FetchTransportOptions): UemTransport {
  return new FetchTransport(options);
}

class FetchTransport implements UemTransport {
  readonly #options: FetchTransportOptions;
  readonly #signer: RequestSigner | undefined;
  readonly #closing = new AbortController();

  constructor(options: FetchTransportOptions) {
    this.#options = options;
    this.#signer = typeof options.security === 'object' ? new RequestSigner(options.security) : undefined;
  }

  get proof(): 'certificate' | 'signature' {
    return this.#signer === undefined ? 'certificate' : 'signature';
  }

  async exchange(request: ExchangeRequest): Promise<Uint8Array> {
    this.#check(request.trust, request.service, request.identity !== undefined);
    const signal = request.signal === undefined ? this.#closing.signal : AbortSignal.any([request.signal, this.#closing.signal]);
    signal.throwIfAborted();
    try {
      const { identity } = request;
      if (this.#signer !== undefined && identity !== undefined) return await this.#signed(this.#signer, { ...request, identity }, signal);
      return await bodyOf(await this.#post(request, {}, signal));
    } catch (error) {
      request.signal?.throwIfAborted();
      if (isProtocolError(error)) throw error;
      // A page is deliberately not told what went wrong between it and a server.
      throw new ProtocolError('ERR_TRANSPORT_CONNECT', 'the request failed', { cause: error, details: { sent: 'unknown' } });
    }
  }

  /** Once more under a new signature when the server asks for one: it was started again, or the clocks differ. */
  async #signed(signer: RequestSigner, request: DeviceRequest, signal: AbortSignal): Promise<Uint8Array> {
    let signature = await signer.sign(request);
    let response = await this.#post(request, signature.fields, signal);
    if (response.status === 401 && signer.learn(response.headers.get(deviceSignatures.challengeField))) {
      signature = await signer.sign(request);
      response = await this.#post(request, signature.fields, signal);
    }
    const body = await bodyOf(response);
    signer.check({ body, headers: response.headers }, signature, request.trust);
    return body;
  }

  #post(request: ExchangeRequest, fields: Readonly<Record<string, string>> | httpSignature.SignatureFields, signal: AbortSignal): Promise<Response> {
    const headers = { 'content-type': FRAME_MEDIA_TYPE, ...fields };
    // Cookies of the page's user are nobody's business here.
    const init = { method: 'POST', headers, body: request.frame, redirect: 'error', credentials: 'omit', cache: 'no-store', signal } as const;
    return this.#options.fetch(`https://${request.address}${servicePath(request.service)}`, init as RequestInit, request);
  }

  openPush(request: PushRequest): Promise<PushConnection> {
    this.#check(request.trust, 'push', false);
    if (this.#options.webSocket === undefined) throw new ProtocolError('ERR_TRANSPORT_CONNECT', 'this transport has no WebSocket');
    return openWebSocket(this.#options.webSocket, `wss://${request.address}${PUSH_PATH}`, request, this.#closing.signal);
  }

  release(): void {
    // The platform keeps and closes its connections by itself.
  }

  async close(): Promise<void> {
    this.#closing.abort(new ProtocolError('ERR_TRANSPORT_CLOSED', 'the transport was closed'));
  }

  #check(trust: Trust, service: UemService | 'push', withIdentity: boolean): void {
    if (this.#closing.signal.aborted) throw new ProtocolError('ERR_USAGE_STATE', 'the transport is closed');
    if (this.#options.security === 'delegated' || (this.#signer !== undefined && service !== 'discovery')) return;
    if (withIdentity || trust.roots !== 'platform' || trust.spkiPins.length > 0) {
      throw new ProtocolError('ERR_TRANSPORT_TLS', 'fetch of the platform cannot apply own roots, key pins or a device certificate');
    }
  }
}

/** @throws `ERR_REJECTED_BUSY`, `ERR_TRANSPORT_HTTP`, `ERR_WIRE_LIMIT` */
function bodyOf(response: Response): Promise<Uint8Array> {
  const { headers, status } = response;
  checkAnswerHead(status, headers.get('content-type') ?? undefined, headers.get('retry-after') ?? undefined);
  return readBounded(response);
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
