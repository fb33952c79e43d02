import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../src/bytes/text.ts';
import { encodeCbor } from '../../src/wire/cbor/encode.ts';
import { type CborField, type CborRecord, decodeCborRecord, encodeCborRecord } from '../../src/wire/cbor/records.ts';
import type { CborValue } from '../../src/wire/cbor/value.ts';
import { wireError } from './wire-errors.ts';

const { record } = fc.letrec<{ record: CborRecord; field: CborField }>((tie) => ({
  field: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(fc.maxSafeNat(), fc.boolean(), fc.string({ unit: 'grapheme', maxLength: 60 }), fc.uint8Array({ maxLength: 80 })),
    fc.array(tie('field'), { maxLength: 4 }),
    tie('record'),
  ),
  record: fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 30 }), tie('field'), { maxKeys: 6 }) as fc.Arbitrary<CborRecord>,
}));

const isRecord = (field: CborField): field is CborRecord => typeof field === 'object' && !Array.isArray(field) && !(field instanceof Uint8Array);
/** The map that an object stands for. */
function mapOf(field: CborField): CborValue {
  if (isRecord(field)) return new Map(Object.entries(field).map(([name, part]) => [name, mapOf(part as CborField)]));
  return Array.isArray(field) ? (field as readonly CborField[]).map(mapOf) : (field as CborValue);
}
/** Objects that inherit nothing compare like those that do. */
function plain(field: CborField): unknown {
  if (isRecord(field)) return Object.fromEntries(Object.entries(field).map(([name, part]) => [name, plain(part as CborField)]));
  return Array.isArray(field) ? (field as readonly CborField[]).map(plain) : field;
}
const read = (hex: string, wanted?: ReadonlySet<string>): unknown => plain(decodeCborRecord(fromHex(hex), wanted));

describe('a record', () => {
  it('has the bytes of the map with its keys, and comes back', () => {
    fc.assert(
      fc.property(record, (original) => {
        const bytes = encodeCborRecord(original);
        expect(bytes).toEqual(encodeCbor(mapOf(original)));
        expect(plain(decodeCborRecord(bytes))).toEqual(plain(original));
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it('leaves undefined fields out, and inherits nothing', () => {
    const back = decodeCborRecord(encodeCborRecord({ a: undefined, b: 1, ['__proto__']: 2 }));
    expect(Object.keys(back)).toEqual(['b', '__proto__']);
    expect(back['toString']).toBeUndefined();
  });

  it('is read for some of its fields, and must be whole all the same', () => {
    // {"a": 1, "b": [h'00', "x", {"c": true}], "d": 300}
    const hex = 'a3616101616283410061 78a16163f5616419012c'.replace(' ', '');
    expect(read(hex, new Set(['a', 'd', 'z']))).toEqual({ a: 1, d: 300 });
    expect(read(hex, new Set(['b']))).toEqual({ b: [Uint8Array.of(0), 'x', { c: true }] });
    for (let cut = 2; cut < hex.length; cut += 2) expect(wireError(() => read(hex.slice(0, cut), new Set(['a'])))?.code).toBe('ERR_WIRE_TRUNCATED');
    expect(wireError(() => read(`${hex}00`, new Set()))?.code).toBe('ERR_WIRE_TRAILING');
    expect(wireError(() => read('a16161c100', new Set()))?.code).toBe('ERR_WIRE_TYPE');
    expect(wireError(() => read('a1616120', new Set()))?.code).toBe('ERR_WIRE_TYPE');
    expect(wireError(() => read(`a16161${'81'.repeat(40)}00`, new Set()))?.code).toBe('ERR_WIRE_LIMIT');
  });

  it.each([
    ['a value that is no map', '01', 'ERR_WIRE_TYPE'],
    ['an array', '80', 'ERR_WIRE_TYPE'],
    ['bytes', '4100', 'ERR_WIRE_TYPE'],
    ['a number as key', 'a10101', 'ERR_WIRE_TYPE'],
    ['keys out of order', 'a2616201616102', 'ERR_WIRE_CANONICAL'],
    ['a key twice', 'a2616101616102', 'ERR_WIRE_CANONICAL'],
    ['bytes behind it', 'a000', 'ERR_WIRE_TRAILING'],
  ])('is not %s', (_what, hex, code) => {
    expect(wireError(() => read(hex))?.code).toBe(code);
  });

  it.each([
    ['null', null],
    ['a function', () => 1],
    ['a fraction', 0.5],
    ['a big integer', 1n],
    ['undefined in an array', [undefined]],
  ])('does not hold %s', (_what, field) => {
    expect(() => encodeCborRecord({ a: field as never })).toThrow(/CBOR/);
  });
});
