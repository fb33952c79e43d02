import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../src/bytes/text.ts';
import { encodeCbor } from '../../src/wire/cbor/encode.ts';
import { CborFieldNames, MAX_FIELD_NAMES } from '../../src/wire/cbor/field-names.ts';
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
    const names = new CborFieldNames();
    for (const name of ['a', 'b']) names.learn(name);
    expect(encodeCborRecord({ a: undefined, b: 1 }, names)).toEqual(encodeCbor(new Map([['b', 1]])));
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

/** Records of one kind: a few names, most of them in each. */
const FIELDS = ['id', 'type', 'state', 'toString', 'constructor', '__proto__', 'größe', 'a name of more than twenty-three', ''];
const ofOneKind = fc.array(
  fc.dictionary(fc.constantFrom(...FIELDS, 'i0', 'i1'), fc.oneof(fc.nat(), fc.string(), fc.dictionary(fc.constantFrom(...FIELDS), fc.nat())), { maxKeys: 9 }),
  { maxLength: 6 },
);

describe('a record whose names are remembered', () => {
  it('has the same bytes, and reads the same, whatever came before it', () => {
    fc.assert(
      fc.property(ofOneKind, fc.subarray(FIELDS), (records, picked) => {
        const writing = new CborFieldNames();
        const reading = new CborFieldNames();
        const wanted = new Set(picked);
        for (const original of records as CborRecord[]) {
          const bytes = encodeCbor(mapOf(original));
          expect(encodeCborRecord(original, writing)).toEqual(bytes);
          // Once they are known for certain.
          expect(encodeCborRecord(original, writing)).toEqual(bytes);
          expect(plain(decodeCborRecord(bytes, undefined, reading))).toEqual(plain(original));
          expect(plain(decodeCborRecord(bytes, wanted, reading))).toEqual(plain(decodeCborRecord(bytes, wanted)));
        }
      }),
      { numRuns: 150, seed: 2 },
    );
  });

  it('is refused as any other when its names are out of order, twice, or cut short', () => {
    const known = (): CborFieldNames => {
      const names = new CborFieldNames();
      for (const name of ['a', 'b', 'd']) names.learn(name);
      return names;
    };
    const refused = (hex: string): string | undefined => wireError(() => decodeCborRecord(fromHex(hex), undefined, known()))?.code;
    expect(refused('a2616201616102')).toBe('ERR_WIRE_CANONICAL');
    expect(refused('a2616101616102')).toBe('ERR_WIRE_CANONICAL');
    expect(refused('a2616301616202')).toBe('ERR_WIRE_CANONICAL');
    expect(refused('a3616101616402616303')).toBe('ERR_WIRE_CANONICAL');
    expect(refused('a161')).toBe('ERR_WIRE_TRUNCATED');
    expect(refused('a16161')).toBe('ERR_WIRE_TRUNCATED');
    expect(wireError(() => decodeCborRecord(fromHex(`a16161994e20${'00'.repeat(20_000)}`), undefined, known()))?.code).toBe('ERR_WIRE_LIMIT');
  });

  it('keeps what it holds when others are made after it', () => {
    const names = new CborFieldNames();
    const numbers = Array.from({ length: 2_000 }, (_, index) => index);
    const all = numbers.map((n) => encodeCborRecord({ n, text: 'x'.repeat(n) }, names));
    for (const n of numbers) expect(decodeCborRecord(all[n] as Uint8Array)).toEqual({ n, text: 'x'.repeat(n) });
  });

  it('leaves nothing behind when it cannot be made', () => {
    const names = new CborFieldNames();
    const before = encodeCborRecord({ a: 1, b: 'x' }, names);
    for (const wrong of [
      { a: 2, b: -1 },
      { a: 2, c: -1 },
    ])
      expect(() => encodeCborRecord(wrong, names)).toThrow(/CBOR/);
    expect(encodeCborRecord({ a: 3 }, names)).toEqual(encodeCbor(new Map([['a', 3]])));
    expect(decodeCborRecord(before)).toEqual({ a: 1, b: 'x' });
  });

  it('has no more names remembered than there is room for', () => {
    const names = new CborFieldNames();
    const record = Object.fromEntries(Array.from({ length: 2 * MAX_FIELD_NAMES }, (_, index) => [`n${index}`, index]));
    for (let times = 0; times < 2; times++) expect(decodeCborRecord(encodeCborRecord(record, names), undefined, names)).toEqual(record);
    expect(names.count).toBe(MAX_FIELD_NAMES);
  });
});
