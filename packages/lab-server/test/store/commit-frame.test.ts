import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeFrame, readFrame } from '../../src/store/commit-frame.ts';

const writes = fc
  .array(fc.tuple(fc.stringMatching(/^[!-~]{1,40}$/), fc.option(fc.uint8Array({ maxLength: 80 }), { nil: null })), { maxLength: 8 })
  .map((pairs) => new Map(pairs));

it('comes back as it was written, at any place, and tells where the next one begins', () => {
  fc.assert(
    fc.property(writes, writes, fc.nat({ max: 2 ** 40 }), (first, second, sequence) => {
      const one = encodeFrame(sequence, first);
      const both = Buffer.concat([one, encodeFrame(sequence + 1, second)]);
      expect(readFrame(both, 0)).toEqual({ sequence, writes: first, end: one.length });
      expect(readFrame(both, one.length)).toEqual({ sequence: sequence + 1, writes: second, end: both.length });
    }),
  );
});

it('is none when a byte is missing or another one', () => {
  fc.assert(
    fc.property(writes, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, place, change) => {
      const bytes = encodeFrame(7, given);
      const at = place % bytes.length;
      expect(readFrame(bytes.subarray(0, at), 0)).toBeUndefined();
      bytes[at] = (bytes[at] as number) ^ change;
      expect(readFrame(bytes, 0)).toBeUndefined();
    }),
  );
});

it('is none where a file has only zeros', () => {
  expect(readFrame(Buffer.alloc(64), 0)).toBeUndefined();
});

it('has values of its own', () => {
  const value = Uint8Array.of(1, 2);
  const bytes = encodeFrame(1, new Map([['a', value]]));
  value.fill(9);
  expect(readFrame(bytes, 0)?.writes.get('a')).toEqual(Uint8Array.of(1, 2));
});
