import { expect, it } from 'vitest';

const equal = (left: unknown, right: unknown, strictly = false): boolean => {
  try {
    if (strictly) expect(left).toStrictEqual(right);
    else expect(left).toEqual(right);
    return true;
  } catch {
    return false;
  }
};

// The shortcut of scripts/lib/byte-equality.ts: what it passes must be what `toEqual` passes without it.
it('tells bytes that differ in one place or in their length, also deep inside', () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const others = [Uint8Array.of(1, 2, 4), Uint8Array.of(0, 2, 3), Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3, 0), new Uint8Array()];
  expect(equal(bytes, bytes.slice())).toBe(true);
  expect(equal({ list: [bytes] }, { list: [bytes.slice()] })).toBe(true);
  for (const other of others) {
    expect([equal(bytes, other), equal(other, bytes), equal({ list: [bytes] }, { list: [other] })]).toEqual([false, false, false]);
    expect(equal(Buffer.from(bytes), Buffer.from(other))).toBe(false);
  }
});

it('leaves other classes to toEqual and toStrictEqual', () => {
  const bytes = Uint8Array.of(1, 2, 3);
  expect(equal(bytes, Buffer.from(bytes), true)).toBe(false);
  expect(equal(bytes, Int8Array.of(1, 2, 3), true)).toBe(false);
  expect(equal(bytes, [1, 2, 3])).toBe(false);
});
