import { toHex } from '@uemkit/protocol';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { appendEvent } from './events.ts';
import { putNocMessage } from './noc-outbox.ts';
import { joinId, partOf, sortable, type Table, table } from './table.ts';

/** `typed`: a person types it (F3.5b). `assisted`: a UEM Client or a sibling app hands it over, with the nonce of the app in it (F3.5a). */
export type AccessKeyKind = 'typed' | 'assisted';

/** Who an assisted key was made for (F3.4); bytes in hex. */
export interface AccessKeyOrigin {
  readonly appId: string;
  readonly instanceId: string;
  /** As the operating system reported the app. */
  readonly platformId?: string | undefined;
  /** Absent: a sibling app asked of whose device nobody knows, as its own key was typed. */
  readonly deviceId?: string | undefined;
  /** Where a UEM Client asked: SHA-256 of the SubjectPublicKeyInfo of the device certificate that authenticated the request. */
  readonly deviceKeyHash?: string | undefined;
  /** The sibling app that asked, in place of a UEM Client. */
  readonly sibling?: { readonly appId: string; readonly instanceId: string } | undefined;
}

/** The session that used a key up (F3.11). Its last answer may be asked for again. */
export interface AccessKeyUse {
  readonly atMs: number;
  readonly sessionId: string;
  readonly linkId: string;
  /** SHA-256 of the bytes of 0x41. */
  readonly ackHash: string;
  /** The bytes of 0x42. */
  readonly done: Uint8Array;
}

/** An access key as UEM keeps it: never the key itself. Ids and hashes in hex. */
export interface AccessKeyRecord {
  readonly keyId: string;
  readonly userGuid: string;
  /** Canonical; part of what the secrets were made from. */
  readonly userId: string;
  readonly kind: AccessKeyKind;
  /** psk of `sc`; secret. Absent once the key was used. */
  readonly setUpPsk?: Uint8Array | undefined;
  /** What the NOC knows the key by (docs/protocol/04, 4.4). */
  readonly verifier: Uint8Array;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly failedProofs: number;
  /** When set-up messages began a run with it, the last ones, wall clock, milliseconds. */
  readonly setUpsMs: readonly number[];
  /** The token and installation that proved it first: no other may use it any more. */
  readonly boundTo?: { readonly tokenId: string; readonly instanceId: string; readonly appId: string } | undefined;
  /** Of an assisted key. */
  readonly origin?: AccessKeyOrigin | undefined;
  readonly used?: AccessKeyUse | undefined;
}

/** Access keys of one user that wait to be used. */
export const MAX_ACCESS_KEYS_PER_USER = 100;
/** Failed proofs that kill a key (docs/protocol/04, 4.7). */
export const MAX_FAILED_PROOFS = 5;
/** Set-up messages that may begin a run with one key in `SET_UPS_WINDOW_MS`. */
export const MAX_SET_UPS = 5;
/** See `MAX_SET_UPS`. */
export const SET_UPS_WINDOW_MS = 600_000;
/** Time in which the last answer of an app activation is given again. */
export const USED_KEY_KEPT_MS = 86_400_000;
/** Keys whose time is over that are forgotten with each new one, so that their number is bounded by the keys of one life. */
const SWEEP = 4;

interface KeyReference {
  readonly keyId: string;
}

const keys: Table<AccessKeyRecord> = table('access-key');
/** Those that wait to be used. */
const keysOfUser: Table<KeyReference> = table('access-key-of-user');
/** Used ones by the session that used them up. */
const keysBySession: Table<KeyReference> = table('access-key-by-session');
/** By the time when they are forgotten. */
const keysByEnd: Table<KeyReference> = table('access-key-by-end');

/** Name of a key in the state and in the admin REST. */
export function accessKeyName(keyId: Uint8Array): string {
  return toHex(keyId);
}

