import { httpSignature, ProtocolError } from '@uemkit/protocol';
import type { HttpAnswer, HttpRequest } from './http-server.ts';

/** Origins whose pages may talk to a lab. */
export const MAX_ORIGINS = 64;
/** How long a browser may remember that it may ask, seconds. */
const PREFLIGHT_S = '600';
const REQUEST_HEADERS = ['content-type', ...httpSignature.SIGNATURE_FIELDS].join(', ');
const ANSWER_HEADERS = [...httpSignature.SIGNATURE_FIELDS, httpSignature.CHALLENGE_FIELD, 'retry-after'].join(', ');

/** What the pages of some origins may do; everybody else's may do nothing. */
export interface PageAccess {
  /** False for a page of another origin. Who sends no `origin` is not in a page. */
  allows(origin: string | undefined): boolean;
  /** Answers preflights, refuses other origins, and lets pages read what `handle` answers. Never with credentials. */
  guard(handle: (request: HttpRequest) => Promise<HttpAnswer | undefined>): (request: HttpRequest) => Promise<HttpAnswer | undefined>;
}

/**
 * Access of pages (docs/protocol/11-signatures.md, 11.7). There is no wildcard.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` for what is not an origin as browsers write it, or too many
 */
export function pageAccess(origins: readonly string[], refused: (request: HttpRequest, reason: string) => void): PageAccess {
  for (const origin of origins) requireOrigin(origin);
  if (origins.length > MAX_ORIGINS) throw new ProtocolError('ERR_USAGE_ARGUMENT', `more than ${MAX_ORIGINS} origins`);
  const allows = (origin: string | undefined): boolean => origin === undefined || origins.includes(origin);
  return {
    allows,
    guard: (handle) => async (request) => {
      const { origin } = request.headers;
      if (!allows(origin)) {
        refused(request, 'a page of another origin');
        return { status: 403 };
      }
      if (origin === undefined) return handle(request);
      const readable = { 'access-control-allow-origin': origin, vary: 'origin' };
      if (request.method === 'OPTIONS') return { status: 200, headers: { ...readable, ...PREFLIGHT } };
      const answer = await handle(request);
      return answer && { ...answer, headers: { ...answer.headers, ...readable, 'access-control-expose-headers': ANSWER_HEADERS } };
    },
  };
}

const PREFLIGHT: Readonly<Record<string, string>> = {
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers': REQUEST_HEADERS,
  'access-control-max-age': PREFLIGHT_S,
};

/** @throws ProtocolError `ERR_USAGE_ARGUMENT` */
export function requireOrigin(origin: string): void {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return;
  throw new ProtocolError('ERR_USAGE_ARGUMENT', `${origin} is no origin; one is like https://app.example:8443`, { details: { origin } });
}
