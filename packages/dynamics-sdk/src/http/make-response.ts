import { decoded } from './decoded.ts';
import type { Answer } from './exchange.ts';

/** `Response` takes no body with these. */
const NO_BODY: readonly number[] = [204, 205, 304];

/** The platform's `Response` of an answer. Like in every page, `Set-Cookie` is not for the eyes of the app. */
export async function makeResponse({ head, body }: Answer, url: URL, redirected: boolean): Promise<Response> {
  const headers = new Headers();
  for (const [name, value] of head.headers) if (name.toLowerCase() !== 'set-cookie') headers.append(name, value);
  const { status, statusText } = head;
  const isBare = body === null || NO_BODY.includes(status);
  if (isBare) await body?.cancel();
  const response = new Response(isBare ? null : decoded(body, headers.get('content-encoding')), { status, statusText, headers });
  const shown = new URL(url);
  shown.hash = '';
  return told(response, shown.href, redirected);
}

/** Where it came from only `fetch` of the platform can set; a copy knows it too. */
function told(response: Response, url: string, redirected: boolean): Response {
  const { clone } = response;
  return Object.defineProperties(response, {
    url: { value: url },
    redirected: { value: redirected },
    clone: { value: () => told(clone.call(response), url, redirected) },
  });
}
