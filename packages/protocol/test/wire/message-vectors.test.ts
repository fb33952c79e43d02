import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/bytes/text.ts';
import { type MessageCodec, parseFrame } from '../../src/wire/frame.ts';
import { FRAME_TYPES } from '../../src/wire/frame-types.ts';
import * as wire from '../../src/wire/index.ts';
import { load } from '../vectors/vectors.ts';

interface Case {
  readonly id: string;
  readonly message: wire.FrameName;
  readonly fields: object;
  readonly frame: string;
}

const { cases } = load<{ readonly cases: readonly Case[] }>('uemkit/messages.json');
const CODECS: Readonly<Record<string, unknown>> = { ...wire };

/** A decoded value as the file writes it. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

describe('frames of the second implementation', () => {
  it.each(cases.map((vector) => [vector.id, vector] as const))('%s', (_id, { message, fields, frame }) => {
    const codec = CODECS[message] as MessageCodec<object>;
    const decoded = codec.decode(parseFrame(fromHex(frame)));
    expect(plain(decoded)).toEqual(fields);
    expect(toHex(codec.encode(decoded))).toBe(frame);
  });

  it('are there for every message of discovery, management, push, the data path, services of the Proxy, services of apps and between NOC and UEM alone', () => {
    expect(cases).toHaveLength(70);
    const named = new Set(cases.map(({ message }) => message));
    const expected = Object.entries(FRAME_TYPES).filter(([, type]) => (type >= 0x35 && type < 0x40) || (type >= 0x43 && type < 0x50) || type >= 0x60);
    expect(expected.map(([name]) => name).filter((name) => !named.has(name as wire.FrameName))).toEqual([]);
  });
});
