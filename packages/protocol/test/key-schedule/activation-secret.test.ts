import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/bytes/bytes.ts';
import { secret } from '../../src/bytes/secret.ts';
import { fromHex, toHex } from '../../src/bytes/text.ts';
import { activationKeys, wipeActivationKeys } from '../../src/key-schedule/activation-schedule.ts';
import {
  fakeSalt,
  fakeVerifier,
  generateActivationPassword,
  passwordBytes,
  passwordStretch,
  requireScryptCost,
  stretchQrSecret,
  verifierFromStretched,
  witnessFromStretched,
} from '../../src/key-schedule/activation-secret.ts';
import { requireUncompressedPoint } from '../../src/key-schedule/public-key.ts';
import { randomScalar, reduceToScalar } from '../../src/key-schedule/scalar.ts';
import { nodeCrypto } from '../../src/providers/node/index.ts';
import { seededEntropy } from '../../src/testing/fakes/seeded-entropy.ts';
import { PROVIDERS, thrown } from '../vectors/vectors.ts';

const crypto = nodeCrypto();
const ORDER = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
const identity = { userId: 'alice@example.com', coreId: 'core-1' };
const salt = new Uint8Array(16).fill(0x55);

describe('scrypt cost that a server asks for', () => {
  it.each([2 ** 14, 2 ** 15, 2 ** 16, 2 ** 17])('takes N = %d with p from 1 to 4', (N) => {
    for (const p of [1, 2, 3, 4]) expect(requireScryptCost([N, 8, p])).toEqual({ N, r: 8, p });
  });

  it.each([
    [[2 ** 13, 8, 1]],
    [[2 ** 18, 8, 1]],
    [[2 ** 15 + 1, 8, 1]],
    [[2 ** 15 - 1, 8, 1]],
    [[2 ** 15, 7, 1]],
    [[2 ** 15, 9, 1]],
    [[2 ** 15, 8, 0]],
    [[2 ** 15, 8, 5]],
    [[2 ** 15, 8]],
    [[2 ** 15, 8, 1, 1]],
    [[]],
  ])('refuses %j', (cost) => {
    expect(thrown(() => requireScryptCost(cost))).toMatchObject({ code: 'ERR_WIRE_FIELD' });
  });
});

describe('activation password', () => {
  it('goes in as NFC, so that a phone and a console that type it differently agree', () => {
    expect(passwordBytes('Cafe\u0301')).toEqual(passwordBytes('Caf\u00e9'));
    expect(passwordBytes('A')).not.toEqual(passwordBytes('a'));
    expect(passwordBytes(' a ')).not.toEqual(passwordBytes('a'));
  });

  it.each([[''], ['x'.repeat(256)], ['é'.repeat(128)], ['\ud800']])('refuses what is empty, too long or no text (%#)', (password) => {
    expect(thrown(() => passwordBytes(password))).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
  });

  it('takes the longest', () => {
    expect(passwordBytes('x'.repeat(255))).toHaveLength(255);
  });

  it('is generated from ten letters and digits that are hard to confuse', () => {
    const password = generateActivationPassword(seededEntropy('password'));
    expect(password).toMatch(/^[0-9a-hjkmnp-tv-z]{10}$/);
    expect(generateActivationPassword(seededEntropy('another'))).not.toBe(password);
  });

  it('is stretched together with both ids, and no two splits of the same text collide', () => {
    const cost = { N: 2 ** 14, r: 8, p: 1 };
    const base = toHex(passwordStretch('secret', identity, salt, cost).password);
    expect(toHex(passwordStretch('secretalice@example.com', { ...identity, userId: 'x' }, salt, cost).password)).not.toBe(base);
    expect(toHex(passwordStretch('secret', { userId: 'alice@example.comcore', coreId: '-1' }, salt, cost).password)).not.toBe(base);
    expect(passwordStretch('secret', identity, salt, cost)).toMatchObject({ salt, cost, lengthBytes: 80 });
  });
});

describe('QR secret', () => {
  it('depends on salt, both ids and secret', () => {
    const secretBytes = new Uint8Array(16).fill(7);
    const all = [
      stretchQrSecret(crypto, secretBytes, identity, salt),
      stretchQrSecret(crypto, secretBytes, identity, new Uint8Array(16)),
      stretchQrSecret(crypto, secretBytes, { ...identity, userId: 'bob@example.com' }, salt),
      stretchQrSecret(crypto, secretBytes, { ...identity, coreId: 'core-2' }, salt),
      stretchQrSecret(crypto, new Uint8Array(16).fill(8), identity, salt),
    ];
    expect(new Set(all.map(toHex)).size).toBe(5);
    expect(toHex(secretBytes)).toBe('07'.repeat(16));
  });
});

