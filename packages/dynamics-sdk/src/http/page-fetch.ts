import { type Clock, ProtocolError } from '@uemkit/protocol';
import type { ByteStream, ConnectTarget, WayOptions } from '../connections/way.ts';
import type { CookieJarLike } from './cookie-jar.ts';
import type { CookieKeeper } from './cookie-keeper.ts';
import { exchange } from './exchange.ts';
import { valuesOf } from './head.ts';
import { MAX_REDIRECTS } from './limits.ts';
import { makeResponse } from './make-response.ts';
import { readRequest } from './read-request.ts';
import { locationOf, redirectOf } from './redirect.ts';
import { type HttpRequest, requestHead } from './request.ts';

/** `fetch` of the platform, as far as a connection of an app can be it. */
export type PageFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

export interface PageFetchParts {
  open(target: ConnectTarget, options: WayOptions): Promise<ByteStream>;
  readonly clock: Clock;
  /** Absent: there are no cookies. */
  readonly cookies: CookieKeeper | undefined;
}

/** Requests of HTTP/1.1 over connections of the app, one for each: `http:` alone, and only where the way itself protects them up to the Proxy. */
export function pageFetch({ open, clock, cookies }: PageFetchParts): PageFetch {
  const ask = async (request: HttpRequest, jar: CookieJarLike | undefined, signal: AbortSignal) => {
    const target = targetOf(request.url);
    const head = requestHead(request, jar?.getCookieStringSync(request.url.href) ?? '');
    const stream = await open(target, { signal, sealed: true });
    const answer = await exchange(stream, { method: request.method, head, body: request.body }, { clock, signal });
    if (jar !== undefined) cookies?.take(jar, request.url.href, valuesOf(answer.head.headers, 'set-cookie'));
    return answer;
  };

  return async (input, init = {}) => {
    const { first, redirect, isWithCookies, signal } = await readRequest(input, init);
    signal.throwIfAborted();
    const jar = isWithCookies ? await cookies?.jar() : undefined;
    try {
      let request = first;
      for (let redirects = 0; ; redirects += 1) {
        const answer = await ask(request, jar, signal);
        const location = redirect === 'manual' ? undefined : locationOf(answer.head);
        if (location === undefined) return await makeResponse(answer, request.url, redirects > 0);
        await answer.body?.cancel();
        if (redirect === 'error') throw new TypeError('the server has redirected, which the request does not allow');
        if (redirects === MAX_REDIRECTS) throw new TypeError(`more than ${MAX_REDIRECTS} redirects`);
        request = redirectOf(request, answer.head.status, location);
      }
    } finally {
      await cookies?.settled();
    }
  };
}

function targetOf({ protocol, hostname, port }: URL): ConnectTarget {
  // check: TLS to the server is not there, and nothing goes out without it
  if (protocol === 'https:')
    throw new ProtocolError('ERR_CONNECTION_UNSUPPORTED', 'a page has no TLS inside of a connection: `fetch` of a page is for `http:` behind a Proxy');
  if (protocol !== 'http:') throw new TypeError('fetch is for HTTP');
  return { host: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname, port: port === '' ? 80 : Number(port) };
}
