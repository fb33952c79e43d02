import { decode as cborgDecode, encode as cborgEncode, rfc8949EncodeOptions } from 'cborg';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/bytes/bytes.ts';
import { fromHex, toHex } from '../../src/bytes/text.ts';
import { decodeCbor } from '../../src/wire/cbor/decode.ts';
import { compareBytes, encodeCbor } from '../../src/wire/cbor/encode.ts';
import type { CborValue } from '../../src/wire/cbor/value.ts';
import { LIMITS } from '../../src/wire/limits.ts';
import { wireError } from './wire-errors.ts';

const uint = fc.oneof(
  fc.maxSafeNat(),
  fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 48, Number.MAX_SAFE_INTEGER),
  fc.nat({ max: 300 }),
);
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const { value } = fc.letrec<{ value: CborValue; leaf: CborValue }>((tie) => ({
  leaf: fc.oneof(uint, fc.boolean(), text, fc.uint8Array({ maxLength: 300 })),
  value: fc.oneof(
    { maxDepth: LIMITS.cborDepth - 1, depthSize: 'small', depthIdentifier: 'cbor', withCrossShrink: true },
    tie('leaf'),
    fc.array(tie('value'), { maxLength: 5, depthIdentifier: 'cbor' }),
    fc.array(fc.tuple(uint, tie('value')), { maxLength: 5, depthIdentifier: 'cbor' }).map((entries) => new Map(entries)),
    fc.array(fc.tuple(text, tie('value')), { maxLength: 5, depthIdentifier: 'cbor' }).map((entries) => new Map(entries)),
  ),
}));

const CBORG_STRICT = { strict: true, rejectDuplicateMapKeys: true, useMaps: true, allowIndefinite: false, allowUndefined: false } as const;

/** Maps compare by their entries in any order. */
const decoded = (bytes: string): CborValue => decodeCbor(fromHex(bytes));

