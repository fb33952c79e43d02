import { type Assertion, type Comparison, type Operand, unitOf } from '../scenario/assertion.ts';
import type { MetricsSummary } from './run-metrics.ts';

/** How one assertion came out. */
export interface AssertionResult {
  readonly source: string;
  readonly ok: boolean;
  /** What was found on the left and on the right, with its unit. */
  readonly found: string;
}

const HOLDS: Readonly<Record<Comparison, (left: number, right: number) => boolean>> = {
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
  '==': (left, right) => left === right,
  '!=': (left, right) => left !== right,
};

/**
 * Checks the assertions of a scenario against what was measured. A time of a series without a single sample fails: nothing was shown.
 */
export function checkAssertions(assertions: readonly Assertion[], metrics: MetricsSummary, auditOk: boolean): readonly AssertionResult[] {
  return assertions.map(({ source, left, comparison, right }) => {
    if (left.kind === 'audit') return { source, ok: auditOk, found: auditOk ? 'ok' : 'failed' };
    const empty = [left, right].find((side) => side.kind === 'series' && side.statistic !== 'count' && metrics.series[side.series][side.measure].count === 0);
    if (empty?.kind === 'series') return { source, ok: false, found: `${empty.series} has no sample` };
    const a = measuredValue(left, metrics);
    const b = measuredValue(right, metrics);
    return { source, ok: HOLDS[comparison](a, b), found: right.kind === 'value' ? told(a, left) : `${told(a, left)} and ${told(b, right)}` };
  });
}

function told(value: number, side: Operand): string {
  return unitOf(side) === 'ms' ? `${Math.round(value)}ms` : String(value);
}

function measuredValue(operand: Operand, metrics: MetricsSummary): number {
  switch (operand.kind) {
    case 'counter':
      return metrics.counters[operand.counter];
    case 'series':
      return metrics.series[operand.series][operand.measure][operand.statistic];
    case 'value':
      return operand.value;
    default:
      throw new TypeError(`${operand.kind} has no value`);
  }
}
