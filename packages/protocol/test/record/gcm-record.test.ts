import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/bytes/bytes.ts';
import { secret } from '../../src/bytes/secret.ts';
import { toHex } from '../../src/bytes/text.ts';
import { createGcmGeneration } from '../../src/record/gcm-key.ts';
import { createGcmOpener, createGcmSealer, type GcmOptions } from '../../src/record/gcm-record.ts';
import { GCM_RECORD_LIMITS, RECEIVE_GRACE_MS } from '../../src/record/record-limits.ts';
import { createRecordStream } from '../../src/record/record-stream.ts';
import { PROVIDERS, thrown } from '../vectors/vectors.ts';
import { expectRefused } from './refused.ts';

const HOUR_MS = 3_600_000;
const TEXT = Uint8Array.from({ length: 40 }, (_, at) => at);
const DATA = { type: 'data', plaintext: TEXT };

describe.each(PROVIDERS)('GCM records with $name', ({ crypto }) => {
  const options = (more: Partial<GcmOptions> = {}): GcmOptions => ({ traffic: secret(new Uint8Array(32).fill(1)), bornMs: 1_000, ...more });
  const pair = (more?: Partial<GcmOptions>) => ({ sealer: createGcmSealer(crypto, options(more)), opener: createGcmOpener(crypto, options(more)) });
  /** One record under the first key, of any type and content. */
  const rawRecord = (type: number, plaintext: Uint8Array, sequence = 0) => {
    const generation = createGcmGeneration(crypto, options().traffic);
    const header = Uint8Array.of(type, (plaintext.length + 16) >> 8, (plaintext.length + 16) & 0xff);
    return concatBytes(header, generation.gcm.seal(generation.nonce(sequence), header, plaintext));
  };

  it('come out as they went in, in order, with key updates in between', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.uint8Array({ maxLength: 70 })), { maxLength: 8 }), (steps) => {
        const { sealer, opener } = pair();
        for (const step of steps) {
          if (step === null) expect(opener.open(sealer.updateKey(1_000), 1_000)).toEqual({ type: 'key-updated' });
          else expect(opener.open(sealer.sealData(step, 1_000), 1_000)).toEqual({ type: 'data', plaintext: step });
        }
        expect(opener.open(sealer.close(), 1_000)).toEqual({ type: 'closed', alert: 0 });
        opener.end();
      }),
      { numRuns: 40 },
    );
  });

  it('are refused with one and the same error, whatever is wrong', () => {
    const { sealer } = pair();
    const record = sealer.sealData(TEXT, 1_000);
    const second = sealer.sealData(TEXT, 1_000);
    const bad = [
      ...Array.from(record, (_, at) => record.map((byte, i) => (i === at ? byte ^ 1 : byte))),
      ...Array.from(record, (_, at) => record.map((byte, i) => (i === at ? byte ^ 0x80 : byte))),
      ...Array.from(record, (_, lengthBytes) => record.subarray(0, lengthBytes)),
      concatBytes(record, Uint8Array.of(0)),
      second,
      pair({ traffic: secret(new Uint8Array(32).fill(2)) }).sealer.sealData(TEXT, 1_000),
      rawRecord(0x16, TEXT),
      rawRecord(0x00, new Uint8Array(0)),
      rawRecord(0x15, new Uint8Array(0)),
      rawRecord(0x15, new Uint8Array(2)),
      rawRecord(0x18, new Uint8Array(1)),
      rawRecord(0x17, new Uint8Array(33_025)),
    ];
    expect(bad).toHaveLength(3 * record.length + 9);
    for (const attempt of bad) {
      const { opener } = pair();
      expectRefused(() => opener.open(attempt, 1_000));
      expectRefused(() => opener.open(record, 1_000));
    }
    expect(pair().opener.open(rawRecord(0x17, TEXT), 1_000)).toEqual(DATA);
  });

  it('are refused when they come twice, or from before a key update', () => {
    const twice = pair();
    const record = twice.sealer.sealData(TEXT, 1_000);
    twice.opener.open(record, 1_000);
    expectRefused(() => twice.opener.open(record, 1_000));
    const updated = pair();
    updated.opener.open(updated.sealer.updateKey(1_000), 1_000);
    expectRefused(() => updated.opener.open(record, 1_000));
  });

  it('hold 33,024 bytes and no more', () => {
    const { sealer, opener } = pair();
    expect(opener.open(sealer.sealData(new Uint8Array(33_024), 1_000), 1_000)).toEqual({ type: 'data', plaintext: new Uint8Array(33_024) });
    expect(thrown(() => sealer.sealData(new Uint8Array(33_025), 1_000))).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    expect(opener.open(sealer.sealData(TEXT, 1_000), 1_000)).toEqual(DATA);
  });

  const split = (bytes: Uint8Array) => createRecordStream('gcm').push(bytes);

  it('change their key by themselves before the last number is used', () => {
    const limits = { records: 4 };
    const { sealer, opener } = pair({ limits });
    const opened: string[] = [];
    for (let i = 0; i < 8; i++) for (const record of split(sealer.sealData(TEXT, 1_000))) opened.push(opener.open(record, 1_000).type);
    expect(opened).toEqual(['data', 'data', 'data', 'key-updated', 'data', 'data', 'data', 'key-updated', 'data', 'data']);
  });

  it('change their key by themselves after an hour', () => {
    const { sealer } = pair();
    expect(GCM_RECORD_LIMITS).toEqual({ records: 2 ** 24, keyAgeMs: HOUR_MS });
    expect(split(sealer.sealData(TEXT, 1_000 + HOUR_MS - 1))).toHaveLength(1);
    const next = pair();
    const records = split(next.sealer.sealData(TEXT, 1_000 + HOUR_MS));
    expect(records.map((record) => next.opener.open(record, 1_000 + 5 * HOUR_MS).type)).toEqual(['key-updated', 'data']);
    expect(split(next.sealer.sealData(TEXT, 1_000 + 2 * HOUR_MS - 1))).toHaveLength(1);
    expect(split(next.sealer.sealData(TEXT, 1_000 + 2 * HOUR_MS))).toHaveLength(2);
  });

  it('of a peer that goes on with an old or used-up key end the direction', () => {
    const old = pair();
    const record = rawRecord(0x17, TEXT);
    expect(old.opener.open(record, 1_000 + HOUR_MS + RECEIVE_GRACE_MS - 1)).toEqual(DATA);
    const older = pair();
    expect(thrown(() => older.opener.open(record, 1_000 + HOUR_MS + RECEIVE_GRACE_MS))).toMatchObject({ code: 'ERR_CRYPTO_EXHAUSTED' });
    expectRefused(() => older.opener.open(record, 1_000));
    const many = pair({ limits: { records: 3 } });
    for (const sequence of [0, 1]) expect(many.opener.open(rawRecord(0x17, TEXT, sequence), 1_000)).toEqual(DATA);
    expect(thrown(() => many.opener.open(rawRecord(0x17, TEXT, 2), 1_000))).toMatchObject({ code: 'ERR_CRYPTO_EXHAUSTED' });
  });

  it('let an old or used-up key end with an update or a close', () => {
    for (const [type, plaintext, opened] of [
      [0x18, new Uint8Array(0), { type: 'key-updated' }],
      [0x15, Uint8Array.of(0), { type: 'closed', alert: 0 }],
    ] as const) {
      const { opener } = pair({ limits: { records: 2 } });
      opener.open(rawRecord(0x17, TEXT), 1_000);
      expect(opener.open(rawRecord(type, plaintext, 1), 1_000 + 9 * HOUR_MS)).toEqual(opened);
    }
  });

  it('take no higher bounds from options', () => {
    const { sealer } = pair({ limits: { records: 2 ** 30, keyAgeMs: 2 * HOUR_MS } });
    expect(split(sealer.sealData(TEXT, 1_000 + HOUR_MS))).toHaveLength(2);
  });

  it('end with an authenticated close, and say so when it is missing', () => {
    const { sealer, opener } = pair();
    expect(opener.open(sealer.close(5), 1_000)).toEqual({ type: 'closed', alert: 5 });
    opener.end();
    expect(thrown(() => sealer.sealData(TEXT, 1_000))).toMatchObject({ code: 'ERR_USAGE_STATE' });
    expect(thrown(() => sealer.close())).toMatchObject({ code: 'ERR_USAGE_STATE' });
    expect(thrown(() => opener.open(rawRecord(0x17, TEXT, 1), 1_000))).toMatchObject({ code: 'ERR_USAGE_STATE' });
    const cut = pair();
    cut.opener.open(cut.sealer.sealData(TEXT, 1_000), 1_000);
    expect(thrown(() => cut.opener.end())).toMatchObject({ code: 'ERR_TRANSPORT_CLOSED' });
    expectRefused(() => cut.opener.open(cut.sealer.sealData(TEXT, 1_000), 1_000));
  });

  it('end with wipe, and leave the traffic secret to its holder', () => {
    const traffic = secret<'traffic'>(new Uint8Array(32).fill(1));
    const { sealer, opener } = pair({ traffic });
    sealer.updateKey(1_000);
    sealer.wipe();
    opener.wipe();
    expect(thrown(() => sealer.sealData(TEXT, 1_000))).toMatchObject({ code: 'ERR_USAGE_STATE' });
    expect(thrown(() => sealer.updateKey(1_000))).toMatchObject({ code: 'ERR_USAGE_STATE' });
    expect(thrown(() => opener.open(rawRecord(0x17, TEXT), 1_000))).toMatchObject({ code: 'ERR_USAGE_STATE' });
    expect(toHex(traffic)).toBe('01'.repeat(32));
  });

  it('end with wipe whatever the provider does', () => {
    const forgetful = { ...crypto, gcm: (key: Uint8Array) => ({ ...crypto.gcm(key), wipe: () => {} }) };
    const sealer = createGcmSealer(forgetful, options());
    const opener = createGcmOpener(forgetful, options());
    sealer.wipe();
    opener.wipe();
    expect(thrown(() => sealer.sealData(TEXT, 1_000))).toMatchObject({ code: 'ERR_USAGE_STATE' });
    expect(thrown(() => opener.open(rawRecord(0x17, TEXT), 1_000))).toMatchObject({ code: 'ERR_USAGE_STATE' });
  });

  it('never use a nonce twice', () => {
    const generation = createGcmGeneration(crypto, options().traffic);
    const next = createGcmGeneration(crypto, options().traffic).next();
    const nonces = [0, 1, 2, 255, 256, 2 ** 24 - 1, 2 ** 32, 2 ** 40].flatMap((sequence) => [toHex(generation.nonce(sequence)), toHex(next.nonce(sequence))]);
    expect(new Set(nonces).size).toBe(nonces.length);
  });

  it('are not made from a traffic secret that has been wiped', () => {
    expect(thrown(() => pair({ traffic: secret(new Uint8Array(32)) }))).toMatchObject({ code: 'ERR_INTERNAL' });
  });
});
