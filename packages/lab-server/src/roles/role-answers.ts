import { isProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { RoleAnswer } from './role.ts';

/** An answer together with what the journal is told of it. */
export interface Outcome {
  readonly answer: RoleAnswer;
  /** Name of the answer frame, or the HTTP-like status. */
  readonly told: string;
  readonly reason?: string | undefined;
}

/** A message of the protocol. */
export function answered<T>(codec: wire.MessageCodec<T>, message: T): Outcome {
  return { answer: { status: 'answered', frame: codec.encode(message) }, told: codec.name };
}

/** An alert; `reason` is for the journal. */
export function alerted(code: wire.AlertCode, reason: string): Outcome {
  return { answer: { status: 'answered', frame: wire.alert.encode({ code }) }, told: `alert ${code}`, reason };
}

/** Nothing was changed; the caller comes again. */
export function busy(reason: string, retryAfterS = 1): Outcome {
  return { answer: { status: 'busy', retryAfterS }, told: '503', reason };
}

/** Bytes that are no frame. */
export function malformed(reason: string): Outcome {
  return { answer: { status: 'malformed' }, told: '400', reason };
}

/** A service of this role that does not take such a frame. */
export function unexpectedFrame(name: string): Outcome {
  return alerted('badMessage', `${name} does not belong here`);
}

/** What a failed request is answered: trouble with the store is not the fault of the peer, and nothing else but wire errors may be. */
export function outcomeOf(error: unknown): Outcome {
  if (!isProtocolError(error)) return { answer: { status: 'failed' }, told: '500', reason: error instanceof Error ? `${error.name}: ${error.message}` : 'bug' };
  if (error.kind === 'wire') return alerted('badMessage', `${error.code} ${error.message}`);
  if (error.code === 'ERR_STORE_WRITE' || error.kind === 'transport' || error.code === 'ERR_REJECTED_BUSY') return busy(`${error.code} ${error.message}`);
  return { answer: { status: 'failed' }, told: '500', reason: `${error.code} ${error.message}` };
}

/** Header and length of a frame, or undefined when the bytes are none. */
export function frameOf(bytes: Uint8Array, maxBodyBytes: number = wire.LIMITS.bodyBytes, trailerBytes = 0): wire.Frame | undefined {
  try {
    return wire.parseFrame(bytes, { maxBodyBytes, trailerBytes });
  } catch {
    return undefined;
  }
}
