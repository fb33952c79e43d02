import { build, type Histogram } from 'hdr-histogram-js';
import type { Statistic } from '../scenario/assertion.ts';

/** Values are kept in microseconds with three significant digits, up to a day. */
const HIGHEST_US = 86_400_000_000;
const DIGITS = 3;
const US_PER_MS = 1_000;

/** Percentiles of one distribution, in milliseconds. */
export type LatencySummary = Readonly<Record<Statistic, number>>;

/** A distribution of times. Exact counts, no average: averages hide what users wait for. */
export class Latency {
  readonly #histogram: Histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: HIGHEST_US, numberOfSignificantValueDigits: DIGITS });
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  /** Adds one time; one below zero (clock set back) counts as zero, one above a day as a day. */
  record(milliseconds: number): void {
    const microseconds = Math.min(HIGHEST_US, Math.max(0, Math.round(milliseconds * US_PER_MS)));
    this.#histogram.recordValue(microseconds);
    this.#min = Math.min(this.#min, microseconds);
    this.#max = Math.max(this.#max, microseconds);
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** Adds all times of `other`. Distributions add up; percentiles do not. */
  add(other: Latency): void {
    this.#histogram.add(other.#histogram);
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  /** 0 for each statistic of an empty distribution. */
  summary(): LatencySummary {
    const at = (percentile: number): number => (this.count === 0 ? 0 : Math.min(this.#max, this.#histogram.getValueAtPercentile(percentile)) / US_PER_MS);
    return {
      min: this.count === 0 ? 0 : this.#min / US_PER_MS,
      p50: at(50),
      p90: at(90),
      p95: at(95),
      p99: at(99),
      'p99.9': at(99.9),
      max: this.#max / US_PER_MS,
      count: this.count,
    };
  }
}
