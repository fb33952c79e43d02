import { afterAll, describe, expect, it } from 'vitest';
import { secret } from '../../src/bytes/secret.ts';
import { fromHex, toHex } from '../../src/bytes/text.ts';
import { deriveSecret, NO_CONTEXT } from '../../src/key-schedule/kdf.ts';
import { createCbcOpener, createCbcSealer } from '../../src/record/cbc-record.ts';
import { createGcmGeneration } from '../../src/record/gcm-key.ts';
import { createGcmOpener, createGcmSealer } from '../../src/record/gcm-record.ts';
import { createRecordStream } from '../../src/record/record-stream.ts';
import { load, PROVIDERS } from '../vectors/vectors.ts';
import { expectRefused } from './refused.ts';

interface Vectors {
  readonly cbc: readonly {
    readonly id: string;
    readonly direction: 0 | 1;
    readonly traffic: string;
    readonly key: string;
    readonly first: number;
    readonly records: readonly { readonly iv: string; readonly plaintext: string; readonly record: string }[];
  }[];
  readonly cbcRefused: readonly { readonly id: string; readonly direction: 0; readonly traffic: string; readonly record: string }[];
  readonly gcm: readonly {
    readonly id: string;
    readonly traffic: string;
    readonly keys: readonly { readonly traffic: string; readonly key: string; readonly iv: string }[];
    readonly records: readonly { readonly what: 'data' | 'keyUpdate' | 'close'; readonly plaintext: string; readonly record: string }[];
  }[];
  readonly gcmRefused: readonly { readonly id: string; readonly traffic: string; readonly record: string }[];
  readonly largest: readonly {
    readonly id: string;
    readonly kind: 'cbc' | 'gcm';
    readonly traffic: string;
    readonly iv?: string;
    readonly byte: number;
    readonly count: number;
    readonly length: number;
    readonly sha256: string;
  }[];
}

const vectors = load<Vectors>('uemkit/records.json');
const DIRECTIONS = ['initiator-to-responder', 'responder-to-initiator'] as const;
const traffic = (hex: string) => secret<'traffic'>(fromHex(hex));

describe.each(PROVIDERS)('vectors of the second implementation, records, with $name', ({ crypto }) => {
  const executed = { cbc: 0, gcm: 0, refused: 0, largest: 0 };

  it.each(vectors.cbc.map((stream) => [stream.id, stream] as const))('%s', (_id, stream) => {
    const options = { traffic: traffic(stream.traffic), direction: DIRECTIONS[stream.direction], bornMs: 0, sequence: stream.first };
    expect(toHex(deriveSecret(crypto, options.traffic, 'cbc', NO_CONTEXT, 64))).toBe(stream.key);
    const ivs = stream.records.map(({ iv }) => fromHex(iv));
    const sealer = createCbcSealer(crypto, { randomBytes: () => ivs.shift() as Uint8Array }, options);
    const opener = createCbcOpener(crypto, options);
    const whole = fromHex(stream.records.map(({ record }) => record).join(''));
    const cut = createRecordStream('cbc').push(whole);
    for (const [at, { plaintext, record }] of stream.records.entries()) {
      expect(toHex(sealer.seal(fromHex(plaintext), 0))).toBe(record);
      expect(toHex(opener.open(cut[at] as Uint8Array, 0))).toBe(plaintext);
      executed.cbc++;
    }
  });

  it.each(vectors.gcm.map((stream) => [stream.id, stream] as const))('%s', (_id, stream) => {
    const options = { traffic: traffic(stream.traffic), bornMs: 0 };
    const [sealer, opener] = [createGcmSealer(crypto, options), createGcmOpener(crypto, options)];
    let generation = createGcmGeneration(crypto, options.traffic);
    for (const [at, keys] of stream.keys.entries()) {
      if (at > 0) generation = generation.next();
      const ts = traffic(keys.traffic);
      expect([toHex(deriveSecret(crypto, ts, 'key', NO_CONTEXT, 32)), toHex(generation.nonce(0))]).toEqual([keys.key, keys.iv]);
    }
    const cut = createRecordStream('gcm').push(fromHex(stream.records.map(({ record }) => record).join('')));
    for (const [at, { what, plaintext, record }] of stream.records.entries()) {
      const bytes = fromHex(plaintext);
      const sealed = what === 'data' ? sealer.sealData(bytes, 0) : what === 'close' ? sealer.close(bytes[0]) : sealer.updateKey(0);
      expect(toHex(sealed)).toBe(record);
      const opened = opener.open(cut[at] as Uint8Array, 0);
      expect(opened).toEqual(
        { data: { type: 'data', plaintext: bytes }, close: { type: 'closed', alert: bytes[0] }, keyUpdate: { type: 'key-updated' } }[what],
      );
      executed.gcm++;
    }
  });

  it.each(vectors.cbcRefused.map((vector) => [vector.id, vector] as const))('%s', (_id, vector) => {
    const opener = createCbcOpener(crypto, { traffic: traffic(vector.traffic), direction: DIRECTIONS[vector.direction], bornMs: 0 });
    expectRefused(() => opener.open(fromHex(vector.record), 0));
    executed.refused++;
  });

  it.each(vectors.gcmRefused.map((vector) => [vector.id, vector] as const))('%s', (_id, vector) => {
    const opener = createGcmOpener(crypto, { traffic: traffic(vector.traffic), bornMs: 0 });
    expectRefused(() => opener.open(fromHex(vector.record), 0));
    executed.refused++;
  });

  it.each(vectors.largest.map((vector) => [vector.id, vector] as const))('%s', (_id, vector) => {
    const plaintext = new Uint8Array(vector.count).fill(vector.byte);
    const ts = traffic(vector.traffic);
    const iv = fromHex(vector.iv ?? '');
    const options = { traffic: ts, direction: DIRECTIONS[0], bornMs: 0 };
    const record =
      vector.kind === 'cbc'
        ? createCbcSealer(crypto, { randomBytes: () => iv }, options).seal(plaintext, 0)
        : createGcmSealer(crypto, options).sealData(plaintext, 0);
    expect([record.length, toHex(crypto.sha256(record))]).toEqual([vector.length, vector.sha256]);
    const opened = vector.kind === 'cbc' ? { plaintext: createCbcOpener(crypto, options).open(record, 0) } : createGcmOpener(crypto, options).open(record, 0);
    expect(opened).toMatchObject({ plaintext });
    executed.largest++;
  });

  afterAll(() => {
    expect(executed).toEqual({ cbc: 17, gcm: 13, refused: 17, largest: 2 });
  });
});
