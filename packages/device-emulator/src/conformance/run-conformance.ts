import { forEachBounded } from '../concurrency/for-each-bounded.ts';
import type { ConformanceCase } from './conformance-case.ts';
import { Mismatch } from './mismatch.ts';
import { Target, type TargetOptions } from './subject.ts';

/** What became of one case. */
export interface CaseResult {
  readonly name: string;
  readonly step: string;
  readonly section: string;
  readonly demand: string;
  readonly ok: boolean;
  /** Of a case that failed. */
  readonly expected?: string;
  readonly seen?: string;
}

export interface ConformanceOptions extends TargetOptions {
  readonly cases: readonly ConformanceCase[];
  /** Cases at once; one unless set. Slow cases run alone, at the end: they move the time of all, or change what holds for all. */
  readonly width?: number;
  /** Called after each case. */
  onResult?(result: CaseResult): void;
}

/** Runs cases against a server, each with users and devices of its own, and gives their results in the order of the cases. */
export async function runConformance(options: ConformanceOptions): Promise<readonly CaseResult[]> {
  const { cases, width = 1, onResult } = options;
  const target = new Target(options);
  const results = new Map<string, CaseResult>();
  const run = async (one: ConformanceCase): Promise<void> => {
    const result = await runCase(target, one);
    results.set(one.name, result);
    onResult?.(result);
  };
  try {
    await forEachBounded(
      cases.filter(({ slow }) => slow !== true),
      width,
      run,
    );
    await forEachBounded(
      cases.filter(({ slow }) => slow === true),
      1,
      run,
    );
  } finally {
    await target.close();
  }
  return cases.map(({ name }) => results.get(name) as CaseResult);
}

async function runCase(target: Target, { name, step, section, demand, run }: ConformanceCase): Promise<CaseResult> {
  const about = { name, step, section, demand };
  const subject = target.subject();
  try {
    await run(subject);
    return { ...about, ok: true };
  } catch (error) {
    if (error instanceof Mismatch) return { ...about, ok: false, expected: error.expected, seen: error.seen };
    // A server that is not there, or an admin REST that refuses the set-up, is no verdict, but no pass either.
    return { ...about, ok: false, expected: demand, seen: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  } finally {
    await subject.close();
  }
}
