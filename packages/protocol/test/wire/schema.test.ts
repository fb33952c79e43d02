import { describe, expect, it } from 'vitest';
import type { CborValue } from '../../src/wire/cbor/value.ts';
import {
  arrayOf,
  bool,
  bytes,
  coded,
  document,
  type FieldType,
  numbered,
  oneOf,
  optional,
  required,
  structure,
  text,
  uint,
  type WireDocument,
} from '../../src/wire/schema.ts';
import { wireError } from './wire-errors.ts';

const decodes = (type: FieldType<never>, value: unknown): string => wireError(() => (type as FieldType<unknown>).decode(value as CborValue, 'f'))?.code ?? 'ok';
const encodes = (type: FieldType<never>, value: unknown): string => wireError(() => (type as FieldType<unknown>).encode(value, 'f'))?.code ?? 'ok';

describe('field types', () => {
  it.each<readonly [string, FieldType<never>, unknown, string]>([
    ['uint', uint(2, 5) as FieldType<never>, 2, 'ok'],
    ['uint', uint(2, 5) as FieldType<never>, 5, 'ok'],
    ['uint', uint(2, 5) as FieldType<never>, 1, 'ERR_WIRE_FIELD'],
    ['uint', uint(2, 5) as FieldType<never>, 6, 'ERR_WIRE_FIELD'],
    ['uint', uint() as FieldType<never>, '1', 'ERR_WIRE_TYPE'],
    ['bytes', bytes(2) as FieldType<never>, new Uint8Array(2), 'ok'],
    ['bytes', bytes(2) as FieldType<never>, new Uint8Array(1), 'ERR_WIRE_LENGTH'],
    ['bytes', bytes(2) as FieldType<never>, new Uint8Array(3), 'ERR_WIRE_LENGTH'],
    ['bytes', bytes(0, 3) as FieldType<never>, new Uint8Array(0), 'ok'],
    ['bytes', bytes(0, 3) as FieldType<never>, [1], 'ERR_WIRE_TYPE'],
    ['text', text() as FieldType<never>, '', 'ERR_WIRE_LENGTH'],
    ['text', text() as FieldType<never>, 'x'.repeat(255), 'ok'],
    ['text', text() as FieldType<never>, 'x'.repeat(256), 'ERR_WIRE_LENGTH'],
    ['text in bytes, not characters', text(1, 3) as FieldType<never>, 'üü', 'ERR_WIRE_LENGTH'],
    ['text', text() as FieldType<never>, 7, 'ERR_WIRE_TYPE'],
    ['bool', bool() as FieldType<never>, false, 'ok'],
    ['bool', bool() as FieldType<never>, 0, 'ERR_WIRE_TYPE'],
    ['oneOf', oneOf('a', 'b') as FieldType<never>, 'b', 'ok'],
    ['oneOf', oneOf('a', 'b') as FieldType<never>, 'c', 'ERR_WIRE_FIELD'],
    ['oneOf', oneOf('a', 'b') as FieldType<never>, 1, 'ERR_WIRE_FIELD'],
  ])('%s checks the same in both directions', (_name, type, value, expected) => {
    expect([decodes(type, value), encodes(type, value)]).toEqual([expected, expected]);
  });

  it('numbered stands for a word by its place', () => {
    const type = numbered('zero', 'one') as FieldType<never>;
    expect((type as FieldType<unknown>).encode('one', 'f')).toBe(1);
    expect((type as FieldType<unknown>).decode(1, 'f')).toBe('one');
    expect([decodes(type, 2), decodes(type, 'one'), decodes(type, 2 ** 40), encodes(type, 'two')]).toEqual([
      'ERR_WIRE_FIELD',
      'ERR_WIRE_TYPE',
      'ERR_WIRE_FIELD',
      'ERR_WIRE_FIELD',
    ]);
  });

  it('coded stands for a word by a table', () => {
    const type = coded({ one: 1, seven: 7 }) as FieldType<never>;
    expect((type as FieldType<unknown>).encode('seven', 'f')).toBe(7);
    expect((type as FieldType<unknown>).decode(7, 'f')).toBe('seven');
    expect([decodes(type, 2), decodes(type, 'one'), encodes(type, 'two')]).toEqual(['ERR_WIRE_FIELD', 'ERR_WIRE_TYPE', 'ERR_WIRE_FIELD']);
  });

  it('arrayOf bounds the number of items and checks each', () => {
    const type = arrayOf(uint(0, 9), 1, 2) as FieldType<never>;
    expect([decodes(type, []), decodes(type, [1, 2, 3]), decodes(type, [1, 10]), decodes(type, 1), decodes(type, new Uint8Array(1))]).toEqual([
      'ERR_WIRE_LENGTH',
      'ERR_WIRE_LENGTH',
      'ERR_WIRE_FIELD',
      'ERR_WIRE_TYPE',
      'ERR_WIRE_TYPE',
    ]);
    expect([encodes(type, []), encodes(type, [1, 2, 3]), encodes(type, [1, 2])]).toEqual(['ERR_WIRE_LENGTH', 'ERR_WIRE_LENGTH', 'ok']);
  });

  it('errors name the field and never its value', () => {
    const inner = structure<{ secret: string }>({ secret: required(0, text(1, 4)) });
    const outer = structure<{ list: readonly { secret: string }[] }>({ list: required(0, arrayOf(inner, 0, 9)) });
    const error = wireError(() => outer.decode(new Map([[0, [new Map([[0, 'ok']]), new Map([[0, 'hunter22']])]]]), 'message'));
    expect(error).toMatchObject({ code: 'ERR_WIRE_LENGTH', details: { field: 'message.list[1].secret' } });
    expect(JSON.stringify([error?.message, error?.details])).not.toContain('hunter22');
  });
});

