import { isProtocolError, type TraceEvent, wire } from '@uemkit/protocol';
import { MESSAGE_RULES } from './message-rules.ts';
import { type Hash, redact, type Traced } from './redact.ts';

/** One line of a trace. */
export interface TraceLine {
  /** Wall clock, ISO 8601. */
  readonly time: string;
  /** Index of the device in its fleet. */
  readonly device: number;
  /** Flow step, for example `F5.3`. */
  readonly step: string;
  readonly from: string;
  readonly to: string;
  readonly message: string;
  readonly bytes: number;
  readonly body: Traced;
}

/** One message as a line of a trace: decoded, secrets redacted. Never throws: what cannot be decoded is named by its error code. */
export function traceLine(device: number, event: TraceEvent, hash: Hash): TraceLine {
  const { step, from, to, frame, timeMs } = event;
  return { time: new Date(timeMs).toISOString(), device, step, from, to, ...describe(frame, hash), bytes: frame.length };
}

function describe(frame: Uint8Array, hash: Hash): Pick<TraceLine, 'message' | 'body'> {
  const name = wire.peekFrameName(frame);
  const rule = name === undefined ? undefined : MESSAGE_RULES.get(name);
  if (name === undefined || rule === undefined) return { message: name ?? 'unknown', body: { hidden: 'frame', bytes: frame.length } };
  try {
    return { message: name, body: redact(rule.decode(wire.parseFrame(frame)), rule.fields, hash) };
  } catch (error) {
    return { message: name, body: { undecodable: isProtocolError(error) ? error.code : 'ERR_INTERNAL' } };
  }
}
