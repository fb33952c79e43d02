import { Latency, type LatencySummary } from './latency.ts';

/** The times of one operation. `intendedMs` is when it was planned to begin, `sentMs` when it began, `endedMs` when its answer was there. */
export interface Timing {
  readonly intendedMs: number;
  /** When the emulator got round to it; later than intended is our own lag. Left out: as intended. */
  readonly releasedMs?: number | undefined;
  readonly sentMs: number;
  readonly endedMs: number;
}

/**
 * One kind of operation. Service time counts from sending, response time from the planned start (so that a stalled server cannot hide behind work that
 * was not begun), lag is what the generator itself was late. Failures are kept apart: they must not make the server look faster.
 */
export class Series {
  readonly service: Latency = new Latency();
  readonly response: Latency = new Latency();
  readonly lag: Latency = new Latency();
  readonly failedResponse: Latency = new Latency();

  succeeded(timing: Timing): void {
    this.service.record(timing.endedMs - timing.sentMs);
    this.response.record(timing.endedMs - timing.intendedMs);
    this.#lag(timing);
  }

  failed(timing: Timing): void {
    this.failedResponse.record(timing.endedMs - timing.intendedMs);
    this.#lag(timing);
  }

  #lag({ intendedMs, releasedMs = intendedMs }: Timing): void {
    this.lag.record(releasedMs - intendedMs);
  }

  summary(): SeriesSummary {
    return { service: this.service.summary(), response: this.response.summary(), lag: this.lag.summary(), failed: this.failedResponse.summary() };
  }
}

export interface SeriesSummary {
  readonly service: LatencySummary;
  readonly response: LatencySummary;
  readonly lag: LatencySummary;
  /** Response times of the operations that failed. */
  readonly failed: LatencySummary;
}
