import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { nobleCbcParts, nobleGcmParts } from '../../src/providers/noble/ciphers.ts';
import { nobleCrypto } from '../../src/providers/noble/index.ts';
import { nodeCbcParts, nodeGcmParts } from '../../src/providers/node/ciphers.ts';
import { nodeCrypto } from '../../src/providers/node/index.ts';

export const PROVIDERS = [
  { name: 'noble', crypto: nobleCrypto(), cbcParts: nobleCbcParts, gcmParts: nobleGcmParts },
  { name: 'node', crypto: nodeCrypto(), cbcParts: nodeCbcParts, gcmParts: nodeGcmParts },
] as const;

export interface WycheproofTest {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly result: 'valid' | 'invalid' | 'acceptable';
  readonly [field: string]: unknown;
}

export interface WycheproofGroup {
  readonly tests: readonly WycheproofTest[];
  readonly [field: string]: unknown;
}

/** Reads a JSON file of `vectors/`. */
export function load<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(`../../vectors/${path}`, import.meta.url), 'utf8')) as T;
}

/**
 * Runs each case of a whole file. `run` returns true for a case that it carried out, or the reason why it left it out.
 * The counts are part of the test: a case that silently drops out is a failure.
 */
export function runWholeFile(
  file: string,
  run: (test: WycheproofTest, group: WycheproofGroup) => true | string,
  expected: { readonly executed: number; readonly skipped?: Readonly<Record<string, number>> },
): void {
  const vectors = load<{ readonly numberOfTests: number; readonly testGroups: readonly WycheproofGroup[] }>(`wycheproof/${file}`);
  let executed = 0;
  const skipped: Record<string, number> = {};
  for (const group of vectors.testGroups) {
    for (const test of group.tests) {
      try {
        const outcome = run(test, group);
        if (outcome === true) executed++;
        else skipped[outcome] = (skipped[outcome] ?? 0) + 1;
      } catch (error) {
        throw new Error(`${file} tcId ${test.tcId} (${test.comment})`, { cause: error });
      }
    }
  }
  expect({ executed, skipped }).toEqual({ executed: expected.executed, skipped: expected.skipped ?? {} });
  const left = Object.values(skipped).reduce((sum, count) => sum + count, 0);
  expect(executed + left).toBe(vectors.numberOfTests);
}

/** The error that `work` throws, or undefined. */
export function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
