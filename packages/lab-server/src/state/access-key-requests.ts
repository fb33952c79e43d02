import type { ReadView, WriteView } from '../store/lab-store.ts';
import { joinId, sortable, type Table, table } from './table.ts';

/** A request for an access key that was answered: the same one again is a replay (docs/protocol/04, 4.2). */
interface AnsweredRequest {
  readonly forgetAtMs: number;
}

interface RequestReference {
  readonly id: string;
}

/** Time in which a request is known again; its key is dead long before. */
export const REQUEST_KEPT_MS = 86_400_000;
/** Old ones that are forgotten with each new one. */
const SWEEP = 4;

const requests: Table<AnsweredRequest> = table('access-key-request');
const requestsByEnd: Table<RequestReference> = table('access-key-request-by-end');

/** True when this installation has sent this nonce before; both in hex, the nonce hashed. */
export function isAnswered(view: ReadView, instanceId: string, nonceHash: string, nowMs: number): boolean {
  return (requests.get(view, joinId(instanceId, nonceHash))?.forgetAtMs ?? 0) > nowMs;
}

/** Remembers a request before it is answered. */
export function putAnswered(tx: WriteView, instanceId: string, nonceHash: string, nowMs: number): void {
  for (const { id, record } of requestsByEnd.page(tx, { limit: SWEEP })) {
    if ((requests.get(tx, record.id)?.forgetAtMs ?? 0) > nowMs) break;
    requestsByEnd.delete(tx, id);
    requests.delete(tx, record.id);
  }
  const id = joinId(instanceId, nonceHash);
  const forgetAtMs = nowMs + REQUEST_KEPT_MS;
  requests.put(tx, id, { forgetAtMs });
  requestsByEnd.put(tx, `${sortable(forgetAtMs)}/${id}`, { id });
}
