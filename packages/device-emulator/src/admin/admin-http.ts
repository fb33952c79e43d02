import type { Clock } from '@uemkit/protocol';
import { Pool } from 'undici';
import { AdminError } from './admin-error.ts';
import type { Connection } from './connection-file.ts';

/** Connections to the admin REST API; also the requests that are under way at once. */
const CONNECTIONS = 8;
const TIMEOUT_MS = 60_000;
const MAX_BODY_BYTES = 8 * 2 ** 20;

export interface AdminRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** From the root of the server, for example `/lab/v1/faults`. */
  readonly path: string;
  /** Noun of the documented media type of the body; plain JSON when absent. */
  readonly noun?: string | undefined;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** One request with what became of it. */
export interface AdminExchange {
  readonly request: AdminRequest;
  /** Absent: no answer came. */
  readonly status?: number | undefined;
  /** JSON of an answer that is no refusal. */
  readonly answer?: unknown;
  /** Why there was no good answer: the error id of the server, or the code of the connection. */
  readonly error?: string | undefined;
  /** Length of the body of the request. */
  readonly bytes: number;
  readonly tookMs: number;
}

/** Is told of every request, sign-in apart. Must not throw. */
export interface AdminExchangeObserver {
  exchanged(exchange: AdminExchange): void;
}

/** HTTPS to the admin REST API: signs in when needed, waits for a free connection, reads JSON. */
export class AdminHttp {
  readonly #connection: Connection;
  readonly #pool: Pool;
  #authorization: Promise<string> | undefined;

  readonly #watch: { readonly clock: Clock; readonly observer: AdminExchangeObserver } | undefined;

  constructor(connection: Connection, watch?: { readonly clock: Clock; readonly observer: AdminExchangeObserver }) {
    this.#connection = connection;
    this.#watch = watch;
    this.#pool = new Pool(connection.admin, {
      connections: CONNECTIONS,
      pipelining: 1,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      connect: { ca: connection.ca, minVersion: 'TLSv1.3', timeout: 10_000 },
    });
  }

  /** Path below the documented base. */
  api(path: string): string {
    return `/${this.#connection.tenantId}/api/v1${path}`;
  }

  /** The JSON of the answer; undefined without one. @throws AdminError, errors of the connection, `signal.reason` */
  async request(request: AdminRequest): Promise<unknown> {
    try {
      return await this.#send(request, await this.#signedIn());
    } catch (error) {
      if (!(error instanceof AdminError) || error.status !== 401) throw error;
    }
    // The value has run out, or the server has another key since its restart.
    this.#authorization = undefined;
    return this.#send(request, await this.#signedIn());
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  #signedIn(): Promise<string> {
    this.#authorization ??= this.#signIn().catch((error: unknown) => {
      this.#authorization = undefined;
      throw error;
    });
    return this.#authorization;
  }

  async #signIn(): Promise<string> {
    const { username, password } = this.#connection.administrator;
    const body = { username, password: Buffer.from(password).toString('base64'), provider: 'LOCAL' };
    const { status, text } = await this.#exchange({ method: 'POST', path: this.api('/util/authorization'), noun: 'authorizationrequest', body }, undefined);
    if (status !== 200) throw errorOf(status, text);
    return text;
  }

  async #send(request: AdminRequest, authorization: string): Promise<unknown> {
    const startedMs = this.#watch?.clock.monotonicMs() ?? 0;
    let outcome: Pick<AdminExchange, 'status' | 'answer' | 'error'> = {};
    try {
      const { status, text } = await this.#exchange(request, authorization);
      outcome = { status };
      if (status < 200 || status > 299) throw errorOf(status, text);
      const answer: unknown = text === '' ? undefined : JSON.parse(text);
      outcome = { status, answer };
      return answer;
    } catch (error) {
      outcome = { ...outcome, error: codeOf(error) };
      throw error;
    } finally {
      this.#tell(request, startedMs, outcome);
    }
  }

  #tell(request: AdminRequest, startedMs: number, outcome: Pick<AdminExchange, 'status' | 'answer' | 'error'>): void {
    if (this.#watch === undefined) return;
    const { clock, observer } = this.#watch;
    const bytes = request.body === undefined ? 0 : Buffer.byteLength(JSON.stringify(request.body));
    observer.exchanged({ request, ...outcome, bytes, tookMs: clock.monotonicMs() - startedMs });
  }

  async #exchange(request: AdminRequest, authorization: string | undefined): Promise<{ readonly status: number; readonly text: string }> {
    const { method, path, noun, body, signal } = request;
    const answer = await this.#pool.request({
      method,
      path,
      signal,
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(body === undefined ? {} : { 'content-type': noun === undefined ? 'application/json' : `application/vnd.blackberry.${noun}-v1+json` }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) throw new AdminError(answer.statusCode, '', 'the answer is too long');
      chunks.push(chunk);
    }
    return { status: answer.statusCode, text: Buffer.concat(chunks).toString('utf8') };
  }
}

function codeOf(error: unknown): string {
  if (error instanceof AdminError && error.id !== '') return error.id;
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  return typeof code === 'string' ? code : String(name);
}

function errorOf(status: number, text: string): AdminError {
  try {
    const { id, message } = JSON.parse(text) as { id?: unknown; message?: unknown };
    return new AdminError(status, typeof id === 'string' ? id : '', typeof message === 'string' ? message : '');
  } catch {
    return new AdminError(status, '', '');
  }
}
