import { createHash } from 'node:crypto';
import { encode } from 'cborg';
import { describe, expect, it } from 'vitest';
import { keySchedule, toHex } from '../../src/index.ts';
import { nodeCrypto } from '../../src/providers/node/index.ts';
import type * as wire from '../../src/wire/index.ts';

const lp = (bytes: Uint8Array): Uint8Array => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const text = (value: string): Uint8Array => Buffer.from(value);
/** docs/protocol/04-access-key.md, 4.9, with another encoder. */
const expected = (name: string, content: unknown): string =>
  createHash('sha256')
    .update(Buffer.concat([lp(text('uemkit/1 app doc')), lp(text(name)), lp(encode(content))]))
    .digest('hex');

const id = new Uint8Array(16).fill(7);
const point = new Uint8Array(65).fill(4);
const root = new Uint8Array(40).fill(5);
const proxy: wire.ProxyInstance = { id: 'p', host: 'proxy.example', port: 17_533, spkiPins: [], keyExchangeKey: point, roots: [root] };
const console: wire.AppConsole = {
  blocks: [{ id: 'b', title: 'T', message: 'M' }],
  unlockKey: { id, key: '0123456789ABCDE' },
  lockId: id,
  wipe: true,
};
const map = (...entries: readonly (readonly [number, unknown])[]): Map<number, unknown> => new Map(entries);

const CASES: readonly (readonly [wire.AppDocument, unknown])[] = [
  [
    { name: 'configuration', content: { userId: 'ada', servers: [1, 2] } },
    { userId: 'ada', servers: [1, 2] },
  ],
  [{ name: 'policy/dynamics', content: {} }, {}],
  [{ name: 'proxies', content: [proxy] }, [map([0, 'p'], [1, 'proxy.example'], [2, 17_533], [3, []], [4, point], [5, [root]])]],
  [{ name: 'console', content: console }, map([0, [map([0, 'b'], [1, 'T'], [2, 'M'])]], [1, map([0, id], [1, '0123456789ABCDE'])], [2, id], [3, true])],
];

describe('the hash of a document of an app', () => {
  it.each(CASES)('is that of its name and its encoding: $name', (document, content) => {
    expect(toHex(keySchedule.appDocumentHash(nodeCrypto(), document))).toBe(expected(document.name, content));
  });

  it('does not depend on the order of names, and is another one for another name', () => {
    const crypto = nodeCrypto();
    const hash = (document: wire.AppDocument): string => toHex(keySchedule.appDocumentHash(crypto, document));
    expect(hash({ name: 'configuration', content: { a: 1, b: 2 } })).toBe(hash({ name: 'configuration', content: { b: 2, a: 1 } }));
    expect(hash({ name: 'policy/a', content: {} })).not.toBe(hash({ name: 'policy/b', content: {} }));
  });
});
