import { type CryptoProvider, type Entropy, toHex, type wire } from '@uemkit/protocol';
import { type Table, table } from '../../state/table.ts';
import type { ReadView, WriteView } from '../../store/lab-store.ts';
import { TOKEN_SEEN_MS } from './push-limits.ts';

/** Length of the tokens that this service makes. */
const TOKEN_BYTES = 32;
/** Records that one sweep looks at. */
const SWEEP_ROWS = 1_000;

/** A token in force. The token itself is a bearer secret, so only its hash is kept. */
interface TokenRecord {
  /** `fcm`, `apns`, `wns`, `bb10`. */
  readonly service: string;
  readonly createdAtMs: number;
  /** Right to the day. */
  readonly seenAtMs: number;
}

/** The one wake-up that waits for a token; a newer one takes its place. */
export interface PendingWakeUp {
  readonly wakeUpId: Uint8Array;
  readonly sentAtMs: number;
  readonly expiresAtMs: number;
}

interface TokenCount {
  readonly tokens: number;
}

const tokens: Table<TokenRecord> = table('push-token');
const pending: Table<PendingWakeUp> = table('push-pending');
const counts: Table<TokenCount> = table('push-count');

/** Name of a token in the store and in memory. */
export function tokenKey(crypto: CryptoProvider, token: Uint8Array): string {
  return toHex(crypto.sha256(token));
}

export function isRegistered(view: ReadView, key: string): boolean {
  return tokens.get(view, key) !== undefined;
}

/** True when the token is in force for this service. `seenIsOld`: its last use must be written again. */
export function findToken(view: ReadView, key: string, service: string, nowMs: number): { readonly seenIsOld: boolean } | undefined {
  const record = tokens.get(view, key);
  return record?.service === service ? { seenIsOld: nowMs - record.seenAtMs > TOKEN_SEEN_MS } : undefined;
}

export function touchToken(tx: WriteView, key: string, nowMs: number): void {
  const record = tokens.get(tx, key);
  if (record !== undefined) tokens.put(tx, key, { ...record, seenAtMs: nowMs });
}

/** A new token, or undefined when there are `maxTokens` and none of them is out of use. */
export function createToken(
  tx: WriteView,
  options: {
    readonly crypto: CryptoProvider;
    readonly entropy: Entropy;
    readonly service: string;
    readonly nowMs: number;
    readonly maxTokens: number;
    readonly tokenLifeMs: number;
  },
): { readonly token: Uint8Array; readonly key: string } | undefined {
  const { crypto, entropy, service, nowMs, maxTokens, tokenLifeMs } = options;
  if (countOf(tx) >= maxTokens && sweep(tx, toHex(entropy.randomBytes(2)), nowMs - tokenLifeMs) === 0) return undefined;
  const token = entropy.randomBytes(TOKEN_BYTES);
  const key = tokenKey(crypto, token);
  tokens.put(tx, key, { service, createdAtMs: nowMs, seenAtMs: nowMs });
  counts.put(tx, 'this', { tokens: countOf(tx) + 1 });
  return { token, key };
}

/** Forgets a token and what waits for it; false when it was not in force. */
export function deleteToken(tx: WriteView, key: string): boolean {
  if (!isRegistered(tx, key)) return false;
  tokens.delete(tx, key);
  pending.delete(tx, key);
  counts.put(tx, 'this', { tokens: countOf(tx) - 1 });
  return true;
}

function countOf(view: ReadView): number {
  return counts.get(view, 'this')?.tokens ?? 0;
}

/** Deletes tokens that nobody used since `beforeMs`; looks at a bounded number of them, from `start` on, which chance chose. */
function sweep(tx: WriteView, start: string, beforeMs: number): number {
  const rows = tokens.page(tx, { after: start, limit: SWEEP_ROWS });
  return rows.filter(({ id, record }) => record.seenAtMs < beforeMs && deleteToken(tx, id)).length;
}

/** Keeps the newer of the wake-up that waits and this one. */
export function putPending(tx: WriteView, key: string, notification: wire.Notification): void {
  const waiting = pending.get(tx, key);
  if (waiting !== undefined && waiting.sentAtMs > notification.sentAtEpochMs) return;
  pending.put(tx, key, { wakeUpId: notification.wakeUpId, sentAtMs: notification.sentAtEpochMs, expiresAtMs: notification.expiresAtEpochS * 1_000 });
}

/** The wake-up that waits, unless its time is over. */
export function pendingOf(view: ReadView, key: string, nowMs: number): PendingWakeUp | undefined {
  const waiting = pending.get(view, key);
  return waiting !== undefined && waiting.expiresAtMs > nowMs ? waiting : undefined;
}

/** Forgets the wake-up that waits if it is this one. */
export function deletePending(tx: WriteView, key: string, wakeUpId: Uint8Array): void {
  const waiting = pending.get(tx, key);
  if (waiting !== undefined && toHex(waiting.wakeUpId) === toHex(wakeUpId)) pending.delete(tx, key);
}