/** Adds a key; tell the NOC of it when the transaction is durable (`NocRegistrar`). Keys whose time is over are forgotten. */
export function addAccessKey(tx: WriteView, key: AccessKeyRecord): void {
  for (const { record } of keysByEnd.page(tx, { limit: SWEEP })) {
    const old = keys.get(tx, record.keyId);
    if (old === undefined || endOf(old) > key.createdAtMs) break;
    forget(tx, old);
  }
  putAccessKey(tx, key);
  putNocMessage(tx, key.keyId, { kind: 'register' });
  const { createdAtMs: timeMs, userGuid, keyId, origin } = key;
  const reason = origin?.sibling === undefined ? undefined : `asked for by the app ${origin.sibling.appId}`;
  appendEvent(tx, { timeMs, type: 'ACCESS_KEY_CREATED', userGuid, keyId, applicationId: origin?.appId, deviceId: origin?.deviceId, reason });
}

/** Changes a key; `used` takes it off the list of its user. */
export function putAccessKey(tx: WriteView, key: AccessKeyRecord): void {
  const before = keys.get(tx, key.keyId);
  if (before !== undefined) unlist(tx, before);
  keys.put(tx, key.keyId, key);
  keysByEnd.put(tx, endId(key), { keyId: key.keyId });
  if (key.used === undefined) keysOfUser.put(tx, joinId(key.userGuid, key.keyId), { keyId: key.keyId });
  else keysBySession.put(tx, key.used.sessionId, { keyId: key.keyId });
}

/** The key of this name, also when it is expired or used. */
export function accessKeyById(view: ReadView, keyId: string): AccessKeyRecord | undefined {
  return keys.get(view, keyId);
}

/** The key that this session (hex) used up, while its last answer is given again. */
export function usedKeyOfSession(view: ReadView, sessionId: string, nowMs: number): AccessKeyRecord | undefined {
  const reference = keysBySession.get(view, sessionId);
  const key = reference === undefined ? undefined : keys.get(view, reference.keyId);
  return key !== undefined && nowMs < endOf(key) ? key : undefined;
}

/** Keys of a user that wait to be used, also expired ones that are not forgotten yet. */
export function listAccessKeys(view: ReadView, userGuid: string): readonly AccessKeyRecord[] {
  const rows = keysOfUser.page(view, { under: partOf(userGuid), limit: MAX_ACCESS_KEYS_PER_USER });
  return rows.flatMap(({ record }) => keys.get(view, record.keyId) ?? []);
}

/** True while a key may begin an activation. */
export function isLiveKey(key: AccessKeyRecord, nowMs: number): boolean {
  return key.used === undefined && nowMs < key.expiresAtMs;
}

/** Why a key ends before it was used. */
export interface AccessKeyEnd {
  readonly type: 'ACCESS_KEY_REVOKED' | 'ACCESS_KEY_REFUSED';
  readonly reason: string;
}

/** Ends a key that was not used: it is forgotten; tell the NOC when the transaction is durable (`NocRegistrar`). */
export function withdrawAccessKey(tx: WriteView, key: AccessKeyRecord, { type, reason }: AccessKeyEnd, timeMs: number): void {
  forget(tx, key);
  putNocMessage(tx, key.keyId, { kind: 'withdraw' });
  appendEvent(tx, { timeMs, type, userGuid: key.userGuid, keyId: key.keyId, reason });
}

/** Makes room: keys of the user that are expired. The NOC forgets them by itself. */
export function dropExpiredKeys(tx: WriteView, userGuid: string, nowMs: number): void {
  for (const key of listAccessKeys(tx, userGuid)) if (!isLiveKey(key, nowMs)) forget(tx, key);
}

function forget(tx: WriteView, key: AccessKeyRecord): void {
  unlist(tx, key);
  keys.delete(tx, key.keyId);
}

function unlist(tx: WriteView, key: AccessKeyRecord): void {
  keysByEnd.delete(tx, endId(key));
  keysOfUser.delete(tx, joinId(key.userGuid, key.keyId));
  if (key.used !== undefined) keysBySession.delete(tx, key.used.sessionId);
}

function endOf({ used, expiresAtMs }: AccessKeyRecord): number {
  return used === undefined ? expiresAtMs : used.atMs + USED_KEY_KEPT_MS;
}

function endId(key: AccessKeyRecord): string {
  return joinId(sortable(endOf(key)), key.keyId);
}
