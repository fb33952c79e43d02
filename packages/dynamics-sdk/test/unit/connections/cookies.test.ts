import { CookieJar } from 'tough-cookie';
import { describe, expect, it } from 'vitest';
import { CookieKeeper, MAX_COOKIE_BYTES, MAX_COOKIES_BYTES } from '../../../src/http/cookie-keeper.ts';
import type { SecureContainer } from '../../../src/index.ts';

const URL = 'https://wiki.example.com/';

/** A container whose values are a map, and whether it takes any. */
function container(): { readonly values: Map<string, Uint8Array>; isFull: boolean; readonly container: SecureContainer } {
  const values = new Map<string, Uint8Array>();
  const made = {
    values,
    isFull: false,
    container: {
      values: {
        get: async (name: string) => values.get(name),
        async put(name: string, value: Uint8Array) {
          if (made.isFull) throw new Error('full');
          values.set(name, value);
        },
      },
    } as unknown as SecureContainer,
  };
  return made;
}

async function cookiesAfter(opened: SecureContainer): Promise<string | undefined> {
  return (await new CookieKeeper(() => opened, CookieJar).jar())?.getCookieStringSync(URL);
}

describe('the cookies of an app', () => {
  it('drops those that were not used for longest when there are too many, in memory and in the container', async () => {
    const kept = container();
    const keeper = new CookieKeeper(() => kept.container, CookieJar);
    const jar = await keeper.jar();
    if (jar === undefined) throw new Error('no jar');
    for (let at = 0; at < 80; at += 1) keeper.take(jar, `https://h${at}.example.com/`, [`c=${String(at).padStart(3_900, 'x')}; Max-Age=100`]);
    await keeper.settled();
    const saved = kept.values.get('dynamics/cookies') as Uint8Array;
    expect(saved.length).toBeLessThanOrEqual(MAX_COOKIES_BYTES + 2);
    const count = (JSON.parse(Buffer.from(saved).toString()) as unknown[]).length;
    expect(count).toBeGreaterThan(40);
    expect(count).toBeLessThan(60);
    expect(jar.serializeSync()?.cookies).toHaveLength(count);
  });

  it('ignores a cookie that is too long, and one that is not of the server', async () => {
    const kept = container();
    const keeper = new CookieKeeper(() => kept.container, CookieJar);
    const jar = await keeper.jar();
    if (jar === undefined) throw new Error('no jar');
    const fits = `a=${'x'.repeat(MAX_COOKIE_BYTES - 14)}; Max-Age=9 `.slice(0, MAX_COOKIE_BYTES);
    keeper.take(jar, URL, [fits, `b=${'x'.repeat(MAX_COOKIE_BYTES)}`, 'c=1; Domain=other.example.org', 'd=1; Domain=com', '']);
    expect(jar.serializeSync()?.cookies.map(({ key }) => key)).toEqual(['a']);
  });

  it('are those of the container that is open: none without one, and others with another', async () => {
    const [first, second] = [container(), container()];
    let opened: SecureContainer | undefined = first.container;
    const keeper = new CookieKeeper(() => opened, CookieJar);
    const jar = await keeper.jar();
    if (jar === undefined) throw new Error('no jar');
    keeper.take(jar, URL, ['a=1; Max-Age=100']);
    await keeper.settled();
    opened = undefined;
    expect(await keeper.jar()).toBeUndefined();
    // What comes late, when the container is closed, is written nowhere.
    opened = second.container;
    keeper.take(jar, URL, ['b=1; Max-Age=100']);
    await keeper.settled();
    expect([await cookiesAfter(first.container), await cookiesAfter(second.container)]).toEqual(['a=1', '']);
  });

  it('are used all the same when they cannot be saved, and saved with the next change', async () => {
    const kept = container();
    const keeper = new CookieKeeper(() => kept.container, CookieJar);
    const jar = await keeper.jar();
    if (jar === undefined) throw new Error('no jar');
    kept.isFull = true;
    keeper.take(jar, URL, ['a=1; Max-Age=100']);
    await keeper.settled();
    expect(jar.getCookieStringSync(URL)).toBe('a=1');
    kept.isFull = false;
    keeper.take(jar, URL, ['b=1; Expires=Wed, 01 Jan 2098 00:00:00 GMT', 'session=1']);
    await keeper.settled();
    expect(await cookiesAfter(kept.container)).toBe('a=1; b=1');
  });
});
