import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, u32be } from '../../src/bytes/bytes.ts';
import { dataCodec } from '../../src/wire/data-codec.ts';
import { type Frame, message, parseFrame } from '../../src/wire/frame.ts';
import { dataBytesOfTlsRecord, LIMITS, type StreamData, streamData } from '../../src/wire/index.ts';
import { bytes, required, structure, uint } from '../../src/wire/schema.ts';
import { wireError } from './wire-errors.ts';

/** The same message by the codec of every message. */
const general = message<StreamData>(
  'streamData',
  structure<StreamData>({ streamId: required(0, uint(0, 0xffff_ffff)), bytes: required(1, bytes(1, LIMITS.streamDataBytes)) }),
);
const streamId = fc.oneof(fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 0xffff_ffff), fc.integer({ min: 0, max: 0xffff_ffff }));
const lengthBytes = fc.oneof(fc.constantFrom(1, 23, 24, 255, 256, LIMITS.streamDataBytes), fc.integer({ min: 1, max: 400 }));
const messages = fc.record({ streamId, bytes: lengthBytes.map((length) => new Uint8Array(length).map((_, at) => at * 7)) });

function framed(body: Uint8Array): Frame {
  return parseFrame(concatBytes(Uint8Array.of(1, 0x93, 0, 0), u32be(body.length), body));
}

/** What a codec makes of a body: the message, or the code of the error. */
function outcome(codec: typeof general, frame: Frame): unknown {
  let decoded: StreamData | undefined;
  const error = wireError(() => {
    decoded = codec.decode(frame);
  });
  return error?.code ?? decoded;
}

describe('the codec of stream data', () => {
  it('fills a record of TLS, whatever the number of the stream', () => {
    fc.assert(fc.property(streamId, (id) => streamData.encode({ streamId: id, bytes: new Uint8Array(dataBytesOfTlsRecord(id)) }).length === 16_384));
  });

  it('writes the bytes of the general codec, and reads what that reads', () => {
    fc.assert(
      fc.property(messages, (sent) => {
        const frame = streamData.encode(sent);
        expect(frame).toEqual(general.encode(sent));
        expect(streamData.decode(parseFrame(frame))).toEqual(sent);
        expect(streamData.decodeBody(streamData.encodeBody(sent))).toEqual(sent);
      }),
    );
  });

  it('agrees with the general codec on every damaged body, every beginning of one, and one that goes on', () => {
    fc.assert(
      fc.property(messages, fc.nat({ max: 14 }), fc.nat({ max: 255 }), fc.nat(), (sent, at, byte, cut) => {
        const body = streamData.encodeBody(sent);
        const damaged = body.slice();
        damaged[at % body.length] = byte;
        for (const other of [damaged, body.subarray(0, cut % body.length), concatBytes(body, Uint8Array.of(byte))]) {
          expect(outcome(streamData, framed(other))).toEqual(outcome(general, framed(other)));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it.each<[string, number[]]>([
    ['a number of the stream that is longer than it need be', [0xa2, 0, 0x18, 5, 1, 0x41, 9]],
    ['a length that is longer than it need be', [0xa2, 0, 5, 1, 0x58, 1, 9]],
    ['a number of eight bytes', [0xa2, 0, 0x1b, 0, 0, 0, 0, 0, 0, 0, 5, 1, 0x41, 9]],
    ['a text for the bytes', [0xa2, 0, 5, 1, 0x61, 0x41]],
    ['a negative number', [0xa2, 0, 0x25, 1, 0x41, 9]],
    ['no bytes', [0xa2, 0, 5, 1, 0x40]],
    ['another first key', [0xa2, 2, 5, 1, 0x41, 9]],
    ['another second key', [0xa2, 0, 5, 2, 0x41, 9]],
    ['one field', [0xa1, 0, 5]],
    ['nothing', []],
  ])('refuses %s as the general codec does', (_name, body) => {
    const frame = framed(Uint8Array.from(body));
    expect(outcome(general, frame)).toMatch(/^ERR_WIRE/);
    expect(outcome(streamData, frame)).toBe(outcome(general, frame));
  });

  it('passes over fields of later versions, as every message does', () => {
    const frame = framed(Uint8Array.of(0xa3, 0, 5, 1, 0x41, 9, 0x18, 64, 1));
    expect(streamData.decode(frame)).toEqual({ streamId: 5, bytes: Uint8Array.of(9) });
  });

  it.each<[string, StreamData]>([
    ['no bytes', { streamId: 1, bytes: new Uint8Array(0) }],
    ['too many bytes', { streamId: 1, bytes: new Uint8Array(LIMITS.streamDataBytes + 1) }],
    ['a number that is too large', { streamId: 2 ** 32, bytes: Uint8Array.of(1) }],
    ['a number below zero', { streamId: -1, bytes: Uint8Array.of(1) }],
    ['a number that is none', { streamId: 0.5, bytes: Uint8Array.of(1) }],
  ])('writes none with %s', (_name, wrong) => {
    expect(() => streamData.encode(wrong)).toThrow();
  });

  it('is asked for frames of its own type', () => {
    const frame = parseFrame(dataCodec(general).encode({ streamId: 1, bytes: Uint8Array.of(1) }));
    expect(wireError(() => streamData.decode({ ...frame, name: 'streamEnd' }))?.code).toBe('ERR_WIRE_TYPE');
  });

  it('gives a view of the frame', () => {
    const frame = streamData.encode({ streamId: 1, bytes: Uint8Array.of(1, 2) });
    expect(streamData.decode(parseFrame(frame)).bytes.buffer).toBe(frame.buffer);
  });
});
