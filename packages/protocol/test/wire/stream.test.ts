import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/bytes/bytes.ts';
import { ProtocolError } from '../../src/errors/protocol-error.ts';
import { parseFrame } from '../../src/wire/frame.ts';
import { acknowledgement, type FrameParser, frameParser, handshakeFinish, LIMITS, wakeUp } from '../../src/wire/index.ts';
import { MESSAGES } from './message-arbitraries.ts';
import { wireError } from './wire-errors.ts';

const TRAILER_BYTES = 32;
const parser = (maxBodyBytes: number = LIMITS.bodyBytes, views = false): FrameParser =>
  frameParser({ maxBodyBytes, trailerBytes: (name) => (name === 'handshakeFinish' ? TRAILER_BYTES : 0), views });

const withTrailer = MESSAGES.handshakeFinish.map((value) => concatBytes(handshakeFinish.encode(value), new Uint8Array(TRAILER_BYTES).fill(7)));
const frames = fc.array(fc.oneof(withTrailer, MESSAGES.wakeUp.map(wakeUp.encode), MESSAGES.acknowledgement.map(acknowledgement.encode)), { maxLength: 6 });

/** Cuts bytes at any places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let start = 0;
  return ends.map((end) => {
    const part = bytes.subarray(start, end);
    start = end;
    return part;
  });
}

describe('frameParser', () => {
  it('gives the same frames however the reads split them', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 12 }), (sent, places) => {
        const stream = concatBytes(...sent);
        for (const views of [false, true]) {
          expect(parser(undefined, views).push(stream)).toEqual(sent);
          const split = parser(undefined, views);
          expect(cut(stream, places).flatMap((part) => split.push(part))).toEqual(sent);
          split.end();
        }
        const slow = parser();
        expect([...stream].flatMap((byte) => slow.push(Uint8Array.of(byte)))).toEqual(sent);
        slow.end();
      }),
    );
  });

  it('gives copies that parseFrame takes', () => {
    const chunk = acknowledgement.encode({ ok: true });
    const [frame] = parser().push(chunk);
    chunk.fill(0);
    expect(acknowledgement.decode(parseFrame(frame as Uint8Array))).toEqual({ ok: true });
  });

  it('gives views of whole frames to whom they do, and copies of those that come in parts', () => {
    const sent = acknowledgement.encode({ ok: true });
    const stream = parser(undefined, true);
    const [first, second] = stream.push(concatBytes(sent, sent, sent.subarray(0, 9)));
    expect([first?.buffer === second?.buffer, first, second]).toEqual([true, sent, sent]);
    expect(stream.push(sent.subarray(9))).toEqual([sent]);
    stream.end();
  });

  it('holds back a frame without body and trailer no longer than its header', () => {
    const empty = Uint8Array.of(1, 0x65, 0, 0, 0, 0, 0, 0);
    expect(parser().push(concatBytes(empty, empty))).toEqual([empty, empty]);
    const slow = parser();
    expect([...empty, ...empty].flatMap((byte) => slow.push(Uint8Array.of(byte)))).toEqual([empty, empty]);
  });

  it('says when the stream ends in the middle of a frame', () => {
    const frame = acknowledgement.encode({ ok: true });
    for (let length = 1; length < frame.length; length++) {
      const stream = parser();
      expect(stream.push(frame.subarray(0, length))).toEqual([]);
      expect(wireError(() => stream.end())?.code).toBe('ERR_WIRE_TRUNCATED');
    }
    parser().end();
  });

  it.each([false, true])('refuses a bad header as soon as it is complete, and everything after it (views: %s)', (views) => {
    const stream = parser(100, views);
    const tooLarge = Uint8Array.of(1, 0x65, 0, 0, 0, 0, 0, 101);
    expect(stream.push(tooLarge.subarray(0, 7))).toEqual([]);
    expect(wireError(() => stream.push(tooLarge.subarray(7)))?.code).toBe('ERR_WIRE_LIMIT');
    expect(wireError(() => stream.push(acknowledgement.encode({ ok: true })))?.code).toBe('ERR_WIRE_LIMIT');
    const atOnce = parser(100, views);
    expect(wireError(() => atOnce.push(tooLarge))?.code).toBe('ERR_WIRE_LIMIT');
    expect(wireError(() => atOnce.push(acknowledgement.encode({ ok: true })))?.code).toBe('ERR_WIRE_LIMIT');
    expect(wireError(() => parser(100, views).push(concatBytes(acknowledgement.encode({ ok: true }), new Uint8Array(8))))?.code).toBe('ERR_WIRE_VERSION');
  });

  it('refuses a type that the exchange does not expect', () => {
    const stream = frameParser({
      maxBodyBytes: 100,
      trailerBytes(name) {
        throw new ProtocolError('ERR_WIRE_TYPE', `${name} is not expected here`);
      },
    });
    expect(wireError(() => stream.push(acknowledgement.encode({ ok: true })))?.code).toBe('ERR_WIRE_TYPE');
  });

  it('throws nothing but wire errors on random bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 10 }), (chunks) => {
        const stream = parser(64);
        for (const chunk of chunks) wireError(() => stream.push(chunk));
        wireError(() => stream.end());
      }),
      { numRuns: 500 },
    );
  });
});
