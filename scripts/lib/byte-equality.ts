import { expect } from 'vitest';

/** Marks that it is there: files of one worker share `expect`, and each runs this. */
const THERE = Symbol.for('uemkit.byte-equality');
const shared = globalThis as { [THERE]?: true };

/**
 * Bytes that are equal are so at the price of a comparison of memory. `toEqual` looks at each byte as a property, with its name as a text: half of the time
 * of some property tests. Bytes that differ, and arrays of other classes, are left to it.
 */
function equalBytes(left: unknown, right: unknown): true | undefined {
  const same = left instanceof Uint8Array && right instanceof Uint8Array && left.constructor === right.constructor && Buffer.compare(left, right) === 0;
  return same ? true : undefined;
}

if (shared[THERE] === undefined) {
  expect.addEqualityTesters([equalBytes]);
  shared[THERE] = true;
}
