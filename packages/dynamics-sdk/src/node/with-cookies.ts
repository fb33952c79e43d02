import type { Dispatcher } from 'undici';
import type { CookieJarLike } from '../http/cookie-jar.ts';
import type { CookieKeeper } from '../http/cookie-keeper.ts';

type Dispatch = Dispatcher['dispatch'];

/** Adds the cookies of `jar` to each request, redirects included, and takes those of each answer. */
export function withCookies(dispatcher: Dispatcher, jar: CookieJarLike, keeper: CookieKeeper): Dispatcher {
  return dispatcher.compose(
    (dispatch: Dispatch): Dispatch =>
      (options, handler) => {
        const url = new URL(options.path, options.origin).href;
        const cookie = jar.getCookieStringSync(url);
        return dispatch(cookie === '' ? options : { ...options, headers: headersWith(options.headers, cookie) }, {
          onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
          onRequestUpgrade: (controller, status, answered, socket) => handler.onRequestUpgrade?.(controller, status, answered, socket),
          onResponseStart(controller, status, answered, message) {
            const set = answered['set-cookie'];
            if (set !== undefined) keeper.take(jar, url, Array.isArray(set) ? set : [set]);
            handler.onResponseStart?.(controller, status, answered, message);
          },
          onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
          onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
          onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
        });
      },
  );
}

/** As `fetch` hands headers to a dispatcher: a record. A cookie that the app itself sets comes first. */
function headersWith(headers: Dispatcher.DispatchOptions['headers'], cookie: string): Record<string, string | string[] | undefined> {
  const given = { ...(headers as Record<string, string>) };
  const name = Object.keys(given).find((key) => key.toLowerCase() === 'cookie');
  const own = name === undefined ? undefined : given[name];
  if (name !== undefined) delete given[name];
  return { ...given, cookie: own === undefined ? cookie : `${own}; ${cookie}` };
}
