import { isProtocolError } from '@uemkit/protocol';
import { type Dispatcher, fetch, Request, type RequestInfo, type RequestInit, type Response } from 'undici';
import type { CookieKeeper } from '../http/cookie-keeper.ts';
import { withCookies } from './with-cookies.ts';

/** `fetch` of undici: takes its requests and those of the platform, answers with its `Response`. */
export type RuntimeFetch = (input: RequestInfo | globalThis.Request, init?: RequestInit) => Promise<Response>;

export interface RuntimeFetchParts {
  readonly dispatcher: Dispatcher;
  readonly cookies: CookieKeeper;
}

export function runtimeFetch(parts: RuntimeFetchParts): RuntimeFetch {
  return async (input, init = {}) => {
    const { dispatcher, cookies } = parts;
    const request = new Request(ofUndici(input), init);
    const jar = request.credentials === 'omit' ? undefined : await cookies.jar();
    try {
      return await fetch(request, { dispatcher: jar === undefined ? dispatcher : withCookies(dispatcher, jar, cookies) });
    } catch (error) {
      throw reasonOf(error);
    } finally {
      await cookies.settled();
    }
  };
}

function ofUndici(input: Parameters<RuntimeFetch>[0]): RequestInfo {
  if (typeof input === 'string' || input instanceof Request || input instanceof URL) return input;
  const { url, method, headers, body, signal, redirect, credentials } = input as globalThis.Request;
  const given = { method, headers: [...headers], signal, redirect, credentials, ...(body === null ? {} : { body, duplex: 'half' }) };
  return new Request(url, given as RequestInit);
}

/** A failure of ours instead of the `TypeError` around it; anything else as `fetch` throws it. */
function reasonOf(error: unknown): unknown {
  const cause = error instanceof TypeError ? error.cause : undefined;
  return isProtocolError(cause) ? cause : error;
}
