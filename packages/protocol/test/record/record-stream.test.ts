import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/bytes/bytes.ts';
import { secret } from '../../src/bytes/secret.ts';
import { toHex } from '../../src/bytes/text.ts';
import { nodeCrypto } from '../../src/providers/node/index.ts';
import { createCbcSealer } from '../../src/record/cbc-record.ts';
import { createGcmSealer } from '../../src/record/gcm-record.ts';
import { createRecordStream } from '../../src/record/record-stream.ts';
import { seededEntropy } from '../../src/testing/fakes/seeded-entropy.ts';
import { thrown } from '../vectors/vectors.ts';

const crypto = nodeCrypto();
const traffic = secret<'traffic'>(new Uint8Array(32).fill(1));
type Kind = 'cbc' | 'gcm';
const KINDS: readonly Kind[] = ['cbc', 'gcm'];

function sealAll(kind: Kind, sizes: readonly number[]): Uint8Array[] {
  const plaintexts = sizes.map((size) => new Uint8Array(size).fill(size & 0xff));
  if (kind === 'gcm') {
    const sealer = createGcmSealer(crypto, { traffic, bornMs: 0 });
    return plaintexts.map((plaintext) => sealer.sealData(plaintext, 0));
  }
  const sealer = createCbcSealer(crypto, seededEntropy('stream'), { traffic, direction: 'initiator-to-responder', bornMs: 0 });
  return plaintexts.map((plaintext) => sealer.seal(plaintext, 0));
}

/** Pushes the bytes in pieces of the given sizes, in turn; gives records as text. */
function pushInPieces(kind: Kind, bytes: Uint8Array, pieces: readonly number[]): string[] {
  const stream = createRecordStream(kind);
  const records: string[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = pieces[turn % pieces.length] as number;
    for (const record of stream.push(bytes.subarray(at, at + size))) records.push(toHex(record));
    at += size;
  }
  stream.end();
  return records;
}

describe.each(KINDS)('stream of %s records', (kind) => {
  const sizes = [0, 1, 15, 16, 17, 600, 3_000];
  const records = sealAll(kind, sizes);
  const bytes = concatBytes(...records);
  const expected = records.map(toHex);

  it('gives the same records whole and byte by byte', () => {
    expect(pushInPieces(kind, bytes, [bytes.length])).toEqual(expected);
    expect(pushInPieces(kind, bytes, [1])).toEqual(expected);
  });

  it('gives the same records in pieces of any size', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 12 }), (pieces) => {
        expect(pushInPieces(kind, bytes, pieces)).toEqual(expected);
      }),
    );
  });

  it('takes the longest record, and an empty piece', () => {
    const [longest] = sealAll(kind, [kind === 'cbc' ? 65_551 : 33_024]) as [Uint8Array];
    expect(pushInPieces(kind, longest, [4_000])).toEqual([toHex(longest)]);
    const stream = createRecordStream(kind);
    stream.push(longest.subarray(0, 5));
    expect(stream.push(new Uint8Array(0))).toEqual([]);
    expect(stream.push(longest.subarray(5))).toHaveLength(1);
  });

  it.each([false, true])('leaves the records of one piece as they are until the next one (opened at once: %s)', (opensAtOnce) => {
    const stream = createRecordStream(kind, opensAtOnce);
    const [first, second, third] = records.slice(-3) as [Uint8Array, Uint8Array, Uint8Array];
    const third3 = third.subarray(0, 3);
    stream.push(first.subarray(0, 7));
    // The first is put together, the second is whole, and the beginning of the third is kept.
    expect(stream.push(concatBytes(first.subarray(7), second, third3)).map(toHex)).toEqual([first, second].map(toHex));
    expect(stream.push(concatBytes(third.subarray(3), first, second.subarray(0, 9))).map(toHex)).toEqual([third, first].map(toHex));
    const [last] = stream.push(second.subarray(9)) as [Uint8Array];
    expect(toHex(last)).toBe(toHex(second));
    // What is kept of it never lies where the last one stands; afterwards it does, where the caller said so.
    stream.push(first.subarray(0, 9));
    expect(toHex(last)).toBe(toHex(second));
    stream.push(first.subarray(9));
    stream.push(third.subarray(0, 12));
    expect(toHex(last) === toHex(second)).toBe(!opensAtOnce);
  });

  it('says when the connection ends inside a record, and only then', () => {
    createRecordStream(kind).end();
    for (const cut of [1, 2, 3, 14, 15, (records[0] as Uint8Array).length - 1]) {
      const stream = createRecordStream(kind);
      stream.push(bytes.subarray(0, cut));
      expect(thrown(() => stream.end())).toMatchObject({ code: 'ERR_TRANSPORT_CLOSED' });
    }
  });

  const header = (lengthField: number): Uint8Array =>
    kind === 'gcm'
      ? Uint8Array.of(0x17, lengthField >> 8, lengthField & 0xff)
      : concatBytes(
          new Uint8Array(10).fill(0x17, 0, 1),
          Uint8Array.of(lengthField >>> 24, (lengthField >> 16) & 0xff, (lengthField >> 8) & 0xff, lengthField & 0xff),
        );
  const badLengths = kind === 'gcm' ? [0, 15, 33_041, 65_535] : [0, 15, 17, 65_568, 0xffff_fff0];

  it.each(badLengths)('refuses a record that announces %d bytes as soon as its header is there', (lengthField) => {
    const stream = createRecordStream(kind);
    for (const byte of header(lengthField).subarray(0, -1)) expect(stream.push(Uint8Array.of(byte))).toEqual([]);
    const error = thrown(() => stream.push(header(lengthField).subarray(-1)));
    expect(error).toMatchObject({ code: 'ERR_WIRE_LENGTH' });
    expect(thrown(() => stream.push(records[0] as Uint8Array))).toBe(error);
    expect(thrown(() => stream.end())).toBe(error);
  });

  it('gives what came whole before a fault, then the fault', () => {
    const garbage = concatBytes(Uint8Array.of(0x42), header(32));
    const stream = createRecordStream(kind);
    expect(stream.push(concatBytes(records[0] as Uint8Array, records[1] as Uint8Array, garbage)).map(toHex)).toEqual(expected.slice(0, 2));
    expect(thrown(() => stream.push(new Uint8Array(0)))).toMatchObject({ code: 'ERR_WIRE_TYPE' });
    const atOnce = createRecordStream(kind);
    expect(thrown(() => atOnce.push(garbage))).toMatchObject({ code: 'ERR_WIRE_TYPE' });
  });

  it('throws wire errors and nothing else on random bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 10 }), (chunks) => {
        const stream = createRecordStream(kind);
        for (const chunk of chunks) {
          const error = thrown(() => stream.push(chunk)) as { code?: string } | undefined;
          if (error !== undefined) expect(['ERR_WIRE_TYPE', 'ERR_WIRE_LENGTH']).toContain(error.code);
        }
      }),
    );
  });
});
