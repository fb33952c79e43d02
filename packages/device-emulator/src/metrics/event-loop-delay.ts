import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { LatencySummary } from './latency.ts';

const RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;

/** Measures how late the event loop runs, from now on. */
export function measureEventLoopDelay(): { summary(): LatencySummary; stop(): void } {
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  monitor.enable();
  // The monitor's own timer interval is part of each sample.
  const milliseconds = (nanoseconds: number): number => (monitor.count === 0 ? 0 : Math.max(0, nanoseconds / NS_PER_MS - RESOLUTION_MS));
  const at = (percentile: number): number => milliseconds(monitor.percentile(percentile));
  return {
    summary: () => ({
      min: milliseconds(monitor.min),
      p50: at(50),
      p90: at(90),
      p95: at(95),
      p99: at(99),
      'p99.9': at(99.9),
      max: milliseconds(monitor.max),
      count: monitor.count,
    }),
    stop: () => {
      monitor.disable();
    },
  };
}
