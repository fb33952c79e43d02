import { ProtocolError } from '@uemkit/protocol';
import { Pool } from 'undici';

/** What a client shows and accepts on TLS connections. */
export interface TlsChoice {
  /** Certificate of the client, PEM, and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** TLS 1.3 unless set. */
  readonly version?: 'TLSv1.2';
}

export interface WireRequest {
  /** `host:port` */
  readonly address: string;
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly tls?: TlsChoice;
}

/** One whole answer. */
export interface WireResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
}

/** An answer longer than any frame is none. */
const MAX_ANSWER_BYTES = 1_048_576;
const TIMEOUT_MS = 20_000;
/** Pools that are open at once; the oldest one without work goes first. */
const MAX_POOLS = 128;

/** HTTPS for the cases: each choice of address and certificate has connections of its own, and nothing is repeated or followed. */
export class HttpWire {
  readonly #ca: string;
  // BOUNDED by MAX_POOLS.
  readonly #pools: Map<string, Pool> = new Map();

  /** `ca`: root of the server, PEM. */
  constructor(ca: string) {
    this.#ca = ca;
  }

  /** The answer; undefined when the connection was refused or ended without one. @throws ProtocolError `ERR_TRANSPORT_TIMEOUT` */
  async request(request: WireRequest): Promise<WireResponse | undefined> {
    const { address, method = 'POST', path, headers = {}, body, tls = {} } = request;
    try {
      const answer = await this.#poolFor(address, tls).request({ method: method as 'POST', path, headers, body: body ?? null });
      const chunks: Uint8Array[] = [];
      let lengthBytes = 0;
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        lengthBytes += chunk.length;
        if (lengthBytes > MAX_ANSWER_BYTES) throw new ProtocolError('ERR_WIRE_LIMIT', 'the answer is longer than any frame');
        chunks.push(chunk);
      }
      return { status: answer.statusCode, headers: answer.headers, body: new Uint8Array(Buffer.concat(chunks)) };
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      const code = String((error as { readonly code?: unknown }).code ?? '');
      if (code.includes('TIMEOUT')) throw new ProtocolError('ERR_TRANSPORT_TIMEOUT', `no answer of ${address}${path} in time`, { cause: error });
      // A server that nobody can reach is no verdict about it.
      if (code === 'ECONNREFUSED') throw new ProtocolError('ERR_TRANSPORT_CONNECT', `nobody listens on ${address}`, { cause: error });
      return undefined;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
  }

  #poolFor(address: string, tls: TlsChoice): Pool {
    const name = JSON.stringify([address, tls]);
    const known = this.#pools.get(name);
    if (known !== undefined) return known;
    const version = tls.version ?? 'TLSv1.3';
    const identity = tls.cert === undefined ? {} : { cert: tls.cert, key: tls.key as string };
    const pool = new Pool(`https://${address}`, {
      connections: 2,
      pipelining: 1,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      connect: { ca: this.#ca, minVersion: version, maxVersion: version, timeout: 10_000, ...identity },
    });
    for (const [oldest, one] of this.#pools) {
      if (this.#pools.size < MAX_POOLS) break;
      this.#pools.delete(oldest);
      void one.close().catch(() => undefined);
    }
    this.#pools.set(name, pool);
    return pool;
  }
}
