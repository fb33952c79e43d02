import { type CryptoProvider, concatBytes, type ScryptCost, u32be, u64be, wipe } from '@uemkit/protocol';
import type { ContainerKeys } from '../container/keys.ts';
import { MAX_PASSWORD_HISTORY } from '../container/limits.ts';

/** Name of the record, in the space of the container itself. */
export const PASSWORD_RECORD = 'password';
const SALT_BYTES = 16;
const HEAD_BYTES = 8 + SALT_BYTES + 6;
const TAG_BYTES = 32;

/** When the password was set, and tags of the last ones, newest first. Kept inside the container: who cannot open it cannot guess against them. */
export interface PasswordRecord {
  readonly changedMs: number;
  readonly salt: Uint8Array;
  /** All tags of one record have one cost: each comparison is one scrypt, however long the history is. */
  readonly cost: ScryptCost;
  readonly tags: readonly Uint8Array[];
}

/** u64be(changedMs) || salt (16) || u32be(N) || u8 r || u8 p || tags of 32 bytes. */
export function encodePasswordRecord({ changedMs, salt, cost, tags }: PasswordRecord): Uint8Array {
  return concatBytes(u64be(changedMs), salt, u32be(cost.N), Uint8Array.of(cost.r, cost.p), ...tags);
}

/** What the container sealed itself, so it is of the right form. */
export function decodePasswordRecord(content: Uint8Array): PasswordRecord {
  const view = new DataView(content.buffer, content.byteOffset, HEAD_BYTES);
  const at = 8 + SALT_BYTES;
  const tags: Uint8Array[] = [];
  for (let tag = HEAD_BYTES; tag < content.length; tag += TAG_BYTES) tags.push(content.slice(tag, tag + TAG_BYTES));
  return {
    changedMs: view.getUint32(0) * 2 ** 32 + view.getUint32(4),
    salt: content.slice(8, at),
    cost: { N: view.getUint32(at), r: view.getUint8(at + 4), p: view.getUint8(at + 5) },
    tags,
  };
}

/** HMAC-SHA-256(history key, scrypt(password)). */
export async function historyTag(
  crypto: CryptoProvider,
  keys: ContainerKeys,
  { salt, cost }: Pick<PasswordRecord, 'salt' | 'cost'>,
  typed: Uint8Array,
): Promise<Uint8Array> {
  const stretched = await crypto.scrypt(typed, salt, cost, 32);
  const key = keys.history();
  const tag = crypto.hmacSha256(key, stretched);
  wipe(stretched, key);
  return tag;
}

/** Whether the tag is one of the last `history`. */
export function usedBefore(crypto: CryptoProvider, { tags }: PasswordRecord, history: number, tag: Uint8Array): boolean {
  return tags.slice(0, history).some((earlier) => crypto.equal(earlier, tag));
}

/** The record after a change of password. */
export function withPassword(record: PasswordRecord, tag: Uint8Array, changedMs: number): PasswordRecord {
  return { ...record, changedMs, tags: [tag, ...record.tags].slice(0, MAX_PASSWORD_HISTORY) };
}