describe('structure', () => {
  interface Pair {
    readonly a: number;
    readonly b?: string | undefined;
  }
  const pair = structure<Pair>({ a: required(0, uint()), b: optional(7, text()) });

  it('leaves out what is undefined', () => {
    expect(pair.encode({ a: 1 }, 'f')).toEqual(new Map([[0, 1]]));
    expect(pair.encode({ a: 1, b: undefined }, 'f')).toEqual(new Map([[0, 1]]));
    expect(pair.decode(new Map([[0, 1]]), 'f')).toEqual({ a: 1 });
    expect(Object.keys(pair.decode(new Map([[0, 1]]), 'f'))).toEqual(['a']);
  });

  it.each<readonly [string, CborValue, string]>([
    ['no map', [], 'ERR_WIRE_TYPE'],
    ['text keys', new Map([['0', 1]]), 'ERR_WIRE_TYPE'],
    ['missing field', new Map([[7, 'x']]), 'ERR_WIRE_FIELD'],
    [
      'unknown field',
      new Map([
        [0, 1],
        [6, 1],
      ]),
      'ERR_WIRE_FIELD',
    ],
    [
      'unknown field 63',
      new Map([
        [0, 1],
        [63, 1],
      ]),
      'ERR_WIRE_FIELD',
    ],
    [
      'field of a later version',
      new Map([
        [0, 1],
        [64, 1],
      ]),
      'ok',
    ],
  ])('%s', (_what, value, expected) => {
    expect(decodes(pair as FieldType<never>, value)).toBe(expected);
  });

  it('refuses to encode without a field that must be there', () => {
    expect(encodes(pair as FieldType<never>, { b: 'x' })).toBe('ERR_WIRE_FIELD');
  });

  it('refuses unknown fields of structures inside, too', () => {
    const outer = structure<{ inner: Pair }>({ inner: required(0, pair) });
    expect(
      decodes(
        outer as FieldType<never>,
        new Map([
          [
            0,
            new Map([
              [0, 1],
              [5, 1],
            ]),
          ],
        ]),
      ),
    ).toBe('ERR_WIRE_FIELD');
  });
});

describe('document', () => {
  const type = document();

  it('has no prototype, so that no key is special', () => {
    const decoded = type.decode(
      new Map<string, CborValue>([
        ['__proto__', new Map([['polluted', true]])],
        ['constructor', 1],
      ]),
      'f',
    );
    expect(Object.getPrototypeOf(decoded)).toBeNull();
    expect(Object.keys(decoded)).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it.each([
    ['number', 1],
    ['array', []],
    ['number keys', new Map([[1, 1]])],
    ['number keys inside', new Map([['a', [new Map([[1, 1]])]]])],
  ] as const)('refuses %s', (_what, value) => {
    expect(decodes(type as FieldType<never>, value)).toBe('ERR_WIRE_TYPE');
  });

  it('refuses to encode a document that holds itself', () => {
    const endless: Record<string, unknown> = {};
    endless.self = [endless];
    expect(wireError(() => type.encode(endless as WireDocument, 'f'))?.code).toBe('ERR_WIRE_LIMIT');
  });
});
