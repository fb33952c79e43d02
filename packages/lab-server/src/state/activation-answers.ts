import { toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { joinId, sortable, type Table, table } from './table.ts';

interface StoredAnswer {
  readonly frame: Uint8Array;
  readonly expiresAtMs: number;
}

interface AnswerReference {
  readonly hash: string;
  readonly expiresAtMs: number;
}

const answers: Table<StoredAnswer> = table('activation-answer');
const answersByTime: Table<AnswerReference> = table('activation-answer-by-time');

/** Old answers that are forgotten with each new one, so that their number is bounded by the activations of ten minutes. */
const SWEEP = 4;

/** The A6 that was sent for this A5 (F1.4), for ten minutes. */
export function activationAnswer(view: ReadView, requestHash: Uint8Array, nowMs: number): Uint8Array | undefined {
  const answer = answers.get(view, toHex(requestHash));
  return answer === undefined || answer.expiresAtMs <= nowMs ? undefined : answer.frame;
}

/** Keeps A6 before it is sent. */
export function putActivationAnswer(tx: WriteView, requestHash: Uint8Array, frame: Uint8Array, nowMs: number): void {
  for (const { id, record } of answersByTime.page(tx, { limit: SWEEP })) {
    if (record.expiresAtMs > nowMs) break;
    answersByTime.delete(tx, id);
    answers.delete(tx, record.hash);
  }
  const hash = toHex(requestHash);
  const expiresAtMs = nowMs + wire.LIMITS.activationResultMs;
  answers.put(tx, hash, { frame, expiresAtMs });
  answersByTime.put(tx, joinId(sortable(expiresAtMs), hash), { hash, expiresAtMs });
}
