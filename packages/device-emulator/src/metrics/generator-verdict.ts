import type { GeneratorLimits } from '../scenario/scenario.ts';
import type { LatencySummary } from './latency.ts';
import type { MetricsSummary } from './run-metrics.ts';

/** What the emulator measured of itself. */
export interface GeneratorLoad {
  readonly eventLoopDelay: LatencySummary;
  /** Lag of everything that had a planned start. */
  readonly lag: LatencySummary;
}

/** `invalid`: the emulator itself was too slow, so the run says nothing about the server. */
export interface GeneratorVerdict {
  readonly valid: boolean;
  readonly reasons: readonly string[];
}

/** Judges the generator by its own figures. */
export function judgeGenerator(load: GeneratorLoad, limits: GeneratorLimits): GeneratorVerdict {
  const reasons: string[] = [];
  const delay = load.eventLoopDelay.p99;
  if (delay > limits.maxEventLoopDelayMs)
    reasons.push(`the event loop was late by ${Math.round(delay)} ms at p99, allowed are ${limits.maxEventLoopDelayMs} ms`);
  if (load.lag.p99 > limits.maxLagMs) reasons.push(`work began ${Math.round(load.lag.p99)} ms too late at p99, allowed are ${limits.maxLagMs} ms`);
  return { valid: reasons.length === 0, reasons };
}

/** The worst lag of the series that have a plan. */
export function worstLag(metrics: MetricsSummary): LatencySummary {
  const { activation, commandToIdle } = metrics.series;
  return activation.lag.p99 >= commandToIdle.lag.p99 ? activation.lag : commandToIdle.lag;
}
