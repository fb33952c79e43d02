import { isProtocolError, type TraceEvent } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { MESSAGE_RULES, type MessageRule } from './message-rules.ts';
import { type Hash, redact, type Traced } from './redact.ts';
import type { Actor, StepNote, Trouble } from './step-sink.ts';

/** One line of a trace (docs/trace.md): a message from one part to another, or a step inside one part. */
export interface TraceLine {
  /** Wall clock of the machine that wrote the line, ISO 8601. */
  readonly time: string;
  /** Index of the device in its fleet; absent where that is not known, or where the line is not about one device. */
  readonly device?: number | undefined;
  /** Flow step, for example `F5.3`; absent outside the flows. */
  readonly step?: string | undefined;
  readonly from: string;
  /** The same as `from`: a step inside that part. */
  readonly to: string;
  /** Name of the message or of the step. */
  readonly message: string;
  /** Length of the whole frame, or of the body of an HTTP request. */
  readonly bytes?: number | undefined;
  /** Decoded, secrets redacted. */
  readonly body?: Traced | undefined;
  /** Of an exchange that is one line: name of the answer, or its HTTP status. */
  readonly answer?: string | undefined;
  /** Of an exchange that is one line: from the request to the answer. */
  readonly tookMs?: number | undefined;
  readonly trouble?: Trouble | undefined;
  /** What the trouble was: an error code, or words. */
  readonly reason?: string | undefined;
  /** Of which device and user a line without `device` speaks. */
  readonly deviceId?: string | undefined;
  readonly userId?: string | undefined;
  /** Opaque references of what the line is about: lines with the same one belong together. */
  readonly refs?: readonly string[] | undefined;
}

/** First byte of a record of a secure channel (docs/protocol/05-records.md). */
const SEALED_RECORD = 0x17;

/** One message as a line of a trace: decoded, secrets redacted. Never throws: what cannot be decoded is named by its error code. */
export function traceLine(device: number, event: TraceEvent, hash: Hash): TraceLine {
  const { step, frame, timeMs } = event;
  const [from, to] = [actorOf(event.from), actorOf(event.to)];
  const { message, body } = describe(frame, hash);
  const line = { time: new Date(timeMs).toISOString(), device, step, from, to, message, bytes: frame.length, body };
  if (message !== 'alert') return line;
  const { code } = (body ?? {}) as { readonly code?: unknown };
  return { ...line, trouble: 'refused', ...(typeof code === 'string' ? { reason: code } : {}) };
}

/** The client has a name of its own; in a trace of many devices the index tells them apart. */
function actorOf(name: string): Actor {
  if (name === 'proxy') return 'connectivity-node';
  return OTHERS.find((other) => other === name) ?? 'device';
}

const OTHERS: readonly Actor[] = ['uem', 'infrastructure', 'notification', 'noc', 'app', 'sibling'];

/** A step that is no message, as a line of a trace. */
export function noteLine(device: number, note: StepNote): TraceLine {
  const { timeMs, ...rest } = note;
  return { time: new Date(timeMs).toISOString(), device, ...rest };
}

function describe(frame: Uint8Array, hash: Hash): Pick<TraceLine, 'message' | 'body'> {
  const name = wire.peekFrameName(frame);
  if (name === undefined && frame[0] === SEALED_RECORD) return { message: 'sealed record', body: { hidden: 'record', bytes: frame.length } };
  const rule = name === undefined ? undefined : MESSAGE_RULES.get(name);
  if (name === undefined || rule === undefined) return { message: name ?? 'unknown', body: { hidden: 'frame', bytes: frame.length } };
  try {
    return { message: name, body: redact(rule.decode(wire.parseFrame(frame, { trailerBytes: trailerOf(frame, rule) })), rule.fields, hash) };
  } catch (error) {
    return { message: name, body: { undecodable: isProtocolError(error) ? error.code : 'ERR_INTERNAL' } };
  }
}

/** Bytes behind the body, where the message may have so many; otherwise none, and the frame cannot be decoded. */
function trailerOf(frame: Uint8Array, { trailers = [] }: MessageRule): number {
  if (frame.length < wire.FRAME_HEADER_BYTES) return 0;
  const bodyBytes = new DataView(frame.buffer, frame.byteOffset, frame.length).getUint32(4);
  return trailers.find((bytes) => bytes === frame.length - wire.FRAME_HEADER_BYTES - bodyBytes) ?? 0;
}
