import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';

/** One figure. `ratio` is value / baseline; `bar` says what is asked of the ratio (or of the value when there is no baseline). */
export interface Figure {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline?: number;
  readonly ratio?: number;
  readonly bar?: string;
  readonly ok?: boolean;
}

export interface BenchReport {
  readonly name: string;
  readonly node: string;
  readonly commit: string;
  readonly machine: string;
  readonly results: readonly Figure[];
}

/** A benchmark: measures and returns its figures; `progress` says what it is doing. */
export type Bench = (progress: (line: string) => void) => Promise<readonly Figure[]>;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** A bound on a ratio, for example `atMost(1.3)`. */
export interface Bar {
  readonly text: string;
  holds(ratio: number): boolean;
}

export function atMost(limit: number): Bar {
  return { text: `<= ${limit}`, holds: (ratio) => ratio <= limit };
}

export function atLeast(limit: number): Bar {
  return { text: `>= ${limit}`, holds: (ratio) => ratio >= limit };
}

/** Figure of a value against its baseline. The ratio is the median of the ratios pair by pair, which survives drift of the machine. */
export function compared(metric: string, unit: string, pairs: readonly { readonly value: number; readonly baseline: number }[], bar?: Bar): Figure {
  const ratio = median(pairs.map((pair) => pair.value / pair.baseline));
  return {
    metric,
    unit,
    value: round(median(pairs.map((pair) => pair.value))),
    baseline: round(median(pairs.map((pair) => pair.baseline))),
    ratio: round(ratio),
    ...(bar === undefined ? {} : { bar: bar.text, ok: bar.holds(ratio) }),
  };
}

export function reported(metric: string, unit: string, value: number): Figure {
  return { metric, unit, value: round(value) };
}

export function round(value: number): number {
  return Number(value.toPrecision(4));
}

/** CPU of this process, user and system, all threads, in microseconds, spent while `work` runs. */
export async function cpuMicros(work: () => void | Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const used = process.cpuUsage(before);
  return used.user + used.system;
}

/** Operations per second of CPU time of synchronous code, over at least `leastMs` of it: what other processes take does not count. */
export function opsPerSecond(operation: () => void, leastMs = 100): number {
  let batch = 1;
  for (;;) {
    const before = process.cpuUsage();
    for (let i = 0; i < batch; i++) operation();
    const used = process.cpuUsage(before);
    const elapsedMs = (used.user + used.system) / 1000;
    if (elapsedMs >= leastMs) return (batch * 1000) / elapsedMs;
    batch = Math.max(batch + 1, Math.ceil((batch * leastMs * 1.1) / Math.max(elapsedMs, 0.01)));
  }
}

/** Measures two synchronous operations in turns. */
export function pairOps(operation: () => void, baseline: () => void, rounds = 7): { readonly value: number; readonly baseline: number }[] {
  opsPerSecond(operation, 30);
  opsPerSecond(baseline, 30);
  return Array.from({ length: rounds }, () => ({ value: opsPerSecond(operation), baseline: opsPerSecond(baseline) }));
}

export function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

export function machine(): string {
  return `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`;
}
