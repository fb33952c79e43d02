import type { AuditReport } from '../audit/audit.ts';
import type { AssertionResult } from '../metrics/check-assertions.ts';
import type { GeneratorVerdict } from '../metrics/generator-verdict.ts';
import type { LatencySummary } from '../metrics/latency.ts';
import type { MetricsSummary } from '../metrics/run-metrics.ts';
import type { SystemId } from '../operating-systems/system-definition.ts';
import type { Plan } from '../plan/plan.ts';
import type { KindFigures } from './kind-figures.ts';
import type { OrderReport } from './order-proof.ts';

/** Everything that a run found out. */
export interface RunReport {
  readonly plan: Plan;
  /** Number of this start; from 2 on the run was resumed, and times, order and pushes are those of this start alone. */
  readonly starts: number;
  readonly metrics: MetricsSummary;
  readonly order: OrderReport;
  readonly audit: AuditReport;
  readonly kinds: ReadonlyMap<SystemId, KindFigures>;
  readonly assertions: readonly AssertionResult[];
  readonly generator: GeneratorVerdict;
  readonly eventLoopDelay: LatencySummary;
  readonly tookMs: number;
}

/** Differences that the JSON report lists; the count is always exact. */
const MAX_LISTED = 1_000;

/** The report as one JSON object: the contract of `--json`. */
export function jsonReport(report: RunReport): Readonly<Record<string, unknown>> {
  const { plan, starts, metrics, order, audit, kinds, assertions, generator, eventLoopDelay, tookMs } = report;
  const { counters, series } = metrics;
  return {
    scenario: plan.scenario.name,
    seed: plan.seed,
    plan: plan.digest,
    starts,
    devices: audit.planned,
    kinds: kindsOf(plan),
    activated: audit.activated,
    activationsRefused: audit.refused,
    serverKnown: audit.serverKnown,
    drained: audit.drained,
    commandsSent: counters.commandsSent,
    commandsDone: counters.commandsDone,
    commandsFailed: counters.commandsFailed,
    commandsRefused: counters.commandsRefused,
    refusedAsDocumented: counters.refusedAsDocumented,
    updatesDone: counters.updatesDone,
    pushesReceived: counters.pushesReceived,
    pushesDropped: counters.pushesDropped,
    pushesRecoveredByPoll: counters.pushesRecoveredByPoll,
    deactivated: counters.deactivated,
    ...(plan.apps.length === 0 ? {} : { apps: audit.apps }),
    lockBeforeInventory: order.lockAndInventory > 0 && order.wrong.length === 0,
    priorityOrder: { pairsPendingTogether: order.pairs, lockAndInventory: order.lockAndInventory, wrong: order.wrong.length },
    byKind: Object.fromEntries(kinds),
    audit: audit.ok ? 'ok' : 'failed',
    ...(audit.ok ? {} : { differences: audit.differences.slice(0, MAX_LISTED), differencesCount: audit.differences.length }),
    activationMs: rounded(series.activation.response),
    activationServiceMs: rounded(series.activation.service),
    pushToIdleMs: rounded(series.pushToIdle.response),
    commandToIdleMs: rounded(series.commandToIdle.response),
    pollRecoveryMs: rounded(series.pollRecovery.response),
    pollMs: rounded(series.poll.service),
    ...(plan.apps.length === 0 ? {} : { appActivationMs: rounded(series.appActivation.response), appRequestMs: rounded(series.appRequest.service) }),
    ...(sendsToApps(plan) ? { appCommandMs: rounded(series.appCommand.response) } : {}),
    ...(series.appPolicy.response.count > 0 ? { appPolicyMs: rounded(series.appPolicy.response) } : {}),
    generator: {
      valid: generator.valid,
      ...(generator.valid ? {} : { reasons: generator.reasons }),
      eventLoopDelayMs: rounded(eventLoopDelay),
      lagMs: rounded(series.activation.lag),
    },
    assertions: assertions.map(({ source, ok, found }) => ({ assertion: source, ok, found })),
    tookMs: Math.round(tookMs),
  };
}

/** True for a plan that sends commands to apps. */
export function sendsToApps({ steps }: Plan): boolean {
  return steps.some(({ step }) => step.kind === 'sendToApps');
}

/** Devices by operating system, in the order of the populations. */
export function kindsOf({ scenario, devices }: Plan): Readonly<Record<string, number>> {
  const counts = scenario.populations.map(
    ({ operatingSystem }) => [operatingSystem, devices.filter(({ system }) => system === operatingSystem).length] as const,
  );
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

function rounded(summary: LatencySummary): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(summary).map(([name, value]) => [name, Math.round(value * 10) / 10]));
}
