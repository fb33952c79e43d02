import { isProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRecord, encodeRecord } from '../../src/store/record-codec.ts';
import type { StoredRecord } from '../../src/store/stored-record.ts';

type StoredValue = wire.CborField;

/** The codec of the protocol as the referee: the same bytes, whichever way they were made. */
function referee(value: StoredValue): wire.CborValue {
  if (typeof value !== 'object' || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return (value as readonly StoredValue[]).map(referee);
  return new Map(Object.entries(value as StoredRecord).flatMap(([name, part]) => (part === undefined ? [] : [[name, referee(part)] as const])));
}
const plain = (value: unknown): unknown =>
  value instanceof Map ? Object.fromEntries([...value].map(([name, part]) => [name, plain(part)])) : Array.isArray(value) ? value.map(plain) : value;

const name = fc.oneof(
  { weight: 8, arbitrary: fc.stringMatching(/^[a-zA-Z_]{1,24}$/) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 30 }) },
);
const { record } = fc.letrec<{ record: StoredRecord; value: StoredValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.oneof(fc.maxSafeNat(), fc.nat(300), fc.constantFrom(23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER)),
    fc.oneof(fc.string({ maxLength: 60 }), fc.string({ unit: 'grapheme', maxLength: 60 })),
    fc.boolean(),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('record'),
  ),
  record: fc.dictionary(name, tie('value'), { maxKeys: 8 }) as fc.Arbitrary<StoredRecord>,
}));

describe('stored records', () => {
  it('are the bytes that the codec of the protocol makes, and come back', () => {
    fc.assert(
      fc.property(record, (value) => {
        const bytes = encodeRecord(value);
        expect(bytes).toEqual(wire.encodeCbor(referee(value)));
        expect(plain(decodeRecord(bytes))).toEqual(plain(value));
      }),
      { numRuns: 400, seed: 7 },
    );
  });

  it('that are damaged are read as the codec of the protocol reads them, or refused as it refuses them', () => {
    fc.assert(
      fc.property(record, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(20), (value, place, change, cut) => {
        const bytes = encodeRecord(value);
        const index = place % bytes.length;
        bytes[index] = (bytes[index] as number) ^ change;
        const damaged = cut === 0 ? bytes.subarray(0, index) : bytes;
        const outcome = (read: () => unknown): unknown => {
          try {
            return plain(read());
          } catch (error) {
            if (!isProtocolError(error)) throw error;
            return 'refused';
          }
        };
        const expected = outcome(() => wire.decodeCbor(damaged));
        const isRecord = expected !== 'refused' && (damaged[0] as number) >> 5 === 5;
        const seen = outcome(() => Object.entries(decodeRecord<StoredRecord>(damaged)));
        if (!isRecord) expect(seen).toBe('refused');
        else expect(Object.fromEntries(seen as [string, unknown][])).toEqual(expected);
      }),
      { numRuns: 2_000, seed: 8 },
    );
  });

  it('are read in part: the fields that are asked for, whatever the others hold', () => {
    fc.assert(
      fc.property(record, fc.nat(), (value, pick) => {
        const names = Object.keys(value);
        const wanted = new Set(names.filter((_name, index) => (pick >> index) % 2 === 1));
        const expected = Object.fromEntries(Object.entries(value).filter(([field]) => wanted.has(field)));
        expect({ ...decodeRecord<StoredRecord>(encodeRecord(value), wanted) }).toEqual(expected);
      }),
      { numRuns: 200, seed: 9 },
    );
  });

  it('of the versions before are read: large ones, and names that are not ASCII', () => {
    // As the codec of its own wrote it that stores had until then.
    const old = Uint8Array.from(Buffer.from('a4616101646c697374 81a16162f5646e616d65617865627974657341 01'.replaceAll(' ', ''), 'hex'));
    expect(decodeRecord(old)).toEqual({ a: 1, name: 'x', list: [{ b: true }], bytes: Uint8Array.of(1) });
    expect(encodeRecord({ a: 1, name: 'x', list: [{ b: true }], bytes: Uint8Array.of(1) })).toEqual(old);
    for (const value of [{ text: 'x'.repeat(70_000) }, { größe: 1 }]) expect(decodeRecord(encodeRecord(value))).toEqual(value);
  });

  it.each<[string, StoredRecord]>([
    ['a negative number', { a: -1 }],
    ['a fraction', { a: 0.5 }],
    ['a lone surrogate', { a: '\ud800' }],
    ['far too many values', { a: Array(20_000).fill(1) }],
  ])('refuse %s', (_what, value) => {
    expect(() => encodeRecord(value)).toThrow(/CBOR/);
  });
});
