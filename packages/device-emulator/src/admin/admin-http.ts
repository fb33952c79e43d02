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

/** HTTPS to the admin REST API: signs in when needed, waits for a free connection, reads JSON. */
export class AdminHttp {
  readonly #connection: Connection;
  readonly #pool: Pool;
  #authorization: Promise<string> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
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
    const { status, text } = await this.#exchange(request, authorization);
    if (status < 200 || status > 299) throw errorOf(status, text);
    return text === '' ? undefined : JSON.parse(text);
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

function errorOf(status: number, text: string): AdminError {
  try {
    const { id, message } = JSON.parse(text) as { id?: unknown; message?: unknown };
    return new AdminError(status, typeof id === 'string' ? id : '', typeof message === 'string' ? message : '');
  } catch {
    return new AdminError(status, '', '');
  }
}
