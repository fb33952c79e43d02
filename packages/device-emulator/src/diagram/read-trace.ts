import type { CryptoProvider } from '@uemkit/protocol';
import { readJournalEntry } from '../trace/journal-follower.ts';
import { journalLine } from '../trace/journal-line.ts';
import type { TraceLine } from '../trace/trace-line.ts';
import { Correlation } from './correlation.ts';
import { readLines } from './line-reader.ts';
import { parse, readTraceLine, textOf } from './read-line.ts';

/** Longest line that is read; a longer one counts as damaged. */
export const MAX_TRACE_LINE_BYTES = 1_048_576;
/** Messages of one picture, unless the caller says otherwise; what comes later is counted and left out. */
export const MAX_DRAWN_MESSAGES = 5_000;
/** Most that a caller may ask for: a picture that a browser still shows. */
export const MAX_DRAWABLE_MESSAGES = 50_000;
/** Longest decoded body of a message in a picture. */
export const MAX_DRAWN_BODY_CHARACTERS = 8_192;
/** Numbers of damaged lines that are told one by one. */
export const MAX_TOLD_LINES = 20;

/** One line that is to be drawn. */
export interface DrawnLine {
  readonly timeMs: number;
  /** Number in its file, so that it can be found again. */
  readonly number: number;
  readonly device?: number | undefined;
  readonly line: Omit<TraceLine, 'body'>;
  /** What the line is called in the picture. */
  readonly message: string;
  /** JSON, indented; cut at its bound. */
  readonly body?: string | undefined;
  /** A fact of the body that belongs beside the name of the message. */
  readonly detail?: string | undefined;
}

/** Lines of a file that cannot be read. */
export interface DamagedLines {
  readonly file: string;
  readonly count: number;
  /** Numbers of the first of them. */
  readonly numbers: readonly number[];
}

/** What was read of a trace, in the order of time. */
export interface ReadTrace {
  readonly lines: readonly DrawnLine[];
  /** Fit the filter but not the bound. */
  readonly beyondBound: number;
  /** Lines that the writer of the trace could not write. */
  readonly leftOutByWriter: number;
  readonly damaged: readonly DamagedLines[];
  /** Number of devices in the lines that are drawn. */
  readonly devices: ReadonlySet<number>;
  /** What the opening line of a device says of it; of the first device drawn. */
  readonly about?:
    | { readonly device: number; readonly title?: string | undefined; readonly agent?: string | undefined; readonly pushService?: string | undefined }
    | undefined;
}

export interface ReadTraceOptions {
  readonly trace: string;
  /** Journal of the lab, `lab-server start --journal`. */
  readonly journal?: string | undefined;
  /** Only this device, and what the servers do for it. */
  readonly device?: number | undefined;
  /** Only this flow, for example `F5`, or this step, for example `F5.4`. */
  readonly step?: string | undefined;
  readonly maxMessages?: number | undefined;
  readonly crypto: Pick<CryptoProvider, 'sha256'>;
  /** Bytes read since the last call; each file is read twice. */
  readonly onRead?: ((bytes: number) => void) | undefined;
}

/**
 * Reads a trace line by line, twice: once to learn who is who, once to take what is to be drawn. Memory is bounded by `maxMessages`, whatever the file holds.
 * @throws errors of the file system
 */
export async function readTrace(options: ReadTraceOptions): Promise<ReadTrace> {
  const { trace, journal, device, step, maxMessages = MAX_DRAWN_MESSAGES } = options;
  const correlation = new Correlation(options.crypto, device);
  const damaged: DamagedLines[] = [];
  let leftOutByWriter = 0;

  const read = async (
    file: string,
    toLine: (text: string) => ReturnType<typeof readTraceLine>,
    use: (line: TraceLine, timeMs: number, number: number) => void,
  ) => {
    const numbers: number[] = [];
    let count = 0;
    let left = 0;
    const take = (text: string | undefined, number: number): void => {
      if (text === '') return;
      const found = text === undefined ? ({ kind: 'damaged' } as const) : toLine(text);
      if (found.kind === 'line') return use(found.line, found.timeMs, number);
      if (found.kind === 'leftOut') {
        left += found.count;
        return;
      }
      count += 1;
      if (numbers.length < MAX_TOLD_LINES) numbers.push(number);
    };
    await readLines(file, MAX_TRACE_LINE_BYTES, take, options.onRead);
    return { damaged: { file, count, numbers }, left };
  };
  const files = [{ file: trace, toLine: readTraceLine }, ...(journal === undefined ? [] : [{ file: journal, toLine: readJournalLine }])];
  for (const { file, toLine } of files) {
    const found = await read(file, toLine, (line) => correlation.learn(line));
    if (found.damaged.count > 0) damaged.push(found.damaged);
    leftOutByWriter += found.left;
  }

  const wanted = (line: TraceLine): boolean => {
    if (step !== undefined && line.step !== step && line.step?.startsWith(`${step}.`) !== true) return false;
    if (device === undefined) return true;
    const found = correlation.deviceOf(line);
    // What is about nobody in particular is drawn where it belongs to a flow: the profile of an activation type, for example.
    return found === device || (found === undefined && line.step !== undefined);
  };
  let beyondBound = 0;
  const taken: DrawnLine[][] = [];
  let about: ReadTrace['about'];
  for (const { file, toLine } of files) {
    const lines: DrawnLine[] = [];
    taken.push(lines);
    await read(file, toLine, (line, timeMs, number) => {
      if (about === undefined && line.message === OPENING && (device === undefined || line.device === device)) about = aboutOf(line);
      if (!wanted(line)) return;
      if (lines.length < maxMessages) lines.push(drawnLine(line, timeMs, number, correlation.deviceOf(line)));
      else beyondBound += 1;
    });
  }
  const [own = [], others = []] = taken;
  const merged = [...own, ...withoutKnown(own, others)].sort((a, b) => a.timeMs - b.timeMs || hop(a) - hop(b));
  const lines = merged.slice(0, maxMessages);
  return {
    lines,
    beyondBound: beyondBound + merged.length - lines.length,
    leftOutByWriter,
    damaged,
    devices: new Set(lines.flatMap((line) => (line.device === undefined ? [] : [line.device]))),
    about,
  };
}

