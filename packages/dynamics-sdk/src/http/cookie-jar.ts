/** A cookie as a jar writes it down; `CookieJar` of tough-cookie. */
export interface SavedCookie {
  readonly [field: string]: unknown;
}

/** What is used of a jar of cookies (RFC 6265): `CookieJar` of tough-cookie has it. */
export interface CookieJarLike {
  getCookieStringSync(url: string): string;
  setCookieSync(cookie: string, url: string, options: { readonly ignoreError: boolean }): unknown;
  serializeSync(): { readonly cookies: readonly SavedCookie[] } | undefined;
  readonly store: { removeCookie(domain: string | null, path: string | null, key: string, done: () => void): void };
}

/** `CookieJar` of tough-cookie. A page that wants cookies gives it: with the list of public suffixes that it brings it is as large as the rest of the SDK. */
export interface CookieJarMaker {
  new (): CookieJarLike;
  /** Of what `serializeSync` gave, as JSON. */
  deserializeSync(saved: string): CookieJarLike;
}
