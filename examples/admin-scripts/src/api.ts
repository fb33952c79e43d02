import createClient, { type Client } from 'openapi-fetch';
import { Agent, fetch as undiciFetch } from 'undici';
import type { Lab } from './command-line.ts';
import type { paths } from './generated/admin-api.d.ts';

/** The admin REST API as its OpenAPI document has it: openapi-typescript makes the types, openapi-fetch the calls. */
export type Api = Client<paths>;

/** A refusal; `id` is what scripts compare. */
export class Refused extends Error {
  readonly id: string;

  constructor(what: string, status: number, { id, message }: { readonly id?: string; readonly message?: string }) {
    super(`${what}: ${status} ${id ?? ''} ${message ?? ''}`.trim());
    this.id = id ?? '';
  }
}

export interface SignedIn {
  readonly api: Api;
  close(): Promise<void>;
}

/** A stream of events says something every 15 seconds; a server that is silent for so long is gone, though nothing has closed the connection. */
const SILENCE_MS = 45_000;

/** Signs in with the name and password of the connection file; trusts the authority of the lab and no other. An answer that is silent for `silenceMs` breaks. */
export async function signIn({ admin, tenantId, ca, administrator }: Lab, silenceMs: number = SILENCE_MS): Promise<SignedIn> {
  const dispatcher = new Agent({ connect: { ca }, bodyTimeout: silenceMs });
  const send = async (request: Request): Promise<Response> => {
    const { method, url, headers, signal } = request;
    const body = request.body === null ? null : await request.text();
    return (await undiciFetch(url, { method, headers: Object.fromEntries(headers), body, signal, dispatcher })) as unknown as Response;
  };
  const api = createClient<paths>({ baseUrl: `${admin}/${tenantId}/api/v1`, fetch: send });
  const body = { username: administrator.username, password: Buffer.from(administrator.password).toString('base64'), provider: 'LOCAL' as const };
  const authorization = await answered('signing in', api.POST('/util/authorization', { body, parseAs: 'text' }));
  api.use({ onRequest: ({ request }) => void request.headers.set('authorization', authorization as string) });
  return { api, close: () => dispatcher.close() };
}

/** What a call of the generated client resolves with. */
interface Outcome<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/** The body of an answer. @throws Refused */
export async function answered<T>(what: string, call: Promise<Outcome<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (response.status >= 300) throw new Refused(what, response.status, (error ?? {}) as object);
  return data as T;
}
