import type { HttpRequest, RequestBody } from './request.ts';

/** What `fetch` was asked for. */
export interface AskedRequest {
  readonly first: HttpRequest;
  readonly redirect: 'follow' | 'error' | 'manual';
  readonly isWithCookies: boolean;
  /** That of the caller itself: the one of a `Request` may be forgotten with it. */
  readonly signal: AbortSignal;
}

/** Reads the arguments of `fetch` by the platform's `Request`, which refuses what is wrong. Bodies that are streams do not go through it, since not every browser takes them. @throws TypeError */
export async function readRequest(input: string | URL | Request, init: RequestInit): Promise<AskedRequest> {
  const { body: given, signal: asked, ...rest } = init;
  const isStream = given instanceof ReadableStream;
  const request = new Request(input, isStream || given === undefined ? rest : { ...rest, body: given });
  // check: what was asked for and cannot be done is not left out
  if (request.integrity !== '') throw new TypeError('integrity is not checked here');
  if (isStream && (request.method === 'GET' || request.method === 'HEAD')) throw new TypeError('a request with GET or HEAD has no body');
  const ofInput = input instanceof Request ? input.signal : undefined;
  return {
    first: { url: new URL(request.url), method: request.method, headers: request.headers, body: await bodyOf(request, given) },
    redirect: request.redirect as AskedRequest['redirect'],
    isWithCookies: request.credentials !== 'omit',
    signal: (asked === null ? undefined : (asked ?? ofInput)) ?? new AbortController().signal,
  };
}

async function bodyOf(request: Request, given: RequestInit['body']): Promise<RequestBody | undefined> {
  if (given instanceof ReadableStream) return { kind: 'stream', stream: given as ReadableStream<Uint8Array> };
  if (given instanceof Blob) return { kind: 'stream', stream: given.stream() as ReadableStream<Uint8Array>, lengthBytes: given.size };
  if (given != null) return { kind: 'bytes', bytes: new Uint8Array(await request.arrayBuffer()) };
  // Of another `Request`. Where a browser does not show its stream, it is read as a whole.
  const ofInput = request.body as ReadableStream<Uint8Array> | null | undefined;
  if (ofInput === null) return undefined;
  if (ofInput !== undefined) return { kind: 'stream', stream: ofInput };
  const bytes = new Uint8Array(await request.arrayBuffer());
  return bytes.length === 0 ? undefined : { kind: 'bytes', bytes };
}
