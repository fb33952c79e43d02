import type { AppSums } from '../audit/check-apps.ts';
import type { LatencySummary } from '../metrics/latency.ts';
import { kindsOf, type RunReport, sendsToApps } from '../run/report.ts';
import { kindTable } from './kind-table.ts';

/** Differences that the text shows. */
const MAX_SHOWN = 20;

/** The report for people: what happened, in words, with the figures that matter. */
export function textReport(report: RunReport): string {
  const { plan, starts, metrics, order, audit, assertions, generator } = report;
  const { counters, series } = metrics;
  const { commandsRefused, commandsFailed, refusedAsDocumented } = counters;
  const kinds = Object.entries(kindsOf(plan)).map(([kind, count]) => `${count} ${kind}`);
  const lines: string[] = [
    '',
    `Scenario ${plan.scenario.name}, seed ${plan.seed}, plan ${plan.digest}`,
    ...(starts > 1
      ? [`Start number ${starts}: times, priority and lost pushes are those of this start; devices, commands and audit are those of the whole run`]
      : []),
    '',
    row('devices', `${audit.planned} (${kinds.join(', ')})`),
    row(
      'activated',
      `${audit.activated}${audit.refused === 0 ? '' : `; ${audit.refused} refused as the plan expects`}; the server knows ${audit.serverKnown}; nothing left open on ${audit.drained}`,
    ),
    row('commands', `${counters.commandsSent} sent, ${counters.commandsDone} done, ${counters.commandsFailed} failed with a reason`),
  ];
  if (commandsRefused + commandsFailed > 0) {
    const by = `${commandsRefused} by UEM, before anything was sent; ${commandsFailed} by the device, with a reason`;
    lines.push(row('refused', `${refusedAsDocumented} of ${commandsRefused + commandsFailed} as documented (${by})`));
  }
  if (plan.apps.length > 0) lines.push(...appRows(audit.apps));
  if (counters.pushesDropped > 0) {
    lines.push(row('lost pushes', `${counters.pushesDropped} lost on purpose, ${counters.pushesRecoveredByPoll} made up for by the regular poll`));
  }
  if (order.pairs > 0) {
    const verdict = order.wrong.length === 0 ? 'the more urgent one always came first' : `in ${order.wrong.length} the less urgent one came first`;
    lines.push(row('priority', `${order.pairs} pairs of commands were pending together; ${verdict}`));
  }
  if (order.example !== undefined) {
    lines.push(
      row('', `device ${order.example.device} was sent   ${order.example.sent.join(', ')}`),
      row('', `and carried out${' '.repeat(String(order.example.device).length)}    ${order.example.received.join(', ')}`),
    );
  }
  if (report.kinds.size > 1) lines.push('', ...kindTable(report.kinds));
  lines.push('', row('milliseconds', columns(['p50', 'p95', 'p99', 'max', 'count'])));
  lines.push(latency('activation', series.activation.response), latency('push to idle', series.pushToIdle.response));
  lines.push(latency('command to idle', series.commandToIdle.response), latency('poll', series.poll.service));
  if (series.pollRecovery.response.count > 0) lines.push(latency('lost push to idle', series.pollRecovery.response));
  if (plan.apps.length > 0) lines.push(latency('app activation', series.appActivation.response), latency('app request', series.appRequest.service));
  if (sendsToApps(plan)) lines.push(latency('app command', series.appCommand.response));
  if (series.appPolicy.response.count > 0) lines.push(latency('policy of apps', series.appPolicy.response));
  lines.push(
    row('', 'counted from the planned moment, so waiting is in it; idle: the server has nothing more for the device;'),
    row('', 'command to idle: one sample for each device and step of the scenario, a step may be several commands or a policy'),
  );
  lines.push(
    '',
    row('audit', audit.ok ? 'ok: plan, devices and server agree; no command lost, none carried out twice' : `FAILED: ${audit.differences.length} differences`),
  );
  for (const { device, problem, detail } of audit.differences.slice(0, MAX_SHOWN)) lines.push(row('', `device ${device}: ${problem}: ${detail}`));
  if (audit.differences.length > MAX_SHOWN) lines.push(row('', `and ${audit.differences.length - MAX_SHOWN} more; --json lists them`));
  for (const { source, ok, found } of assertions) lines.push(row(ok ? 'holds' : 'FAILS', `${source} (found ${found})`));
  for (const reason of generator.reasons) lines.push(row('INVALID', reason));
  if (!generator.valid) lines.push(row('', 'the emulator itself was too slow, so this run says nothing about the server'));
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function appRows({ planned, activated, serverKnown, byKey, requests, commands }: AppSums): readonly string[] {
  const keys = `${byKey['uem-client']} with a key of the UEM Client, ${byKey.mail} with one from a mail, ${byKey.sibling} with one of another app`;
  const failed = requests.failed === 0 ? '' : `, ${requests.failed} failed`;
  const withheld = (requests.withheld ?? 0) === 0 ? '' : `, ${requests.withheld} not made in apps that were locked, blocked or wiped`;
  const kinds = Object.entries(commands?.byKind ?? {}).map(([kind, { sent, done }]) => `${kind} ${done} of ${sent}`);
  return [
    row('apps', `${activated} of ${planned} activated (${keys}); the server knows ${serverKnown}`),
    row(
      'app requests',
      `${requests.done} of ${requests.planned} done (${requests.byWay.noc} through the NOC, ${requests.byWay.direct} by Direct Connect)${failed}${withheld}`,
    ),
    ...(commands === undefined ? [] : [row('app commands', `${commands.sent} sent, ${commands.done} carried out (${kinds.join(', ')})`)]),
  ];
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(18)}${text}`;
}

function latency(name: string, summary: LatencySummary): string {
  if (summary.count === 0) return row(name, 'no sample');
  return row(name, columns([summary.p50, summary.p95, summary.p99, summary.max].map((value) => value.toFixed(1)).concat(String(summary.count))));
}

function columns(values: readonly string[]): string {
  return values.map((value) => value.padStart(10)).join('');
}
