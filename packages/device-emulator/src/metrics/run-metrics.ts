import { COUNTER_NAMES, type CounterName, SERIES_NAMES, type SeriesName } from '../scenario/assertion.ts';
import { Series, type SeriesSummary } from './series.ts';

/** Everything that is measured and counted in one run. */
export class RunMetrics {
  readonly #series: ReadonlyMap<SeriesName, Series> = new Map(SERIES_NAMES.map((name) => [name, new Series()]));
  readonly #counters: Map<CounterName, number> = new Map(COUNTER_NAMES.map((name) => [name, 0]));

  series(name: SeriesName): Series {
    return this.#series.get(name) as Series;
  }

  count(name: CounterName, by = 1): void {
    this.#counters.set(name, this.counter(name) + by);
  }

  /** Sets a counter that is found out rather than counted. */
  set(name: CounterName, value: number): void {
    this.#counters.set(name, value);
  }

  counter(name: CounterName): number {
    return this.#counters.get(name) as number;
  }

  summary(): MetricsSummary {
    return {
      counters: Object.fromEntries(this.#counters) as Record<CounterName, number>,
      series: Object.fromEntries([...this.#series].map(([name, series]) => [name, series.summary()])) as Record<SeriesName, SeriesSummary>,
    };
  }
}

export interface MetricsSummary {
  readonly counters: Readonly<Record<CounterName, number>>;
  readonly series: Readonly<Record<SeriesName, SeriesSummary>>;
}