describe('w0 and w1', () => {
  const multipleOfOrder = fromHex(`0000000000000001${ORDER}`).fill(0, 0, 8);

  it.each([
    ['w0', concatBytes(multipleOfOrder, new Uint8Array(40).fill(1))],
    ['w1', concatBytes(new Uint8Array(40).fill(1), multipleOfOrder)],
    ['both', new Uint8Array(80)],
  ])('ask for another salt when %s is 0 modulo the order', (_name, stretched) => {
    expect(verifierFromStretched(crypto, stretched.slice())).toBeUndefined();
    expect(witnessFromStretched(stretched)).toBeUndefined();
    expect(toHex(stretched)).toBe('00'.repeat(80));
  });

  it('need 80 bytes', () => {
    expect(thrown(() => witnessFromStretched(new Uint8Array(79).fill(1)))).toMatchObject({ code: 'ERR_INTERNAL' });
  });

  it('are the remainder, big-endian, 32 bytes', () => {
    const order = BigInt(`0x${ORDER}`);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 40, maxLength: 40 }), (bytes) => {
        const expected = BigInt(`0x${toHex(bytes)}`) % order;
        const reduced = reduceToScalar(bytes);
        if (expected === 0n) return reduced === undefined;
        return reduced?.length === 32 && BigInt(`0x${toHex(reduced)}`) === expected;
      }),
    );
    expect(toHex(reduceToScalar(fromHex('05')) as Uint8Array)).toBe(`${'00'.repeat(31)}05`);
    expect(reduceToScalar(fromHex(ORDER))).toBeUndefined();
  });
});

describe('random scalar', () => {
  it('draws again what is 0 or not below the order', () => {
    const draws = ['00'.repeat(32), ORDER, 'ff'.repeat(32), `${'00'.repeat(31)}01`].map(fromHex);
    expect(toHex(randomScalar({ randomBytes: () => draws.shift() as Uint8Array }))).toBe(`${'00'.repeat(31)}01`);
    expect(draws).toEqual([]);
  });

  it('takes the largest, order - 1', () => {
    const largest = ORDER.replace(/51$/, '50');
    expect(toHex(randomScalar({ randomBytes: () => fromHex(largest) }))).toBe(largest);
  });

  it('gives up on a source that is broken', () => {
    let draws = 0;
    const broken = {
      randomBytes(lengthBytes: number) {
        draws++;
        return new Uint8Array(lengthBytes);
      },
    };
    expect(thrown(() => randomScalar(broken))).toMatchObject({ code: 'ERR_INTERNAL' });
    expect(draws).toBe(8);
  });
});

describe.each(PROVIDERS)('a user without a secret, with $name', ({ crypto: provider }) => {
  it('gets a verifier like any other, that changes from run to run', () => {
    const [first, second] = [fakeVerifier(provider, seededEntropy('a')), fakeVerifier(provider, seededEntropy('b'))];
    expect([first.w0.length, first.L.length]).toEqual([32, 65]);
    requireUncompressedPoint(first.L);
    expect(provider.p256Add(first.L, second.L)).toHaveLength(65);
    expect(toHex(first.w0)).not.toBe(toHex(second.w0));
  });

  it('gets the same salt on every try, another for another user, kind or server', () => {
    const key = secret<'fake-salt'>(new Uint8Array(32).fill(9));
    const first = fakeSalt(provider, key, 'alice', 'password');
    expect(fakeSalt(provider, key, 'alice', 'password')).toEqual(first);
    const others = [
      fakeSalt(provider, key, 'alice', 'qr'),
      fakeSalt(provider, key, 'bob', 'password'),
      fakeSalt(provider, secret(new Uint8Array(32).fill(8)), 'alice', 'password'),
    ];
    expect(new Set([first, ...others].map(toHex)).size).toBe(4);
    expect(first).toHaveLength(16);
  });
});

describe('keys of an activation run', () => {
  const shared = () => secret<'spake2-shared'>(new Uint8Array(32).fill(3));
  const [h2, a3, a4] = [new Uint8Array(32).fill(1), Uint8Array.of(1, 2), Uint8Array.of(3)];

  it('depend on every frame and on the shared key', () => {
    const runs = [
      activationKeys(crypto, h2, a3, a4, shared()),
      activationKeys(crypto, new Uint8Array(32).fill(2), a3, a4, shared()),
      activationKeys(crypto, h2, Uint8Array.of(1), a4, shared()),
      activationKeys(crypto, h2, a3, Uint8Array.of(2, 3), shared()),
      activationKeys(crypto, h2, a3, a4, secret(new Uint8Array(32).fill(4))),
    ];
    const all = runs.flatMap((run) => [run.initiatorTraffic, run.responderTraffic, run.possession].map(toHex));
    expect(new Set(all).size).toBe(15);
  });

  it('are wiped at the end of the run', () => {
    const keys = activationKeys(crypto, h2, a3, a4, shared());
    wipeActivationKeys(keys);
    expect([keys.initiatorTraffic, keys.responderTraffic, keys.possession].map(toHex)).toEqual(Array(3).fill('00'.repeat(32)));
  });
});