describe('CBOR', () => {
  it('gives back what was encoded, in one form only', () => {
    fc.assert(
      fc.property(value, (original) => {
        const bytes = encodeCbor(original);
        const back = decodeCbor(bytes);
        expect(back).toEqual(original);
        expect(encodeCbor(back)).toEqual(bytes);
      }),
      { numRuns: 1_000 },
    );
  });

  it('writes the same bytes as cborg, and reads what cborg writes', () => {
    fc.assert(
      fc.property(value, (original) => {
        const theirs = new Uint8Array(cborgEncode(original, rfc8949EncodeOptions));
        expect(encodeCbor(original)).toEqual(theirs);
        expect(decodeCbor(theirs)).toEqual(cborgDecode(theirs, CBORG_STRICT));
      }),
      { numRuns: 1_000 },
    );
  });

  it('refuses every truncation', () => {
    fc.assert(
      fc.property(value, (original) => {
        const bytes = encodeCbor(original);
        const taken: number[] = [];
        for (let length = 0; length < bytes.length; length++) if (wireError(() => decodeCbor(bytes.subarray(0, length))) === undefined) taken.push(length);
        expect(taken).toEqual([]);
      }),
    );
  });

  it.each([
    ['numbers out of order', [256, 24, 1, 23, 65_536, 0]],
    ['texts of many lengths', ['b', 'aa', 'a', 'ab', 'z', 'aaa']],
    ['texts that are not all ASCII', ['zz', '\u00e9', 'a', '\uffee', '\u{1f600}', 'bbbb']],
  ] as readonly (readonly [string, readonly (number | string)[]])[])('orders keys as cborg does: %s', (_what, keys) => {
    const map = new Map(keys.map((key, index) => [key, index]));
    expect(encodeCbor(map)).toEqual(new Uint8Array(cborgEncode(map, rfc8949EncodeOptions)));
  });

  it('takes of any bytes only the deterministic form, and cborg agrees on the value', () => {
    let taken = 0;
    const someBytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 12 }).map((tail) => concatBytes(Uint8Array.of(0xa1, 0x00), tail)),
      fc.tuple(value, fc.nat(), fc.nat({ max: 255 })).map(([original, at, byte]) => {
        const bytes = encodeCbor(original);
        bytes[at % bytes.length] = byte;
        return bytes;
      }),
    );
    fc.assert(
      fc.property(someBytes, (bytes) => {
        let back: CborValue | undefined;
        const error = wireError(() => {
          back = decodeCbor(bytes);
        });
        if (error !== undefined) return;
        taken++;
        expect(encodeCbor(back as CborValue)).toEqual(bytes);
        expect(cborgDecode(bytes, CBORG_STRICT)).toEqual(back);
      }),
      { numRuns: 5_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  it('shares no memory with its input, also when that is a Buffer', () => {
    const input = Buffer.from('8143010203', 'hex');
    const [bytes] = decodeCbor(input) as [Uint8Array];
    input.fill(0);
    expect(bytes).toEqual(Uint8Array.of(1, 2, 3));
    expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
  });

  it.each([
    // RFC 8949, appendix A, what belongs to the subset.
    ['00', 0],
    ['17', 23],
    ['1818', 24],
    ['1903e8', 1_000],
    ['1a000f4240', 1_000_000],
    ['1b000000e8d4a51000', 1_000_000_000_000],
    ['1b001fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['f4', false],
    ['f5', true],
    ['40', new Uint8Array(0)],
    ['4401020304', Uint8Array.of(1, 2, 3, 4)],
    ['60', ''],
    ['62c3bc', 'ü'],
    ['64f0908591', '\u{10151}'],
    ['63efbbbf', '\ufeff'],
    ['80', []],
    ['8301820203820405', [1, [2, 3], [4, 5]]],
    ['a0', new Map()],
    [
      'a201020304',
      new Map([
        [1, 2],
        [3, 4],
      ]),
    ],
    [
      'a26161016162820203',
      new Map<string, CborValue>([
        ['a', 1],
        ['b', [2, 3]],
      ]),
    ],
  ] as const)('%s', (bytes, expected) => {
    expect(decoded(bytes)).toEqual(expected);
    expect(toHex(encodeCbor(expected as CborValue))).toBe(bytes);
  });

  it.each([
    ['ERR_WIRE_TRUNCATED', '', 'nothing'],
    ['ERR_WIRE_TRUNCATED', '18', 'argument missing'],
    ['ERR_WIRE_TRUNCATED', '4301ff', 'byte string cut short'],
    ['ERR_WIRE_TRUNCATED', '8201', 'array cut short'],
    ['ERR_WIRE_TRUNCATED', '9affffffff', 'array of four thousand million'],
    ['ERR_WIRE_TRUNCATED', '5b001fffffffffffff', 'byte string of eight petabytes'],
    ['ERR_WIRE_TRUNCATED', 'bb001fffffffffffff', 'map of nine thousand billion'],
    ['ERR_WIRE_TRAILING', '0000', 'second value'],
    ['ERR_WIRE_CANONICAL', '1817', '23 in two bytes'],
    ['ERR_WIRE_CANONICAL', '1900ff', '255 in three bytes'],
    ['ERR_WIRE_CANONICAL', '1a0000ffff', '65535 in five bytes'],
    ['ERR_WIRE_CANONICAL', '1b00000000ffffffff', '2^32-1 in nine bytes'],
    ['ERR_WIRE_CANONICAL', '580100', 'long length of a byte string'],
    ['ERR_WIRE_CANONICAL', 'a202010102', 'keys out of order'],
    ['ERR_WIRE_CANONICAL', 'a201010102', 'key twice'],
    ['ERR_WIRE_CANONICAL', 'a2626161016162', 'text keys by length'],
    ['ERR_WIRE_LIMIT', '1b0020000000000000', '2^53'],
    ['ERR_WIRE_LIMIT', '1bffffffffffffffff', '2^64-1'],
    ['ERR_WIRE_TYPE', '20', 'negative number'],
    ['ERR_WIRE_TYPE', 'c000', 'tag'],
    ['ERR_WIRE_TYPE', 'f6', 'null'],
    ['ERR_WIRE_TYPE', 'f7', 'undefined'],
    ['ERR_WIRE_TYPE', 'f93c00', 'half float'],
    ['ERR_WIRE_TYPE', 'fb3ff199999999999a', 'float'],
    ['ERR_WIRE_TYPE', 'f820', 'simple value'],
    ['ERR_WIRE_TYPE', '1c', 'reserved length'],
    ['ERR_WIRE_TYPE', '5f4101ff', 'indefinite byte string'],
    ['ERR_WIRE_TYPE', '9f01ff', 'indefinite array'],
    ['ERR_WIRE_TYPE', 'bf0101ff', 'indefinite map'],
    ['ERR_WIRE_TYPE', 'ff', 'break'],
    ['ERR_WIRE_TYPE', '61ff', 'text that is not UTF-8'],
    ['ERR_WIRE_TYPE', '63eda080', 'lone surrogate'],
    ['ERR_WIRE_TYPE', '62c080', 'overlong NUL'],
    ['ERR_WIRE_TYPE', 'a14000', 'byte string as a key'],
    ['ERR_WIRE_TYPE', 'a1f500', 'boolean as a key'],
    ['ERR_WIRE_TYPE', 'a18000', 'array as a key'],
    ['ERR_WIRE_TYPE', 'a20001616100', 'mixed kinds of keys'],
  ])('%s for %s: %s', (code, bytes) => {
    expect(wireError(() => decoded(bytes as string))?.code).toBe(code);
  });

  it('has the same limit of depth in both directions', () => {
    const nested = (levels: number): CborValue => (levels === 0 ? 1 : [nested(levels - 1)]);
    const nestedMap = (levels: number): CborValue => (levels === 0 ? 1 : new Map([[1, nestedMap(levels - 1)]]));
    const most = LIMITS.cborDepth;
    for (const build of [nested, nestedMap]) {
      expect(decodeCbor(encodeCbor(build(most)))).toEqual(build(most));
      expect(wireError(() => encodeCbor(build(most + 1)))?.code).toBe('ERR_WIRE_LIMIT');
    }
    expect(wireError(() => decodeCbor(fromHex(`${'81'.repeat(most + 1)}01`)))?.code).toBe('ERR_WIRE_LIMIT');
    expect(wireError(() => decodeCbor(fromHex('81'.repeat(60_000))))?.code).toBe('ERR_WIRE_LIMIT');
  });

  it('has the same limit of items in both directions', () => {
    const most = Array.from({ length: LIMITS.cborItems - 1 }, () => 0);
    expect(decodeCbor(encodeCbor(most))).toEqual(most);
    expect(wireError(() => encodeCbor([...most, 0]))?.code).toBe('ERR_WIRE_LIMIT');
    // A key counts like a value: 1 + 2 * entries.
    const entries = (count: number): CborValue => new Map(Array.from({ length: count }, (_, key) => [key, 0]));
    const half = LIMITS.cborItems / 2;
    expect(decodeCbor(encodeCbor(entries(half - 1)))).toEqual(entries(half - 1));
    expect(wireError(() => encodeCbor(entries(half)))?.code).toBe('ERR_WIRE_LIMIT');
    const bytes = concatBytes(Uint8Array.of(0x99, LIMITS.cborItems >> 8, LIMITS.cborItems & 0xff), new Uint8Array(LIMITS.cborItems));
    expect(wireError(() => decodeCbor(bytes))?.code).toBe('ERR_WIRE_LIMIT');
  });

  it.each([
    ['negative number', -1],
    ['fraction', 1.5],
    ['not a number', Number.NaN],
    ['2^53', 2 ** 53],
    ['lone surrogate', '\ud800'],
    ['undefined', undefined],
    ['null', null],
    ['big integer', 1n],
    ['object', {}],
    ['nested', [[undefined]]],
    ['map key', new Map([[-1, 1]])],
    [
      'a map of numbers, then texts',
      new Map<number | string, number>([
        [1, 1],
        ['a', 1],
      ]),
    ],
    [
      'a map of texts, then numbers',
      new Map<number | string, number>([
        ['a', 1],
        [1, 1],
      ]),
    ],
  ])('refuses to encode: %s', (_what, bad) => {
    expect(() => encodeCbor(bad as CborValue)).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
  });

  it('orders bytes by content, then by length', () => {
    expect(compareBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBeLessThan(0);
    expect(compareBytes(Uint8Array.of(2), Uint8Array.of(1, 0))).toBeGreaterThan(0);
    expect(compareBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(0);
  });
});