/** Message of the line that a trace of a device begins with. */
const OPENING = 'device comes up';

function aboutOf({ device = 0, body }: TraceLine): ReadTrace['about'] {
  return { device, title: textOf(body, 'title'), agent: textOf(body, 'agent'), pushService: textOf(body, 'pushService') };
}

function readJournalLine(text: string): ReturnType<typeof readTraceLine> {
  const value = parse(text);
  if (value === undefined) return { kind: 'damaged' };
  if (typeof value['leftOut'] === 'number') return { kind: 'leftOut', count: value['leftOut'] };
  const entry = readJournalEntry(value);
  if (entry === undefined) return { kind: 'damaged' };
  const line = journalLine(entry);
  // What a device has seen itself is in its own trace.
  return line === undefined ? { kind: 'leftOut', count: 0 } : { kind: 'line', line, timeMs: Date.parse(line.time) };
}

function drawnLine(line: TraceLine, timeMs: number, number: number, device: number | 'unknown' | undefined): DrawnLine {
  const { body, ...rest } = line;
  const { message, detail } = wordsOf(line);
  return { timeMs, number, device: typeof device === 'number' ? device : undefined, line: rest, message, body: bodyText(line), detail };
}

function bodyText({ body }: TraceLine): string | undefined {
  if (body === undefined || body === null) return undefined;
  const text = JSON.stringify(body, undefined, 2);
  return text.length <= MAX_DRAWN_BODY_CHARACTERS ? text : `${text.slice(0, MAX_DRAWN_BODY_CHARACTERS)}\n… (cut: ${text.length} characters)`;
}

/** Fields that say in one word what a message is about. */
const TELLING = ['type', 'reason', 'status', 'secretKind', 'service', 'userId', 'username', 'code'] as const;

/** Name of a message, and the fact of its body that belongs beside it. A request to send a command is called after the command. */
function wordsOf({ body, message, from, to }: TraceLine): { readonly message: string; readonly detail: string | undefined } {
  if (from === to || message === 'alert') return { message, detail: undefined };
  const request = typeof body === 'object' && body !== null && 'request' in body ? (body as { readonly request: TraceLine['body'] }).request : body;
  const type = textOf(request, 'type');
  if (from === 'administrator' && type !== undefined) return { message: type, detail: message };
  return { message, detail: TELLING.map((name) => textOf(request, name)).find((text) => text !== undefined) };
}

/** Lines of the journal that the trace does not have already: the emulator takes them over while it runs. */
function withoutKnown(own: readonly DrawnLine[], others: readonly DrawnLine[]): readonly DrawnLine[] {
  const known = new Map<string, number>();
  for (const line of own) known.set(keyOf(line), (known.get(keyOf(line)) ?? 0) + 1);
  return others.filter((line) => {
    const key = keyOf(line);
    const left = known.get(key) ?? 0;
    if (left > 0) known.set(key, left - 1);
    return left === 0;
  });
}

/** What tells a line of the journal: servers write the same one; an administrator and the server each have their own clock reading of a request. */
function keyOf({ line, timeMs, body }: DrawnLine): string {
  const { from, to, message, answer, refs = [] } = line;
  if (from === 'administrator') return `${message} ${answer} ${/"path": "([^"?]*)/.exec(body ?? '')?.[1]}`;
  return `${timeMs} ${from} ${to} ${message} ${answer} ${refs.join()}`;
}

/** Order of what happens in the same millisecond: a command goes from the administrator outwards (F5.1, F5.2), and everything else follows. */
function hop({ line: { from, to } }: DrawnLine): number {
  const place = HOPS.indexOf(`${from} ${to}`);
  return place < 0 ? HOPS.length : place;
}

const HOPS = ['administrator uem', 'uem infrastructure', 'infrastructure notification'];
