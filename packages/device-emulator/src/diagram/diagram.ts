import type { Trouble } from '../trace/step-sink.ts';
import { stepTitle } from './flow-steps.ts';
import type { DrawnLine, ReadTrace } from './read-trace.ts';
import { visible, visibleLines } from './text.ts';

/** One vertical line of the picture. */
export interface Lane {
  readonly id: string;
  readonly title: string;
  readonly subtitle: string;
}

/** One message or step, ready to be drawn; texts hold nothing that cannot be seen, but are not escaped. */
export interface Row {
  /** From 1. */
  readonly number: number;
  readonly device?: number | undefined;
  readonly step?: string | undefined;
  /** Places of the lanes; equal for a step inside a part. */
  readonly from: number;
  readonly to: number;
  readonly message: string;
  readonly detail: string;
  readonly time: string;
  /** Since the first message. */
  readonly sinceMs: number;
  readonly bytes?: number | undefined;
  readonly answer?: string | undefined;
  readonly tookMs?: number | undefined;
  readonly trouble?: Trouble | undefined;
  readonly reason?: string | undefined;
  readonly body?: string | undefined;
  /** Line of the file. */
  readonly line: number;
}

/** Messages that follow each other and belong to one step. */
export interface Section {
  readonly step?: string | undefined;
  readonly title: string;
  readonly rows: readonly Row[];
}

/** A picture before it is drawn. */
export interface Diagram {
  readonly title: string;
  readonly lanes: readonly Lane[];
  readonly sections: readonly Section[];
  /** Whatever is not in the picture, in words. */
  readonly notes: readonly string[];
  readonly messages: number;
  readonly devices: readonly number[];
}

/** Lanes from left to right: whoever talks most stands side by side. */
const ORDER = ['user', 'app', 'sibling', 'device', 'notification', 'infrastructure', 'noc', 'connectivity-node', 'uem', 'administrator'];
const TITLES: Readonly<Record<string, readonly [string, string]>> = {
  user: ['User', 'holds the device'],
  app: ['App', 'Dynamics runtime'],
  sibling: ['Other app', 'gets the key for it'],
  notification: ['Notification service', 'wakes devices'],
  infrastructure: ['Infrastructure', 'finds UEM, passes on'],
  noc: ['NOC', 'passes on, reads nothing'],
  'connectivity-node': ['Connectivity Node', 'Proxy of the company'],
  uem: ['UEM', 'manages devices'],
  administrator: ['Administrator', 'admin REST'],
};
/** Parts that a trace may name beyond those that are known; more share the last lane. */
const MAX_LANES = 10;

/** Arranges what was read. */
export function makeDiagram(trace: ReadTrace, options: { readonly title: string }): Diagram {
  const lanes = lanesOf(trace);
  const places = new Map(lanes.map(({ id }, place) => [id, place]));
  const place = (id: string): number => places.get(id) ?? lanes.length - 1;
  const firstMs = trace.lines[0]?.timeMs ?? 0;
  const sections: { step?: string | undefined; title: string; rows: Row[] }[] = [];
  for (const [index, drawn] of trace.lines.entries()) {
    const { step, from, to } = drawn.line;
    const last = sections.at(-1);
    // What a part does by itself between two messages belongs to what is going on.
    const joins = last !== undefined && (last.step === step || (step === undefined && from === to));
    const section = joins
      ? last
      : { step: step === undefined ? undefined : visible(step), title: step === undefined ? 'outside the flows' : stepTitle(step), rows: [] };
    if (!joins) sections.push(section);
    section.rows.push(rowOf(drawn, index + 1, firstMs, place));
  }
  const devices = [...trace.devices].sort((a, b) => a - b);
  return { title: visible(options.title), lanes, sections, notes: notesOf(trace), messages: trace.lines.length, devices };
}

function lanesOf({ lines, about, devices }: ReadTrace): readonly Lane[] {
  const named = new Set(lines.flatMap(({ line }) => [line.from, line.to]));
  const known = ORDER.filter((id) => named.has(id));
  const others = [...named].filter((id) => !ORDER.includes(id)).slice(0, MAX_LANES - known.length);
  return [...known, ...others].map((id) => {
    if (id === 'device') return deviceLane(about, devices);
    const [title, subtitle] = TITLES[id] ?? [visible(id), ''];
    return {
      id,
      title,
      subtitle: id === 'notification' && devices.size === 1 && about?.pushService !== undefined ? visible(about.pushService.toUpperCase()) : subtitle,
    };
  });
}

const AGENTS: Readonly<Record<string, string>> = {
  'uem-client': 'UEM Client',
  'mdm-daemon': 'MDM daemon',
  'enterprise-management-agent': 'Enterprise Management Agent',
};

function deviceLane(about: ReadTrace['about'], devices: ReadonlySet<number>): Lane {
  const [only] = devices;
  if (devices.size !== 1 || only === undefined) return { id: 'device', title: devices.size === 0 ? 'Device' : `${devices.size} devices`, subtitle: '' };
  if (about === undefined || about.device !== only) return { id: 'device', title: `Device ${only}`, subtitle: '' };
  const { title = '', agent = '' } = about;
  return {
    id: 'device',
    title: `Device ${only}`,
    subtitle: [title, AGENTS[agent] ?? agent]
      .filter((part) => part !== '')
      .map(visible)
      .join(' · '),
  };
}

function rowOf({ line, message, timeMs, body, detail = '', device, number }: DrawnLine, place: number, firstMs: number, laneOf: (id: string) => number): Row {
  const { step, from, to, bytes, answer, tookMs, trouble, reason } = line;
  const outcome = trouble !== undefined ? (reason ?? '') : answer === undefined || from === to ? '' : `→ ${answer}`;
  const shown = [detail, outcome];
  return {
    number: place,
    device,
    step: step === undefined ? undefined : visible(step),
    from: laneOf(from),
    to: laneOf(to),
    message: visible(message),
    detail: visible(shown.filter((part) => part !== '').join(' ')),
    time: new Date(timeMs).toISOString(),
    sinceMs: timeMs - firstMs,
    bytes,
    answer: answer === undefined ? undefined : visible(answer),
    tookMs,
    trouble,
    reason: reason === undefined ? undefined : visible(reason),
    body: body === undefined ? undefined : visibleLines(body),
    line: number,
  };
}

function notesOf({ beyondBound, leftOutByWriter, damaged, lines }: ReadTrace): readonly string[] {
  const notes: string[] = [];
  if (lines.length === 0) notes.push('Nothing in the trace fits what was asked for.');
  if (beyondBound > 0)
    notes.push(`${count(beyondBound)} later messages are left out: the picture ends at its bound. Narrow it with --device, --flow or --step, or raise --max.`);
  if (leftOutByWriter > 0)
    notes.push(`${count(leftOutByWriter)} lines are missing in the trace itself: the disk was too slow, or the journal was read too late.`);
  for (const { file, count: lost, numbers } of damaged) {
    const more = lost > numbers.length ? ` and ${count(lost - numbers.length)} more` : '';
    notes.push(`${visible(file)}: ${lost === 1 ? 'line' : 'lines'} ${numbers.join(', ')}${more} cannot be read and ${lost === 1 ? 'is' : 'are'} skipped.`);
  }
  return notes;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
