import { ProtocolError } from '@uemkit/protocol';
import { seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { describe, expect, it } from 'vitest';
import { acknowledgedId, wakeUpFrame } from '../../src/roles/notification/wake-up-frames.ts';

const entropy = seededEntropy('wake-up frames');

describe('the frame of a wake-up', () => {
  it.each([0, 1, 23, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 255, Date.UTC(2026, 10, 29, 23, 59, 59, 999), 2 ** 48 + 1, Number.MAX_SAFE_INTEGER])(
    'is what the codec makes at %i',
    (sentAtEpochMs) => {
      const wakeUp = { wakeUpId: entropy.randomBytes(16), sentAtEpochMs };
      expect(wakeUpFrame(wakeUp)).toEqual(wire.wakeUp.encode(wakeUp));
    },
  );

  it('is one of its own each time', () => {
    const first = wakeUpFrame({ wakeUpId: new Uint8Array(16).fill(1), sentAtEpochMs: Date.UTC(2026, 0) });
    wakeUpFrame({ wakeUpId: new Uint8Array(16).fill(2), sentAtEpochMs: Date.UTC(2027, 0) });
    expect(wire.wakeUp.decode(wire.parseFrame(first))).toEqual({ wakeUpId: new Uint8Array(16).fill(1), sentAtEpochMs: Date.UTC(2026, 0) });
  });

  it.each([
    ['an id of 15 bytes', new Uint8Array(15), Date.UTC(2026, 0)],
    ['an id of 17 bytes', new Uint8Array(17), Date.UTC(2026, 0)],
    ['a time that is no whole number', new Uint8Array(16), 2 ** 33 + 0.5],
    ['a time before 1970', new Uint8Array(16), -1],
  ])('is not made of %s', (_what, wakeUpId, sentAtEpochMs) => {
    expect(() => wakeUpFrame({ wakeUpId, sentAtEpochMs })).toThrow(ProtocolError);
  });
});

describe('the id in an acknowledgement', () => {
  it('is read without the decoder', () => {
    const wakeUpId = entropy.randomBytes(16);
    expect(acknowledgedId(wire.pushAck.encode({ wakeUpId }))).toEqual(wakeUpId);
  });

  it('is not read from any other frame', () => {
    const frame = wire.pushAck.encode({ wakeUpId: new Uint8Array(16) });
    for (let at = 0; at < frame.length - 16; at++) {
      const other = frame.slice();
      other[at] = (other[at] as number) ^ 1;
      expect(acknowledgedId(other), `byte ${at}`).toBeUndefined();
    }
    for (const other of [new Uint8Array(0), frame.subarray(1), frame.subarray(0, -1), new Uint8Array([...frame, 0])])
      expect(acknowledgedId(other)).toBeUndefined();
  });
});
