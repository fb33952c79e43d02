import { type AnswerHead, valuesOf } from './head.ts';
import type { HttpRequest } from './request.ts';

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
const OF_A_BODY: readonly string[] = ['content-encoding', 'content-language', 'content-location', 'content-type'];

/** Where an answer leads; undefined: it is the last one. */
export function locationOf({ status, headers }: AnswerHead): string | undefined {
  return REDIRECTS.includes(status) ? valuesOf(headers, 'location')[0] : undefined;
}

/** The request that an answer leads to (Fetch standard, HTTP-redirect fetch). @throws TypeError where it leads nowhere */
export function redirectOf({ url, method, headers, body }: HttpRequest, status: number, location: string): HttpRequest {
  if (!URL.canParse(location, url.href)) throw new TypeError('a redirect leads to no URL');
  const next = new URL(location, url);
  // check: a redirect stays in HTTP, and brings no password along
  if ((next.protocol !== 'http:' && next.protocol !== 'https:') || next.username !== '' || next.password !== '')
    throw new TypeError('a redirect leads to what is no plain URL of HTTP');
  // check: a body that is gone is not sent again
  if (status !== 303 && body?.kind === 'stream') throw new TypeError('a redirect asks for a body again that was a stream');
  if (next.hash === '') next.hash = url.hash;
  const becomesGet = status === 303 ? method !== 'GET' && method !== 'HEAD' : status < 303 && method === 'POST';
  const kept = new Headers(headers);
  if (becomesGet) for (const name of OF_A_BODY) kept.delete(name);
  // check: what authorizes at one origin is not told to another one
  if (next.origin !== url.origin) kept.delete('authorization');
  return becomesGet ? { url: next, method: 'GET', headers: kept, body: undefined } : { url: next, method, headers: kept, body };
}
