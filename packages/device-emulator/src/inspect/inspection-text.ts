import type { ServerCommand } from '../admin/admin-api.ts';
import { visible } from '../diagram/text.ts';
import type { RecordedStep } from '../fleet/flight-recorder.ts';
import type { Inspection } from './inspect-device.ts';
import type { ServerSide } from './server-side.ts';

/** An inspection for people; texts of others hold nothing that a terminal would act on. */
export function inspectionText({ run, device, management, underWay, state, pending, server, executed, steps, unreadable }: Inspection): string {
  const lines = [
    '',
    `Device ${device.index}: ${device.title}, ${device.agent}, woken by ${device.pushService}`,
    row('user', device.userId),
    row('run', `${run.scenarioFile}, seed ${run.seed}, start ${run.starts}${run.finished ? ', finished' : ''}`),
    row('activation', management === undefined ? 'not readable' : activation(management, device.activationType)),
  ];
  if (management?.deviceId !== undefined) lines.push(row('device id', management.deviceId));
  if (management?.certificate !== undefined) {
    const { notBeforeEpochS, notAfterEpochS } = management.certificate;
    lines.push(row('certificate', `${instant(notBeforeEpochS * 1_000)} to ${instant(notAfterEpochS * 1_000)}`));
  }
  for (const part of unreadable) lines.push(row('DAMAGED', part));
  lines.push('', 'State');
  if (state === undefined) lines.push('  never started');
  else for (const [name, value] of Object.entries(state)) if (value !== undefined) lines.push(row(name, JSON.stringify(value)));
  lines.push('', `Commands: ${executed.length} carried out, ${pending.length} sent and not carried out`);
  if (underWay !== undefined) lines.push(row('under way', `${underWay.type} ${underWay.commandId} (${underWay.phase})`));
  for (const { type, commandId } of pending) lines.push(row('pending', `${type} ${commandId}`));
  for (const { type, commandId, status, atMs } of executed.slice(-SHOWN_COMMANDS)) lines.push(row(status, `${instant(atMs)} ${type} ${commandId}`));
  if (executed.length > SHOWN_COMMANDS) lines.push(`  and ${executed.length - SHOWN_COMMANDS} earlier ones; --json has them`);
  lines.push('', ...serverLines(server));
  lines.push('', `Last ${steps.length} steps`, ...steps.map(stepLine));
  return `${lines.map(visible).join('\n')}\n`;
}

const SHOWN_COMMANDS = 30;

function serverLines(server: ServerSide): readonly string[] {
  if ('unknown' in server) return ['Commands at the server: NOT KNOWN', `  ${server.unknown}`];
  const { pending, finished } = server;
  const line = ({ guid, type, status, created = '', finished: ended, message }: ServerCommand): string =>
    row(status, `${(ended ?? created).replace('T', ' ').replace('Z', '')} ${type} ${guid}${message === undefined ? '' : `: ${message}`}`);
  const shown = [...pending.slice(0, SHOWN_COMMANDS), ...finished.slice(-SHOWN_COMMANDS)];
  const left = pending.length + finished.length - shown.length;
  return [
    `Commands at the server: ${pending.length} pending, ${finished.length} finished`,
    ...shown.map(line),
    ...(left > 0 ? [`  and ${left} more; --json has them`] : []),
  ];
}

function activation({ phase, reason }: NonNullable<Inspection['management']>, type: string): string {
  return reason === undefined ? `${phase} (${type})` : `${phase}: ${reason} (${type})`;
}

function stepLine({ atMs, step = '', from, to, message, bytes, trouble, reason = '' }: RecordedStep): string {
  const way = from === to ? from : `${from} → ${to}`;
  const size = bytes === undefined ? '' : `${bytes} B`;
  return `  ${instant(atMs)}  ${step.padEnd(5)} ${way.padEnd(24)} ${message}${size === '' ? '' : `  ${size}`}${trouble === undefined ? '' : `  ${trouble.toUpperCase()} ${reason}`}`;
}

function instant(atMs: number): string {
  return new Date(atMs).toISOString().replace('T', ' ').replace('Z', '');
}

function row(name: string, value: string): string {
  return `  ${name.padEnd(18)} ${value}`;
}
