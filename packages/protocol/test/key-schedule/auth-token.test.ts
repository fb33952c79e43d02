import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SecretBytes, secret } from '../../src/bytes/secret.ts';
import { fromHex, toHex } from '../../src/bytes/text.ts';
import { type AuthTokenKeys, authTokenOwner, openAuthToken, sealAuthToken } from '../../src/key-schedule/auth-token.ts';
import { nodeCrypto } from '../../src/providers/node/index.ts';
import type { AuthTokenClaims } from '../../src/wire/auth-token.ts';
import { LIMITS } from '../../src/wire/limits.ts';
import { load, PROVIDERS, thrown } from '../vectors/vectors.ts';
import { watchedCrypto } from '../watched-crypto.ts';

interface Case {
  readonly id: string;
  readonly tenantId: string;
  readonly masterSessionKey: string;
  readonly sessionKeyId: string;
  readonly instanceId: string;
  readonly iv: string;
  readonly claims: AuthTokenClaims;
  readonly token: string;
}

const { cases, refused } = load<{ readonly cases: readonly Case[]; readonly refused: readonly { readonly id: string; readonly token: string }[] }>(
  'uemkit/auth-tokens.json',
);
const [FIRST] = cases as [Case];
const masterSessionKey = (): SecretBytes<'master-session'> => secret(fromHex(FIRST.masterSessionKey));
const keys = (changed: Partial<AuthTokenKeys> = {}): AuthTokenKeys => ({
  masterSessionKey: masterSessionKey(),
  tenantId: FIRST.tenantId,
  sessionKeyId: fromHex(FIRST.sessionKeyId),
  instanceId: fromHex(FIRST.instanceId),
  ...changed,
});
const crypto = nodeCrypto();
const REFUSED = { code: 'ERR_REJECTED_CREDENTIALS', message: 'the auth token is not valid' };

describe.each(PROVIDERS)('auth tokens of the second implementation, $name', ({ crypto: provider }) => {
  it.each(cases.map((vector) => [vector.id, vector] as const))('%s', (_id, { iv, claims, token }) => {
    expect(toHex(sealAuthToken(provider, keys(), claims, fromHex(iv)))).toBe(token);
    expect(openAuthToken(provider, keys(), fromHex(token))).toEqual(claims);
    expect(authTokenOwner(fromHex(token))).toEqual({ sessionKeyId: fromHex(FIRST.sessionKeyId), instanceId: fromHex(FIRST.instanceId) });
  });

  it.each(refused.map(({ id, token }) => [id, token] as const))('refused: %s', (_id, token) => {
    expect(thrown(() => openAuthToken(provider, keys(), fromHex(token)))).toMatchObject(REFUSED);
  });
});

describe('an auth token', () => {
  const token = fromHex(FIRST.token);

  it('opens with the keys of its app alone', () => {
    const other = new Uint8Array(16).fill(9);
    for (const changed of [
      { masterSessionKey: secret<'master-session'>(new Uint8Array(32).fill(7)) },
      { sessionKeyId: other },
      { instanceId: other },
      { tenantId: 'other' },
    ]) {
      expect(thrown(() => openAuthToken(crypto, keys(changed), token))).toMatchObject(REFUSED);
    }
  });

  it("under the ids of another installation with the same key is not that one's", () => {
    const other = new Uint8Array(16).fill(9);
    const claimed = token.slice();
    claimed.set(other, 17);
    expect(thrown(() => openAuthToken(crypto, keys({ instanceId: other }), claimed))).toMatchObject(REFUSED);
  });

  it('is refused with any bit changed, cut, and longer, always by the same error', () => {
    for (let at = 0; at < token.length; at++) {
      const changed = token.slice();
      changed[at] = (changed[at] as number) ^ 1;
      expect(thrown(() => openAuthToken(crypto, keys(), changed))).toMatchObject(REFUSED);
      expect(thrown(() => openAuthToken(crypto, keys(), token.subarray(0, at)))).toMatchObject(REFUSED);
    }
    for (const more of [1, 16]) expect(thrown(() => openAuthToken(crypto, keys(), new Uint8Array([...token, ...new Uint8Array(more)])))).toMatchObject(REFUSED);
    expect(thrown(() => authTokenOwner(new Uint8Array([1, ...new Uint8Array(LIMITS.authTokenBytes + 48)])))).toMatchObject(REFUSED);
  });

  it('of random bytes is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(thrown(() => openAuthToken(crypto, keys(), Uint8Array.of(1, ...bytes)))).toMatchObject(REFUSED);
      }),
    );
  });

  it('holds what it is given, and nothing that fits no header field', () => {
    const make = (claims: Partial<AuthTokenClaims>): Uint8Array => sealAuthToken(crypto, keys(), { ...FIRST.claims, ...claims }, fromHex(FIRST.iv));
    for (const challenge of [' a', 'a ', 'a\nb', 'é', 'a\u0000', 'a'.repeat(256)]) {
      expect(thrown(() => make({ challenge }))).toMatchObject({ code: expect.stringMatching(/^ERR_WIRE_(?:FIELD|LENGTH)$/) });
    }
    for (const server of ['', 'a b', 'wiki:1', 'http://a']) expect(thrown(() => make({ server }))).toMatchObject({ code: expect.stringMatching(/^ERR_WIRE_/) });
    expect(make({ challenge: '~'.repeat(255), server: 'a'.repeat(255) }).length).toBeLessThanOrEqual(LIMITS.authTokenBytes);
    for (const iv of [15, 17])
      expect(thrown(() => sealAuthToken(crypto, keys(), FIRST.claims, new Uint8Array(iv)))).toMatchObject({
        code: 'ERR_USAGE_ARGUMENT',
        message: expect.stringContaining('session key or instance, or iv'),
      });
    for (const wrong of [{ sessionKeyId: new Uint8Array(15) }, { instanceId: new Uint8Array(17) }]) {
      expect(thrown(() => sealAuthToken(crypto, keys(wrong), FIRST.claims, fromHex(FIRST.iv)))).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    }
  });

  it('under a key that was wiped is an error of ours, not of the token', () => {
    const wiped = keys({ masterSessionKey: secret<'master-session'>(new Uint8Array(32)) });
    expect(thrown(() => openAuthToken(crypto, wiped, token))).toMatchObject({ code: 'ERR_INTERNAL' });
  });

  it('leaves no key in memory, whether it opens or not', () => {
    const watch = watchedCrypto(nodeCrypto());
    const { crypto: watched, left } = watch;
    const given = keys();
    const made = sealAuthToken(watched, given, FIRST.claims, fromHex(FIRST.iv));
    openAuthToken(watched, given, made);
    thrown(() => openAuthToken(watched, { ...given, tenantId: 'other' }, made));
    expect(left(given.masterSessionKey)).toEqual([]);
    expect(watch.seen).toBeGreaterThan(2);
  });
});
