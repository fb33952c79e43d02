import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sized } from '../../../../scripts/lib/test-sizes.ts';
import { toHex } from '../../src/bytes/text.ts';
import { decodeCbor } from '../../src/wire/cbor/decode.ts';
import { encodeCbor } from '../../src/wire/cbor/encode.ts';
import type { CborMap, CborValue } from '../../src/wire/cbor/value.ts';
import { FRAME_HEADER_BYTES, type MessageCodec, parseFrame } from '../../src/wire/frame.ts';
import { FRAME_TYPES } from '../../src/wire/frame-types.ts';
import * as wire from '../../src/wire/index.ts';
import { MESSAGES, type MessageName } from './message-arbitraries.ts';
import { wireError } from './wire-errors.ts';

const EXPORTS: Readonly<Record<string, unknown>> = { ...wire };
const isMessage = (value: unknown): boolean => typeof value === 'object' && value !== null && 'decodeBody' in value;

it('knows every message of the protocol, and a message for every frame type', () => {
  const exported = Object.entries(EXPORTS).filter(([, value]) => isMessage(value));
  expect(exported.map(([name]) => name).sort()).toEqual(Object.keys(MESSAGES).sort());
  const frames = new Set(exported.map(([, value]) => (value as MessageCodec<object>).name));
  expect([...frames].sort()).toEqual(Object.keys(FRAME_TYPES).sort());
});

it('reads and writes the content of a QR code', () => {
  const content: wire.QrCode = {
    format: 1,
    host: 'lab.example:8443',
    userId: 'alice@example.com',
    secret: new Uint8Array(16).fill(1),
    spkiPin: new Uint8Array(32).fill(2),
    coreId: 'core-1',
    expiryEpochS: 1_800_000_000,
  };
  const bytes = encodeCbor(wire.qrCode.encode(content, 'qrCode'));
  expect(wire.qrCode.decode(decodeCbor(bytes), 'qrCode')).toEqual(content);
  const newer = encodeCbor(new Map(decodeCbor(bytes) as CborMap).set(0, 2));
  expect(wireError(() => wire.qrCode.decode(decodeCbor(newer), 'qrCode'))?.code).toBe('ERR_WIRE_FIELD');
});

it('throws nothing but wire errors on cut, damaged and random content of a QR code', () => {
  const content = {
    format: 1,
    host: 'lab.example:8443',
    userId: 'alice',
    secret: new Uint8Array(16),
    spkiPin: new Uint8Array(32),
    coreId: 'core-1',
    expiryEpochS: 1,
  };
  const bytes = encodeCbor(wire.qrCode.encode(content, 'qrCode'));
  const read = (input: Uint8Array) => wireError(() => wire.qrCode.decode(decodeCbor(input), 'qrCode'));
  expect(read(bytes)).toBeUndefined();
  for (let length = 0; length < bytes.length; length++) expect(read(bytes.subarray(0, length))?.code).toBe('ERR_WIRE_TRUNCATED');
  fc.assert(
    fc.property(fc.nat(), fc.nat({ max: 255 }), fc.uint8Array({ maxLength: 100 }), (at, byte, random) => {
      read(random);
      const damaged = bytes.slice();
      damaged[at % bytes.length] = byte;
      read(damaged);
    }),
    { numRuns: 300 },
  );
});

describe('the plaintext of A6', () => {
  it('is a refusal or details, never both', () => {
    const refused: wire.ActivationRefused = { refusal: 'osTooOld', message: 'version 12' };
    expect(wire.decodeActivationOutcome(wire.encodeActivationOutcome(refused))).toEqual(refused);
    const both = encodeCbor(new Map(decodeCbor(wire.encodeActivationOutcome(refused)) as CborMap).set(3, 'device-1'));
    expect(wireError(() => wire.decodeActivationOutcome(both))?.code).toBe('ERR_WIRE_FIELD');
  });

  it.each([
    ['no map', encodeCbor(7), 'ERR_WIRE_TYPE'],
    ['an empty map', encodeCbor(new Map()), 'ERR_WIRE_FIELD'],
    ['a reason without a meaning', encodeCbor(new Map([[6, 99]])), 'ERR_WIRE_FIELD'],
  ])('is refused when it is %s', (_name, bytes, code) => {
    expect(wireError(() => wire.decodeActivationOutcome(bytes))?.code).toBe(code);
  });
});

const hex = (bytes: Uint8Array): string => `bytes ${toHex(bytes)}`;

/** Without the fields that are left out: they are not there after decoding. Bytes as text, which compares fast. */
function present(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(present);
  if (value instanceof Uint8Array) return hex(value);
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = Object.create(null);
  for (const [key, part] of Object.entries(value)) if (part !== undefined) copy[key] = present(part);
  return copy;
}

