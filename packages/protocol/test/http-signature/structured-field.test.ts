import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isProtocolError } from '../../src/errors/protocol-error.ts';
import { readChallenge, writeChallenge } from '../../src/http-signature/challenge.ts';
import { readCertificateField } from '../../src/http-signature/key-id.ts';
import { signatureBase } from '../../src/http-signature/signature-base.ts';
import { type BareItem, readBytesItem, readDictionary, writeBytes, writeList } from '../../src/http-signature/structured-field.ts';
import { thrown } from '../vectors/vectors.ts';

const key = fc.stringMatching(/^[a-z*][a-z0-9_.*-]{0,8}$/);
const text = fc.stringMatching(/^[\x20\x21\x23-\x5b\x5d-\x7e]{0,12}$/);
const bare: fc.Arbitrary<BareItem> = fc.oneof(text, fc.integer({ min: 0, max: 999_999_999_999_999 }), fc.constant(true as const));
const parameters = fc.uniqueArray(fc.tuple(key, bare), { selector: ([name]) => name, maxLength: 8 }).map((entries) => new Map(entries));
const items = fc.array(fc.record({ text, parameters }), { maxLength: 6 });

describe('dictionaries', () => {
  it('reads back every list that it writes', () => {
    fc.assert(
      fc.property(key, items, parameters, (label, list, outer) => {
        const written = `${label}=${writeList(list, outer)}`;
        expect(readDictionary('f', written, 100_000).get(label)).toEqual({ kind: 'list', items: list, parameters: outer });
      }),
    );
  });

  it('reads back every byte sequence that it writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(writeBytes(bytes)).toBe(`:${Buffer.from(bytes).toString('base64')}:`);
        expect(readDictionary('f', `a=${writeBytes(bytes)}`).get('a')).toEqual({ kind: 'bytes', value: bytes, parameters: new Map() });
      }),
    );
  });

  it('takes one text for one meaning: what it reads, it would write the same', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^a=\([" a;=b10():,\\]{0,14}$/), (written) => {
        try {
          const member = readDictionary('f', written).get('a');
          if (member?.kind !== 'list') throw new Error('not a list');
          expect(`a=${writeList(member.items, member.parameters)}`).toBe(written);
        } catch (error) {
          expect(isProtocolError(error) && error.code).toBe('ERR_WIRE_FIELD');
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('answers any text with a wire error or a dictionary', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (written) => {
        const error = thrown(() => readDictionary('f', written));
        if (error !== undefined) expect(isProtocolError(error) && error.code).toBe('ERR_WIRE_FIELD');
      }),
    );
  });

  it.each([
    '',
    'a',
    'a=',
    'a=1',
    'A=()',
    '1=()',
    'a=();',
    'a=() ',
    ' a=()',
    'a=(),b=()',
    'a=(), ',
    'a=(), a=()',
    'a=() ;b',
    'a=();b;b',
    'a=();b=',
    'a=();b=01',
    'a=();b=-1',
    'a=();b=1.0',
    'a=();b=?1',
    'a=();b=1234567890123456',
    'a=( "x")',
    'a=("x" )',
    'a=("x"  "y")',
    'a=("x""y")',
    'a=("x',
    'a=("\\"")',
    'a=("\u00e9")',
    'a=(x)',
    'a=:',
    'a=:YQ:',
    'a=:YR==:',
    'a=:YQ==',
    'a=:Y===:',
    'a=:YQ=a:',
    'a=:Y-==:',
    'a=:YWJj=:',
    'a=:::',
  ])('refuses %j', (written) => {
    expect(() => readDictionary('f', written)).toThrow(expect.objectContaining({ code: 'ERR_WIRE_FIELD', details: { field: 'f' } }));
  });

  it('is bounded in characters, components and parameters', () => {
    const list = (count: number): string => `a=(${Array.from({ length: count }, () => '"x"').join(' ')})`;
    const parameterised = (count: number): string => `a=()${Array.from({ length: count }, (_, at) => `;p${at}`).join('')}`;
    for (const [fits, tooMuch] of [
      [list(16), list(17)],
      [parameterised(8), parameterised(9)],
      [`a=("${'x'.repeat(1_024 - 6)}")`, `a=("${'x'.repeat(1_024 - 5)}")`],
    ] as const) {
      expect(readDictionary('f', fits).size).toBe(1);
      expect(() => readDictionary('f', tooMuch)).toThrow(expect.objectContaining({ code: 'ERR_WIRE_LIMIT' }));
    }
  });
});

describe('single items', () => {
  it('reads a byte sequence and nothing behind it', () => {
    expect(readBytesItem('f', ':YQ==:;n=1')).toEqual({ value: Uint8Array.of(97), parameters: new Map([['n', 1]]) });
    expect(() => readBytesItem('f', ':YQ==: ')).toThrow(expect.objectContaining({ code: 'ERR_WIRE_FIELD' }));
    expect(() => readBytesItem('f', ':YQ==:', 5)).toThrow(expect.objectContaining({ code: 'ERR_WIRE_LIMIT' }));
  });

  it('takes a certificate of any size that a certificate may have, without parameters', () => {
    const largest = new Uint8Array(4_096).fill(7);
    expect(readCertificateField(writeBytes(largest))).toEqual(largest);
    expect(() => readCertificateField(':YQ==:;a')).toThrow(expect.objectContaining({ code: 'ERR_WIRE_FIELD' }));
    expect(() => readCertificateField(writeBytes(new Uint8Array(4_200)))).toThrow(expect.objectContaining({ code: 'ERR_WIRE_LIMIT' }));
  });

  it('writes challenges that it reads, and refuses others', () => {
    const challenge = { epoch: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), nowS: 1_748_800_000 };
    expect(writeChallenge(challenge)).toBe(':AQIDBAUGBwg=:;now=1748800000');
    expect(readChallenge(writeChallenge(challenge))).toEqual(challenge);
    for (const other of [':AQIDBAUGBw==:;now=1', ':AQIDBAUGBwg=:', ':AQIDBAUGBwg=:;now="1"', ':AQIDBAUGBwg=:;now=1;x']) {
      expect(() => readChallenge(other)).toThrow(expect.objectContaining({ code: 'ERR_WIRE_FIELD' }));
    }
  });
});

it.each(['two\nlines', 'carriage\r', '\u00e9', '\0'])('never signs the value %j: it could pose as another component', (value) => {
  expect(() => signatureBase([{ text: 'x', parameters: new Map(), value }], new Map())).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
});
