import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/bytes/bytes.ts';
import { secret } from '../../src/bytes/secret.ts';
import { toHex } from '../../src/bytes/text.ts';
import { deriveSecret, NO_CONTEXT } from '../../src/key-schedule/kdf.ts';
import { cbcCiphertextBytes, cbcHeader } from '../../src/record/cbc-layout.ts';
import { CBC_PLAINTEXT_BYTES, type CbcOptions, createCbcOpener, createCbcSealer } from '../../src/record/cbc-record.ts';
import { CBC_RECORD_LIMITS, RECEIVE_GRACE_MS } from '../../src/record/record-limits.ts';
import { seededEntropy } from '../../src/testing/fakes/seeded-entropy.ts';
import { LIMITS } from '../../src/wire/limits.ts';
import { PROVIDERS, thrown } from '../vectors/vectors.ts';
import { expectRefused } from './refused.ts';

const DAY_MS = 86_400_000;
const TEXT = Uint8Array.from({ length: 40 }, (_, at) => at);

describe.each(PROVIDERS)('CBC records with $name', ({ crypto }) => {
  const options = (more: Partial<CbcOptions> = {}): CbcOptions => ({
    traffic: secret(new Uint8Array(32).fill(1)),
    direction: 'initiator-to-responder',
    bornMs: 1_000,
    ...more,
  });
  const sealerOf = (more?: Partial<CbcOptions>) => createCbcSealer(crypto, seededEntropy('cbc'), options(more));
  const openerOf = (more?: Partial<CbcOptions>) => createCbcOpener(crypto, options(more));

  it('come out as they went in, in order, for any plaintext', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 6 }), (plaintexts) => {
        const [sealer, opener] = [sealerOf(), openerOf()];
        for (const [at, plaintext] of plaintexts.entries()) {
          expect([sealer.sequence, opener.sequence]).toEqual([at, at]);
          expect(opener.open(sealer.seal(plaintext, 1_000), 1_000)).toEqual(plaintext);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('take a fresh iv for each record', () => {
    const sealer = sealerOf();
    const [first, second] = [sealer.seal(TEXT, 1_000), sealer.seal(TEXT, 1_000)];
    expect(toHex(first.slice(14, 30))).not.toBe(toHex(second.slice(14, 30)));
    expect(toHex(first.slice(30))).not.toBe(toHex(second.slice(30)));
  });

  it('are refused with one and the same error, whatever is wrong', () => {
    const sealer = sealerOf();
    const record = sealer.seal(TEXT, 1_000);
    const second = sealer.seal(TEXT, 1_000);
    const bad = [
      ...Array.from(record, (_, at) => record.map((byte, i) => (i === at ? byte ^ 1 : byte))),
      ...Array.from(record, (_, at) => record.map((byte, i) => (i === at ? byte ^ 0x80 : byte))),
      ...Array.from(record, (_, lengthBytes) => record.subarray(0, lengthBytes)),
      concatBytes(record, Uint8Array.of(0)),
      concatBytes(record, new Uint8Array(16)),
      second,
      sealerOf({ direction: 'responder-to-initiator' }).seal(TEXT, 1_000),
      sealerOf({ traffic: secret(new Uint8Array(32).fill(2)) }).seal(TEXT, 1_000),
    ];
    expect(bad).toHaveLength(3 * record.length + 5);
    for (const attempt of bad) {
      const opener = openerOf();
      expectRefused(() => opener.open(attempt, 1_000));
      // The direction has ended: the right record comes too late, with the same error.
      expectRefused(() => opener.open(record, 1_000));
    }
    expect(openerOf().open(record, 1_000)).toEqual(TEXT);
  });

  it('are refused when they come twice', () => {
    const [record, opener] = [sealerOf().seal(TEXT, 1_000), openerOf()];
    opener.open(record, 1_000);
    expectRefused(() => opener.open(record, 1_000));
  });

  it('go on where saved state left off', () => {
    const [sealer, opener] = [sealerOf({ sequence: 1 }), openerOf({ sequence: 1 })];
    expect(opener.open(sealer.seal(TEXT, 1_000), 1_000)).toEqual(TEXT);
    expect([sealer.sequence, opener.sequence]).toEqual([2, 2]);
  });

  it('hold 65,551 bytes and no more', () => {
    const [sealer, opener] = [sealerOf(), openerOf()];
    const record = sealer.seal(new Uint8Array(CBC_PLAINTEXT_BYTES), 1_000);
    expect(opener.open(record, 1_000)).toHaveLength(CBC_PLAINTEXT_BYTES);
    expect(record).toHaveLength(LIMITS.cbcCiphertextBytes + 62);
    expect(thrown(() => sealer.seal(new Uint8Array(CBC_PLAINTEXT_BYTES + 1), 1_000))).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    expect(sealer.sequence).toBe(1);
  });

  it('longer than that are refused although the tag fits', () => {
    const { traffic, direction } = options();
    const header = cbcHeader(direction, 0, cbcCiphertextBytes(CBC_PLAINTEXT_BYTES + 1));
    const iv = new Uint8Array(16);
    const key = crypto.cbcHs512(deriveSecret(crypto, traffic, 'cbc', NO_CONTEXT, 64));
    const { ciphertext, tag } = key.seal(iv, header, new Uint8Array(CBC_PLAINTEXT_BYTES + 1));
    expectRefused(() => openerOf().open(concatBytes(header, iv, ciphertext, tag), 1_000));
  });

  it('end after 2^20 under one key, on both sides', () => {
    expect(CBC_RECORD_LIMITS).toEqual({ records: 2 ** 20, keyAgeMs: DAY_MS });
    const last = { sequence: 2 ** 20 - 1 };
    const [sealer, opener] = [sealerOf(last), openerOf(last)];
    const record = sealer.seal(TEXT, 1_000);
    expect(opener.open(record, 1_000)).toEqual(TEXT);
    expect(thrown(() => sealer.seal(TEXT, 1_000))).toMatchObject({ code: 'ERR_CRYPTO_EXHAUSTED' });
    expect(thrown(() => opener.open(record, 1_000))).toMatchObject({ code: 'ERR_CRYPTO_EXHAUSTED' });
  });

  it('end after 24 hours, for the receiver a minute later', () => {
    const sealer = sealerOf();
    const record = sealer.seal(TEXT, 1_000 + DAY_MS - 1);
    expect(thrown(() => sealer.seal(TEXT, 1_000 + DAY_MS))).toMatchObject({ code: 'ERR_CRYPTO_EXHAUSTED' });
    expect(openerOf().open(record, 1_000 + DAY_MS + RECEIVE_GRACE_MS - 1)).toEqual(TEXT);
    expect(thrown(() => openerOf().open(record, 1_000 + DAY_MS + RECEIVE_GRACE_MS))).toMatchObject({ code: 'ERR_CRYPTO_EXHAUSTED' });
  });

  it('keep a clock that was set back from ending a key early', () => {
    const sealer = sealerOf();
    expect(openerOf().open(sealer.seal(TEXT, -5_000), -5_000)).toEqual(TEXT);
  });

  it('take lower bounds from options, never higher ones', () => {
    const low = sealerOf({ limits: { records: 1, keyAgeMs: 10 } });
    expect(thrown(() => low.seal(TEXT, 1_010))).toMatchObject({ code: 'ERR_CRYPTO_EXHAUSTED' });
    low.seal(TEXT, 1_009);
    expect(thrown(() => low.seal(TEXT, 1_009))).toMatchObject({ code: 'ERR_CRYPTO_EXHAUSTED' });
    const high = sealerOf({ sequence: 2 ** 20, limits: { records: 2 ** 30, keyAgeMs: 2 * DAY_MS } });
    expect(thrown(() => high.seal(TEXT, 1_000))).toMatchObject({ code: 'ERR_CRYPTO_EXHAUSTED' });
    const old = sealerOf({ limits: { keyAgeMs: 2 * DAY_MS } });
    expect(thrown(() => old.seal(TEXT, 1_000 + DAY_MS))).toMatchObject({ code: 'ERR_CRYPTO_EXHAUSTED' });
  });

  it('end with wipe, and leave the traffic secret to its holder', () => {
    const traffic = secret<'traffic'>(new Uint8Array(32).fill(1));
    const [sealer, opener] = [sealerOf({ traffic }), openerOf({ traffic })];
    const record = sealer.seal(TEXT, 1_000);
    sealer.wipe();
    opener.wipe();
    expect(thrown(() => sealer.seal(TEXT, 1_000))).toMatchObject({ code: 'ERR_USAGE_STATE' });
    expect(thrown(() => opener.open(record, 1_000))).toMatchObject({ code: 'ERR_USAGE_STATE' });
    expect(toHex(traffic)).toBe('01'.repeat(32));
  });

  it('end with wipe whatever the provider does', () => {
    const forgetful = { ...crypto, cbcHs512: (key: Uint8Array) => ({ ...crypto.cbcHs512(key), wipe: () => {} }) };
    const sealer = createCbcSealer(forgetful, seededEntropy('cbc'), options());
    const opener = createCbcOpener(forgetful, options());
    const record = sealer.seal(TEXT, 1_000);
    sealer.wipe();
    opener.wipe();
    expect(thrown(() => sealer.seal(TEXT, 1_000))).toMatchObject({ code: 'ERR_USAGE_STATE' });
    expect(thrown(() => opener.open(record, 1_000))).toMatchObject({ code: 'ERR_USAGE_STATE' });
  });

  it('are not made from a traffic secret that has been wiped', () => {
    const gone = { traffic: secret<'traffic'>(new Uint8Array(32)) };
    expect(thrown(() => sealerOf(gone))).toMatchObject({ code: 'ERR_INTERNAL' });
    expect(thrown(() => openerOf(gone))).toMatchObject({ code: 'ERR_INTERNAL' });
  });
});

describe('keys of CBC records', () => {
  it('are prepared once and wiped with their owner', () => {
    const base = PROVIDERS[1].crypto;
    const seen = { prepared: 0, wiped: 0, keys: [] as Uint8Array[] };
    const counting: typeof base = {
      ...base,
      cbcHs512(key) {
        seen.prepared++;
        seen.keys.push(key);
        const real = base.cbcHs512(key);
        const wipe = (): void => {
          seen.wiped++;
          real.wipe();
        };
        return { ...real, wipe };
      },
    };
    const made: CbcOptions = { traffic: secret(new Uint8Array(32).fill(1)), direction: 'initiator-to-responder', bornMs: 0 };
    const [sealer, opener] = [createCbcSealer(counting, seededEntropy('x'), made), createCbcOpener(counting, made)];
    for (let i = 0; i < 10; i++) opener.open(sealer.seal(TEXT, 0), 0);
    expect(seen.prepared).toBe(2);
    expect(seen.keys.map(toHex)).toEqual(['00'.repeat(64), '00'.repeat(64)]);
    sealer.wipe();
    thrown(() => opener.open(new Uint8Array(0), 0));
    expect(seen.wiped).toBe(2);
  });
});
