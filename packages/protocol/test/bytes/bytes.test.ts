import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, lp, sameBytes, u16be, u32be, u64be, u64le, utf8, utf8Length } from '../../src/bytes/bytes.ts';
import { secret, wipe } from '../../src/bytes/secret.ts';
import { fromBase64url, fromHex, toBase64url, toHex } from '../../src/bytes/text.ts';
import { isProtocolError } from '../../src/errors/protocol-error.ts';

const bytes = fc.uint8Array({ maxLength: 100 });
const view = (value: Uint8Array): DataView => new DataView(value.buffer, value.byteOffset, value.length);

/** True when `work` refuses its argument with the one code that it may use. */
function refuses(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    expect(error.code).toBe('ERR_USAGE_ARGUMENT');
    return true;
  }
}

describe('bytes', () => {
  it('joins copies in order', () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 5 }), (parts) => {
        expect(Buffer.from(concatBytes(...parts))).toEqual(Buffer.concat(parts));
      }),
    );
    const part = Uint8Array.of(1);
    const joined = concatBytes(part);
    part[0] = 2;
    expect(joined).toEqual(Uint8Array.of(1));
  });

  it('compares content and length', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(sameBytes(a, b)).toBe(Buffer.compare(a, b) === 0);
      }),
    );
    expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
  });

  it('writes numbers of fixed width', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0xffff }), fc.nat({ max: 0xffff_ffff }), fc.maxSafeNat(), (small, middle, large) => {
        expect(view(u16be(small)).getUint16(0)).toBe(small);
        expect(view(u32be(middle)).getUint32(0)).toBe(middle);
        expect(view(u64be(large)).getBigUint64(0)).toBe(BigInt(large));
        expect(view(u64le(large)).getBigUint64(0, true)).toBe(BigInt(large));
      }),
    );
    expect(toHex(u64be(Number.MAX_SAFE_INTEGER))).toBe('001fffffffffffff');
    expect(toHex(u32be(0xffff_ffff))).toBe('ffffffff');
  });

  it('counts the bytes of a text as UTF-8 writes them', () => {
    // Every unit of UTF-16 on its own: halves of pairs, alone and in any order, among them.
    const units = fc.array(fc.oneof(fc.nat({ max: 0xffff }), fc.integer({ min: 0xd800, max: 0xdfff })), { maxLength: 20 });
    fc.assert(
      fc.property(units, (codes) => {
        const text = String.fromCharCode(...codes);
        expect(utf8Length(text)).toBe(utf8(text).length);
      }),
    );
    const lengths = Array.from({ length: 0x1_0000 }, (_, code) => String.fromCharCode(code)).filter((text) => utf8Length(text) !== utf8(text).length);
    expect(lengths).toEqual([]);
    expect(utf8Length('aé€\u{1f600}')).toBe(10);
  });

  it('prefixes the length', () => {
    expect(toHex(lp(utf8('abc')))).toBe('00000003616263');
    expect(toHex(lp(new Uint8Array(0)))).toBe('00000000');
  });

  it('wipes what there is', () => {
    const key = secret<'test'>(Uint8Array.of(1, 2));
    wipe(key, undefined);
    expect(key).toEqual(new Uint8Array(2));
  });
});

describe('hexadecimal text', () => {
  it('goes both ways, in either case', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(toHex(value)).toBe(Buffer.from(value).toString('hex'));
        expect(fromHex(toHex(value))).toEqual(value);
        expect(fromHex(toHex(value).toUpperCase())).toEqual(value);
      }),
    );
  });

  it.each(['0', 'zz', '0x00', '00 ', ' 00', '00\n', '０0'])('refuses %j', (text) => {
    expect(refuses(() => fromHex(text))).toBe(true);
  });
});

describe('base64url text', () => {
  it('goes both ways and agrees with Buffer', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(toBase64url(value)).toBe(Buffer.from(value).toString('base64url'));
        expect(fromBase64url(toBase64url(value))).toEqual(value);
      }),
    );
  });

  it('takes one form of each value only', () => {
    let taken = 0;
    const text = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: fc.constantFrom(...'ABCwxyz0189-_'), maxLength: 20 }));
    fc.assert(
      fc.property(text, (candidate) => {
        let value: Uint8Array | undefined;
        const refused = refuses(() => {
          value = fromBase64url(candidate);
        });
        if (refused) return;
        taken++;
        expect(toBase64url(value as Uint8Array)).toBe(candidate);
      }),
      { numRuns: 1_000 },
    );
    expect(taken).toBeGreaterThan(50);
  });

  it.each(['A', 'AAAAA', 'AB', 'AAB', 'AA==', 'AA=', '+A', '/A', 'A A', 'AA\n', 'ÄA', '😀'])('refuses %j', (text) => {
    expect(refuses(() => fromBase64url(text))).toBe(true);
  });
});