describe.each(Object.keys(MESSAGES) as MessageName[])('%s', (name) => {
  const codec = EXPORTS[name] as MessageCodec<object>;
  const values = MESSAGES[name] as fc.Arbitrary<object>;
  const decode = (body: Uint8Array): object => codec.decodeBody(body);
  const bodyOf = (value: object): Map<number, CborValue> => new Map(decodeCbor(codec.encodeBody(value)) as CborMap) as Map<number, CborValue>;

  it('gives back what was sent, in one form only', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = codec.encode(value);
        const frame = parseFrame(bytes);
        expect(frame.name).toBe(codec.name);
        const back = codec.decode(frame);
        expect(present(back)).toEqual(present(value));
        expect(hex(codec.encode(back))).toBe(hex(bytes));
        expect(hex(codec.encodeBody(back))).toBe(hex(frame.body));
      }),
      { numRuns: sized(20, 50) },
    );
  });

  it('refuses an unknown field below 64 and passes over one from 64 on', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 32, max: 63 }), fc.integer({ min: 64, max: 2 ** 40 }), (value, unknown, high) => {
        const body = bodyOf(value);
        const expected = decode(encodeCbor(body));
        expect(decode(encodeCbor(new Map(body).set(high, 'later version')))).toEqual(expected);
        expect(wireError(() => decode(encodeCbor(new Map(body).set(unknown, 1))))?.code).toBe('ERR_WIRE_FIELD');
      }),
      { numRuns: sized(12, 30) },
    );
  });

  it('refuses a body without a field that it needs', () => {
    const [value] = fc.sample(values, { numRuns: 1, seed: 1 }) as [object];
    const body = bodyOf(value);
    const needed = [...body.keys()].filter((key) => {
      const rest = new Map(body);
      rest.delete(key);
      const error = wireError(() => decode(encodeCbor(rest)));
      if (error !== undefined) expect(error.code).toBe('ERR_WIRE_FIELD');
      return error !== undefined;
    });
    expect(needed.length).toBeGreaterThan(0);
  });

  it('refuses every other type in every field', () => {
    fc.assert(
      fc.property(
        values,
        fc.nat(),
        fc.constantFrom<CborValue>('text', true, new Uint8Array(7), 2 ** 52, [], new Map([['a', 1]]), new Map([[60, 1]])),
        (value, at, other) => {
          const body = bodyOf(value);
          const key = [...body.keys()][at % body.size] as number;
          const changed = encodeCbor(new Map(body).set(key, other));
          // A text, document, number or boolean may happen to be valid; then it must come back as it is.
          let back: object | undefined;
          const error = wireError(() => {
            back = decode(changed);
          });
          if (error === undefined) expect(codec.encodeBody(back as object)).toEqual(changed);
        },
      ),
      { numRuns: sized(20, 60) },
    );
  });

  it('refuses every truncation of its frame', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = codec.encode(value);
        // The longest have thousands of bytes: of their middle not every place is cut.
        const step = Math.max(1, Math.floor(bytes.length / 500));
        const taken: number[] = [];
        for (let length = 0; length < bytes.length; length += length < 200 || length > bytes.length - 100 ? 1 : step) {
          if (wireError(() => parseFrame(bytes.subarray(0, length)))?.code !== 'ERR_WIRE_TRUNCATED') taken.push(length);
          if (length >= FRAME_HEADER_BYTES && wireError(() => decode(bytes.subarray(FRAME_HEADER_BYTES, length))) === undefined) taken.push(length);
        }
        expect(taken).toEqual([]);
      }),
      { numRuns: 5 },
    );
  });

  it('throws nothing but wire errors on damaged and random bytes', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(values, damage, fc.uint8Array({ maxLength: 60 }), (value, changes, random) => {
        wireError(() => decode(random));
        const bytes = codec.encodeBody(value);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        let back: object | undefined;
        const error = wireError(() => {
          back = decode(bytes);
        });
        if (error !== undefined) return;
        // Fields of later versions are not kept; without them the bytes come back as they were.
        const again = codec.encodeBody(back as object);
        expect(present(decode(again))).toEqual(present(back));
        if (again.length >= bytes.length) expect(hex(again)).toBe(hex(bytes));
      }),
      { numRuns: sized(20, 60) },
    );
  });

  it.each([
    ['number', 1],
    ['text', 'text'],
    ['array', []],
    ['map with text keys', new Map([['0', 1]])],
  ] as const)('refuses a body that is a %s', (_what, body) => {
    expect(wireError(() => decode(encodeCbor(body as CborValue)))).toBeDefined();
  });

  it('refuses a frame of another type', () => {
    const [value] = fc.sample(values, { numRuns: 1, seed: 2 }) as [object];
    const other = codec.name === 'alert' ? 'idle' : 'alert';
    expect(wireError(() => codec.decode({ ...parseFrame(codec.encode(value)), name: other }))?.code).toBe('ERR_WIRE_TYPE');
  });
});
