import { wordHint } from './did-you-mean.ts';
import type { Read } from './place.ts';
import { parseDuration } from './readers.ts';

export const COMPARISONS = ['<=', '>=', '==', '!=', '<', '>'] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** Latency series of a run, by name. */
export const SERIES_NAMES = [
  'activation',
  'poll',
  'pushToIdle',
  'commandToIdle',
  'pollRecovery',
  'appActivation',
  'appRequest',
  'appCommand',
  'appPolicy',
] as const;
export type SeriesName = (typeof SERIES_NAMES)[number];

/** What each series has: the time from sending to the answer, from the planned start to the answer, and what we ourselves were late. */
export const MEASURES = ['service', 'response', 'lag'] as const;
export type Measure = (typeof MEASURES)[number];

export const STATISTICS = ['min', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'max', 'count'] as const;
export type Statistic = (typeof STATISTICS)[number];

/** Counters of a run, by name. */
export const COUNTER_NAMES = [
  'devices',
  'activated',
  'activationsFailed',
  'activationsRefused',
  'serverKnown',
  'commandsSent',
  'commandsDone',
  'commandsFailed',
  'commandsRefused',
  'refusedAsDocumented',
  'updatesDone',
  'pushesReceived',
  'pushesDropped',
  'pushesRecoveredByPoll',
  'pollsFailed',
  'deactivated',
  'apps',
  'appsActivated',
  'appsServerKnown',
  'appRequests',
  'appRequestsDone',
  'appRequestsFailed',
  'appRequestsWithheld',
  'appCommandsSent',
  'appCommandsDone',
] as const;
export type CounterName = (typeof COUNTER_NAMES)[number];

/** One side of an assertion. */
export type Operand =
  | { readonly kind: 'series'; readonly series: SeriesName; readonly measure: Measure; readonly statistic: Statistic }
  | { readonly kind: 'counter'; readonly counter: CounterName }
  | { readonly kind: 'audit' }
  | { readonly kind: 'ok' }
  | { readonly kind: 'value'; readonly value: number; readonly unit: 'ms' | 'plain' };

/** What must hold when the run is over, for example `activation.response.p99 < 5s`. */
export interface Assertion {
  readonly source: string;
  readonly left: Operand;
  readonly comparison: Comparison;
  readonly right: Operand;
}

/** A part of an assertion that cannot be read. */
export class AssertionSyntaxError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.name = 'AssertionSyntaxError';
    this.hint = hint;
  }
}

/** @throws AssertionSyntaxError */
export function parseAssertion(source: string): Assertion {
  const match = /^\s*(\S+)\s*(<=|>=|==|!=|<|>)\s*(\S.*?)\s*$/.exec(source);
  if (match === null) throw new AssertionSyntaxError('expected <metric> <comparison> <value>', 'for example: activation.response.p99 < 5s');
  const left = parseOperand(match[1] as string);
  const right = parseOperand(match[3] as string);
  const comparison = match[2] as Comparison;
  if ((left.kind === 'audit') !== (right.kind === 'ok') || left.kind === 'ok' || right.kind === 'audit' || (left.kind === 'audit' && comparison !== '==')) {
    throw new AssertionSyntaxError('the audit is compared with ok only', 'write: audit == ok');
  }
  if (unitOf(left) !== unitOf(right))
    throw new AssertionSyntaxError('a time is compared with a time, a count with a count', 'times have a unit, for example 5s');
  return { source, left, comparison, right };
}

/** Reads an assertion at its place in the scenario. */
export const assertion: Read<Assertion> = (place) => {
  const value = place.scalar();
  if (typeof value !== 'string') return place.wrong(`expected an assertion, found ${place.describe()}`, 'for example: activation.response.p99 < 5s');
  try {
    return parseAssertion(value);
  } catch (error) {
    if (error instanceof AssertionSyntaxError) return place.wrong(`"${value}": ${error.message}`, error.hint);
    throw error;
  }
};

/** What the value of one side counts. */
export function unitOf(operand: Operand): 'ms' | 'plain' {
  if (operand.kind === 'value') return operand.unit;
  return operand.kind === 'series' && operand.statistic !== 'count' ? 'ms' : 'plain';
}

function parseOperand(source: string): Operand {
  if (source === 'audit' || source === 'ok') return { kind: source };
  if (/^\d+(\.\d+)?$/.test(source)) return { kind: 'value', value: Number(source), unit: 'plain' };
  const time = parseDuration(source);
  if (time !== undefined) return { kind: 'value', value: time, unit: 'ms' };
  const [head = '', measure, ...rest] = source.split('.');
  if (measure === undefined) {
    if (isIn(COUNTER_NAMES, head)) return { kind: 'counter', counter: head };
    throw new AssertionSyntaxError(`unknown metric ${head}`, wordHint(head, [...COUNTER_NAMES, 'audit', ...SERIES_NAMES]));
  }
  const statistic = rest.join('.');
  if (!isIn(SERIES_NAMES, head)) throw new AssertionSyntaxError(`unknown series ${head}`, wordHint(head, SERIES_NAMES));
  if (!isIn(MEASURES, measure)) throw new AssertionSyntaxError(`unknown measure ${measure}`, wordHint(measure, MEASURES));
  if (!isIn(STATISTICS, statistic)) throw new AssertionSyntaxError(`unknown statistic ${statistic}`, wordHint(statistic, STATISTICS));
  return { kind: 'series', series: head, measure, statistic };
}

function isIn<T extends string>(words: readonly T[], word: string): word is T {
  return (words as readonly string[]).includes(word);
}
