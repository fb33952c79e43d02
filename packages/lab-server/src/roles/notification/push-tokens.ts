import { type CryptoProvider, toHex } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { joinId, sortable, type Table, table } from '../../state/table.ts';
import type { ReadView, WriteView } from '../../store/lab-store.ts';
import { TOKEN_SEEN_MS } from './push-limits.ts';
import { forgetWaiting } from './waiting-wake-ups.ts';

/** A token that the service knows. The token itself is a bearer secret, so only its hash is kept. */
export interface TokenRecord {
  readonly service: wire.PushServiceName;
  /** The sender that it is for. */
  readonly application: string;
  readonly createdAtMs: number;
  /** When its device last came; right to the day. */
  readonly seenAtMs: number;
  /** Present while no notification has named it: since then it may have been of no use. */
  readonly unnamedSinceMs?: number | undefined;
  /** From then on it is gone. */
  readonly expiresAtMs?: number | undefined;
  /** When it was made invalid; senders are told (410). */
  readonly goneAtMs?: number | undefined;
}

interface TokenCount {
  readonly tokens: number;
}

interface TokenReference {
  readonly key: string;
}

export const tokens: Table<TokenRecord> = table('push-token');
/** By time: tokens that no notification has named. */
export const unnamed: Table<TokenReference> = table('push-unnamed');
/** By time: tokens that are gone. */
export const gone: Table<TokenReference> = table('push-gone');
const counts: Table<TokenCount> = table('push-count');

/** Name of a token in the store and in memory. */
export function tokenKey(crypto: CryptoProvider, token: Uint8Array): string {
  return toHex(crypto.sha256(token));
}

/** Place of a token in a list by time. */
export function byTime(timeMs: number, key: string): string {
  return joinId(sortable(timeMs), key);
}

export function tokenOf(view: ReadView, key: string): TokenRecord | undefined {
  return tokens.get(view, key);
}

/** Since when a token is not in force any more; undefined while it is. */
export function goneSince(record: Pick<TokenRecord, 'goneAtMs' | 'expiresAtMs'>, nowMs: number): number | undefined {
  if (record.goneAtMs !== undefined) return record.goneAtMs;
  return record.expiresAtMs !== undefined && record.expiresAtMs <= nowMs ? record.expiresAtMs : undefined;
}

/** Tokens that are kept, those that are gone included. */
export function countOf(view: ReadView): number {
  return counts.get(view, 'this')?.tokens ?? 0;
}

export function putNewToken(tx: WriteView, key: string, record: TokenRecord): void {
  tokens.put(tx, key, { ...record, unnamedSinceMs: record.createdAtMs });
  unnamed.put(tx, byTime(record.createdAtMs, key), { key });
  counts.put(tx, 'this', { tokens: countOf(tx) + 1 });
}

/** True when the last use of the token must be written again. */
export function seenIsOld(record: TokenRecord, nowMs: number): boolean {
  return nowMs - record.seenAtMs > TOKEN_SEEN_MS;
}

export function touchToken(tx: WriteView, key: string, nowMs: number): void {
  const record = tokens.get(tx, key);
  if (record !== undefined) tokens.put(tx, key, { ...record, seenAtMs: nowMs });
}

/** A notification has named the token: it is of use. */
export function nameToken(tx: WriteView, key: string): void {
  const record = tokens.get(tx, key);
  if (record?.unnamedSinceMs === undefined) return;
  unnamed.delete(tx, byTime(record.unnamedSinceMs, key));
  tokens.put(tx, key, { ...record, unnamedSinceMs: undefined });
}

/** A token that no notification has named is taken to be new at `nowMs`. */
export function renewUnnamed(tx: WriteView, key: string, record: TokenRecord, nowMs: number): void {
  if (record.unnamedSinceMs !== undefined) unnamed.delete(tx, byTime(record.unnamedSinceMs, key));
  unnamed.put(tx, byTime(nowMs, key), { key });
  tokens.put(tx, key, { ...record, unnamedSinceMs: nowMs });
}

/** Makes a token invalid; senders hear of it. False when it was not in force. */
export function endToken(tx: WriteView, key: string, nowMs: number): boolean {
  const record = tokens.get(tx, key);
  if (record === undefined || goneSince(record, nowMs) !== undefined) return false;
  nameToken(tx, key);
  forgetWaiting(tx, key);
  tokens.put(tx, key, { ...record, unnamedSinceMs: undefined, goneAtMs: nowMs });
  gone.put(tx, byTime(nowMs, key), { key });
  return true;
}

/** Forgets a token and everything about it. */
export function deleteToken(tx: WriteView, key: string, record: TokenRecord): void {
  if (record.unnamedSinceMs !== undefined) unnamed.delete(tx, byTime(record.unnamedSinceMs, key));
  if (record.goneAtMs !== undefined) gone.delete(tx, byTime(record.goneAtMs, key));
  forgetWaiting(tx, key);
  tokens.delete(tx, key);
  counts.put(tx, 'this', { tokens: countOf(tx) - 1 });
}
