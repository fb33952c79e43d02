import { utf8 } from '@uemkit/protocol';
import type { SecureContainer } from '../container/container.ts';
import type { CookieJarLike, CookieJarMaker, SavedCookie } from './cookie-jar.ts';

/** Where the cookies of an app are in the values of its container. */
const NAME = 'dynamics/cookies';

/** One `Set-Cookie`; a longer one is ignored (RFC 6265bis, 5.7). */
export const MAX_COOKIE_BYTES = 4_096;

/** All cookies of an app; the one that was not used for longest goes first. */
export const MAX_COOKIES_BYTES = 196_608;

/** The cookies of an app (RFC 6265): in memory while its container is open, and those with an expiry in the container. */
export class CookieKeeper {
  readonly #container: () => SecureContainer | undefined;
  readonly #maker: CookieJarMaker;
  #loaded: { readonly container: SecureContainer; readonly jar: Promise<CookieJarLike> } | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(container: () => SecureContainer | undefined, maker: CookieJarMaker) {
    this.#container = container;
    this.#maker = maker;
  }

  /** Undefined while there is no container: then there are no cookies, and none is kept. @throws ProtocolError `ERR_CRYPTO_OPEN`, `ERR_STORE_READ` */
  jar(): Promise<CookieJarLike | undefined> {
    const container = this.#container();
    if (container === undefined) this.#loaded = undefined;
    else if (this.#loaded?.container !== container) this.#loaded = { container, jar: load(container, this.#maker) };
    return this.#loaded?.jar ?? Promise.resolve(undefined);
  }

  /** Takes what a server has set; what is no cookie of it is ignored, as browsers do. */
  take(jar: CookieJarLike, url: string, setCookies: readonly string[]): void {
    for (const text of setCookies) {
      // check: length of a cookie
      if (utf8(text).length <= MAX_COOKIE_BYTES) jar.setCookieSync(text, url, { ignoreError: true });
    }
    const container = this.#container();
    if (container === undefined || this.#loaded?.container !== container) return;
    const cookies = bounded(jar);
    const content = utf8(JSON.stringify(cookies.filter(({ expires, maxAge }) => (expires ?? 'Infinity') !== 'Infinity' || typeof maxAge === 'number')));
    // Kept in memory all the same when it cannot be saved, and written with the next change.
    this.#saving = this.#saving.then(() => container.values.put(NAME, content)).catch(() => {});
  }

  /** What has been taken is durable, as far as it can be. */
  settled(): Promise<void> {
    return this.#saving;
  }
}

async function load(container: SecureContainer, Maker: CookieJarMaker): Promise<CookieJarLike> {
  const content = await container.values.get(NAME);
  const cookies = content === undefined ? [] : (JSON.parse(new TextDecoder().decode(content)) as SavedCookie[]);
  return Maker.deserializeSync(JSON.stringify({ ...new Maker().serializeSync(), cookies }));
}

/** Drops cookies until the rest is small enough. */
function bounded(jar: CookieJarLike): readonly SavedCookie[] {
  const cookies = [...(jar.serializeSync()?.cookies ?? [])].sort((a, b) => String(b.lastAccessed).localeCompare(String(a.lastAccessed)));
  let bytes = 0;
  return cookies.filter((cookie) => {
    bytes += utf8(JSON.stringify(cookie)).length + 1;
    if (bytes <= MAX_COOKIES_BYTES) return true;
    const { domain = null, path = null, key } = cookie;
    jar.store.removeCookie(domain as string | null, path as string | null, String(key), () => {});
    return false;
  });
}
