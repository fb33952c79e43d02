import { toHex } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { joinId, partOf, sortable, type Table, table } from '../../state/table.ts';
import type { ReadView, WriteView } from '../../store/lab-store.ts';
import { deleteLink, type LinkRecord, linkById } from './noc-links.ts';
import { forgetPushApp } from './noc-push.ts';

/** What the NOC knows of an access key (docs/protocol/04, 4.4): nothing that opens anything. Ids and hashes in hex. */
export interface VerifierRecord {
  readonly verifier: string;
  readonly keyId: string;
  readonly userIdHash: Uint8Array;
  readonly tenantId: string;
  readonly expiresAtMs: number;
}

/** Access keys that one NOC knows. */
export const MAX_NOC_KEYS = 1_000_000;
/** Links that may be begun with one key; the oldest makes room. */
export const MAX_LINKS_PER_KEY = 5;
/** Expired keys that are forgotten with each new one. */
const SWEEP = 4;

interface Reference {
  readonly id: string;
}

const verifiers: Table<VerifierRecord> = table('noc-verifier');
const verifiersByKey: Table<Reference> = table('noc-verifier-by-key');
const keysByExpiry: Table<Reference> = table('noc-key-by-expiry');
const linksOfKey: Table<Reference> = table('noc-link-of-key');
const counts: Table<{ readonly keys: number }> = table('noc-count');
const ALL = 'all';

/** Takes a key over; the same key again changes nothing. False: there is no room for it. */
export function registerKey(tx: WriteView, message: wire.NocRegisterKey, nowMs: number): boolean {
  for (const { record } of keysByExpiry.page(tx, { limit: SWEEP })) {
    const old = verifierOfKey(tx, record.id);
    if (old !== undefined && old.expiresAtMs > nowMs) break;
    withdrawKey(tx, record.id);
  }
  const keyId = toHex(message.keyId);
  const known = verifierOfKey(tx, keyId);
  if (known === undefined && countOf(tx) >= MAX_NOC_KEYS) return false;
  if (known !== undefined) forgetVerifier(tx, known);
  const verifier = toHex(message.verifier);
  const { userIdHash, tenantId, expiryEpochS } = message;
  const record: VerifierRecord = { verifier, keyId, userIdHash, tenantId, expiresAtMs: expiryEpochS * 1_000 };
  verifiers.put(tx, verifier, record);
  verifiersByKey.put(tx, keyId, { id: verifier });
  keysByExpiry.put(tx, expiryId(record), { id: keyId });
  counts.put(tx, ALL, { keys: countOf(tx) + 1 });
  return true;
}

/** The key that this verifier belongs to. */
export function keyOfVerifier(view: ReadView, verifier: Uint8Array): VerifierRecord | undefined {
  return verifiers.get(view, toHex(verifier));
}

/** False: this key (id in hex), or a link that was begun with it, is of another tenant. One that nobody knows is nobody's. */
export function isKeyOf(view: ReadView, keyId: string, tenantId: string): boolean {
  return [verifierOfKey(view, keyId), ...listLinksOfKey(view, keyId)].every((known) => known === undefined || known.tenantId === tenantId);
}

/** The key is of no use any more: it goes with all links that were begun with it and are not in use yet. */
export function withdrawKey(tx: WriteView, keyId: string): void {
  const known = verifierOfKey(tx, keyId);
  if (known !== undefined) forgetVerifier(tx, known);
  for (const link of listLinksOfKey(tx, keyId)) if (link.status === 'provisional') dropLink(tx, keyId, link.linkId);
}

/** The key was used over this link (F3.11): the verifier goes, the others that were begun with it too. */
export function useKey(tx: WriteView, keyId: string, linkId: string): void {
  const known = verifierOfKey(tx, keyId);
  if (known !== undefined) forgetVerifier(tx, known);
  for (const link of listLinksOfKey(tx, keyId)) if (link.linkId !== linkId) dropLink(tx, keyId, link.linkId);
}

/** Notes a link that was begun with a key. */
export function addLinkOfKey(tx: WriteView, keyId: string, linkId: string, nowMs: number): void {
  const rows = linksOfKey.page(tx, { under: partOf(keyId), limit: MAX_LINKS_PER_KEY });
  const oldest = rows.length < MAX_LINKS_PER_KEY ? undefined : rows[0];
  if (oldest !== undefined) dropLink(tx, keyId, oldest.record.id);
  linksOfKey.put(tx, joinId(keyId, sortable(nowMs), linkId), { id: linkId });
}

/** UEM has ended this link: it goes whatever its status, and nothing brings it back. */
export function endLink(tx: WriteView, { keyId, linkId }: LinkRecord): void {
  dropLink(tx, keyId, linkId);
}

function listLinksOfKey(view: ReadView, keyId: string): readonly LinkRecord[] {
  const rows = linksOfKey.page(view, { under: partOf(keyId), limit: MAX_LINKS_PER_KEY });
  return rows.flatMap(({ record }) => linkById(view, record.id) ?? []);
}

function dropLink(tx: WriteView, keyId: string, linkId: string): void {
  for (const { id, record } of linksOfKey.page(tx, { under: partOf(keyId), limit: MAX_LINKS_PER_KEY })) if (record.id === linkId) linksOfKey.delete(tx, id);
  forgetPushApp(tx, linkId);
  deleteLink(tx, linkId);
}

function verifierOfKey(view: ReadView, keyId: string): VerifierRecord | undefined {
  const reference = verifiersByKey.get(view, keyId);
  return reference === undefined ? undefined : verifiers.get(view, reference.id);
}

function forgetVerifier(tx: WriteView, record: VerifierRecord): void {
  verifiers.delete(tx, record.verifier);
  verifiersByKey.delete(tx, record.keyId);
  keysByExpiry.delete(tx, expiryId(record));
  counts.put(tx, ALL, { keys: countOf(tx) - 1 });
}

function countOf(view: ReadView): number {
  return counts.get(view, ALL)?.keys ?? 0;
}

function expiryId({ expiresAtMs, keyId }: VerifierRecord): string {
  return joinId(sortable(expiresAtMs), keyId);
}
