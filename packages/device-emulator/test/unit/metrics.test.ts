import { describe, expect, it } from 'vitest';
import { checkAssertions } from '../../src/metrics/check-assertions.ts';
import { judgeGenerator } from '../../src/metrics/generator-verdict.ts';
import { Latency } from '../../src/metrics/latency.ts';
import { RunMetrics } from '../../src/metrics/run-metrics.ts';
import { parseAssertion } from '../../src/scenario/assertion.ts';

describe('Latency', () => {
  it('gives percentiles of what was recorded, to three digits', () => {
    const latency = new Latency();
    for (let ms = 1; ms <= 1_000; ms++) latency.record(ms);
    const { min, p50, p90, p95, p99, max, count } = latency.summary();
    expect([min, max, count]).toEqual([1, 1_000, 1_000]);
    for (const [found, wanted] of [
      [p50, 500],
      [p90, 900],
      [p95, 950],
      [p99, 990],
    ] as const) {
      expect(Math.abs(found - wanted) / wanted).toBeLessThan(0.002);
    }
  });

  it('adds up exactly', () => {
    const all = new Latency();
    const parts = [new Latency(), new Latency()];
    for (let ms = 0; ms < 500; ms++) {
      all.record(ms * 1.7);
      (parts[ms % 2] as Latency).record(ms * 1.7);
    }
    const sum = new Latency();
    for (const part of parts) sum.add(part);
    expect(sum.summary()).toEqual(all.summary());
  });

  it('is all zero when empty, and takes a clock that was set back as zero', () => {
    const latency = new Latency();
    expect(latency.summary()).toEqual({ min: 0, p50: 0, p90: 0, p95: 0, p99: 0, 'p99.9': 0, max: 0, count: 0 });
    latency.record(-5);
    expect(latency.summary()).toMatchObject({ max: 0, count: 1 });
  });
});

describe('Series', () => {
  it('counts response time from the planned start, so a stall shows', () => {
    const metrics = new RunMetrics();
    const series = metrics.series('activation');
    series.succeeded({ intendedMs: 0, releasedMs: 3, sentMs: 2_000, endedMs: 2_010 });
    const { service, response, lag, failed } = series.summary();
    expect([service.max, response.max, lag.max, failed.count]).toEqual([10, 2_010, 3, 0]);
  });

  it('keeps failures apart', () => {
    const metrics = new RunMetrics();
    metrics.series('poll').failed({ intendedMs: 0, sentMs: 0, endedMs: 1 });
    expect(metrics.summary().series.poll).toMatchObject({ service: { count: 0 }, response: { count: 0 }, failed: { count: 1, max: 1 } });
  });
});

describe('judgeGenerator', () => {
  const limits = { maxEventLoopDelayMs: 500, maxLagMs: 1_000 };
  const summary = (p99: number) => ({ min: 0, p50: 0, p90: 0, p95: 0, p99, 'p99.9': p99, max: p99, count: 1 });

  it.each([
    [500, 1_000, true, 0],
    [501, 0, false, 1],
    [0, 1_001, false, 1],
    [900, 2_000, false, 2],
  ])('a delay of %d ms and a lag of %d ms is valid: %s', (delay, lag, valid, reasons) => {
    const verdict = judgeGenerator({ eventLoopDelay: summary(delay), lag: summary(lag) }, limits);
    expect(verdict.valid).toBe(valid);
    expect(verdict.reasons).toHaveLength(reasons);
  });
});

describe('checkAssertions', () => {
  const metrics = new RunMetrics();
  metrics.series('activation').succeeded({ intendedMs: 0, sentMs: 0, endedMs: 100 });
  metrics.count('commandsSent', 3);
  metrics.count('commandsDone', 2);

  it.each([
    ['activation.response.p99 < 5s', true],
    ['activation.response.max <= 99ms', false],
    ['activation.response.count == 1', true],
    ['commandsDone == commandsSent', false],
    ['commandsDone != commandsSent', true],
    ['commandsDone >= 2', true],
    ['commandsDone > 2', false],
    ['audit == ok', true],
    ['poll.service.p50 < 1h', false],
  ])('%s: %s', (source, ok) => {
    expect(checkAssertions([parseAssertion(source)], metrics.summary(), true)[0]).toMatchObject({ source, ok });
  });

  it('tells what it found with its unit', () => {
    const sources = ['activation.response.max < 5s', 'commandsDone == commandsSent', 'activation.response.max < activation.response.min'];
    const found = checkAssertions(sources.map(parseAssertion), metrics.summary(), true).map((result) => result.found);
    expect(found).toEqual(['100ms', '2 and 3', '100ms and 100ms']);
  });

  it('fails a failed audit', () => {
    expect(checkAssertions([parseAssertion('audit == ok')], metrics.summary(), false)[0]?.ok).toBe(false);
  });
});
