import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { secret } from '../../src/bytes/secret.ts';
import { fromHex, toHex } from '../../src/bytes/text.ts';
import { newPushChannel, openPush, openPushToken, type PushChannelKeys, pushToken, sealPush } from '../../src/key-schedule/push-channel.ts';
import { nodeCrypto } from '../../src/providers/node/index.ts';
import { LIMITS } from '../../src/wire/limits.ts';
import { load, PROVIDERS, thrown } from '../vectors/vectors.ts';
import { watchedCrypto } from '../watched-crypto.ts';

interface Case {
  readonly id: string;
  readonly channelId: string;
  readonly key: string;
  readonly token: string;
  readonly iv: string;
  readonly content: { readonly messageId: string; readonly sentAtEpochMs: number; readonly body: string };
  readonly sealed: string;
}

const { cases, refused } = load<{ readonly cases: readonly Case[]; readonly refused: readonly { readonly id: string; readonly sealed: string }[] }>(
  'uemkit/push-channels.json',
);
const [FIRST] = cases as [Case];
const channel = (changed: Partial<PushChannelKeys> = {}): PushChannelKeys => ({
  channelId: fromHex(FIRST.channelId),
  key: secret(fromHex(FIRST.key)),
  ...changed,
});
const contentOf = ({ content: { messageId, sentAtEpochMs, body } }: Case) => ({ messageId: fromHex(messageId), sentAtEpochMs, body: fromHex(body) });
const crypto = nodeCrypto();

describe.each(PROVIDERS)('push channels of the second implementation, $name', ({ crypto: provider }) => {
  it.each(cases.map((vector) => [vector.id, vector] as const))('%s', (_id, vector) => {
    expect(toHex(sealPush(provider, channel(), contentOf(vector), fromHex(vector.iv)))).toBe(vector.sealed);
    expect(openPush(provider, channel(), fromHex(vector.sealed))).toEqual(contentOf(vector));
    expect(pushToken(channel())).toBe(vector.token);
    expect(openPushToken(vector.token)).toEqual(channel());
  });

  it.each(refused.map(({ id, sealed }) => [id, sealed] as const))('refused: %s', (_id, sealed) => {
    expect(thrown(() => openPush(provider, channel(), fromHex(sealed)))).toMatchObject({ code: expect.stringMatching(/^ERR_(?:CRYPTO_OPEN|WIRE_\w+)$/) });
  });
});

describe('a push channel', () => {
  it('opens no message of another one, and none that was changed or cut', () => {
    const sealed = fromHex(FIRST.sealed);
    const open = (bytes: Uint8Array, of = channel()) => thrown(() => openPush(crypto, of, bytes));
    expect(open(sealed, channel({ channelId: new Uint8Array(16) }))).toMatchObject({ code: 'ERR_CRYPTO_OPEN' });
    expect(open(sealed, channel({ key: secret(new Uint8Array(32).fill(1)) }))).toMatchObject({ code: 'ERR_CRYPTO_OPEN' });
    for (let at = 0; at < sealed.length; at++) {
      const changed = sealed.slice();
      changed[at] = (changed[at] as number) ^ 1;
      expect(open(changed)).toMatchObject({ code: 'ERR_CRYPTO_OPEN' });
      expect(open(sealed.subarray(0, at))).toMatchObject({ code: 'ERR_CRYPTO_OPEN' });
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void expect(open(bytes)).toMatchObject({ code: 'ERR_CRYPTO_OPEN' })));
  });

  it('has room for the longest text, and a token of 64 characters and no other form', () => {
    const longest = sealPush(
      crypto,
      channel(),
      { messageId: new Uint8Array(16), sentAtEpochMs: Number.MAX_SAFE_INTEGER, body: new Uint8Array(LIMITS.pushBodyBytes) },
      new Uint8Array(16),
    );
    expect(longest.length).toBeLessThanOrEqual(LIMITS.pushSealedBytes);
    expect(FIRST.token).toHaveLength(64);
    for (const token of ['', FIRST.token.slice(1), `${FIRST.token}A`, `${FIRST.token}=`, `${FIRST.token.slice(1)}!`, 'A'.repeat(8_000)]) {
      expect(thrown(() => openPushToken(token))).toMatchObject({ code: 'ERR_REJECTED_CREDENTIALS' });
    }
    for (const length of [47, 49]) expect(thrown(() => newPushChannel(new Uint8Array(length)))).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
  });

  it('leaves no key in memory but its own', () => {
    const watch = watchedCrypto(nodeCrypto());
    const own = channel();
    openPush(watch.crypto, own, sealPush(watch.crypto, own, contentOf(FIRST), fromHex(FIRST.iv)));
    thrown(() => openPush(watch.crypto, own, new Uint8Array(96)));
    expect(watch.left(own.key)).toEqual([]);
    expect(watch.seen).toBeGreaterThan(2);
  });
});
