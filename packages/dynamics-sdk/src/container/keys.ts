import { type CryptoProvider, concatBytes, type Gcm, type SecretBytes, secret, toHex, utf8, wipe } from '@uemkit/protocol';
import { MAX_ROW_BYTES, VERSIONS_OF_A_KEY } from './limits.ts';
import type { Space } from './rows.ts';
import { writeVersion } from './sealed-row.ts';

/** Stands before every label of the container, so that no key of a protocol can be one of its keys. */
export const LABEL_PREFIX = 'uemkit/1 container ';

/** One row for each key that is derived; docs/container.md has the same list. */
export type ContainerLabel = 'device' | 'guard' | 'kek' | 'names' | 'records' | 'ledger' | 'marks' | 'file' | 'history';

/** HKDF-Expand(from, label || 0x00 || context, 32). */
export function deriveKey<Purpose extends string>(
  crypto: CryptoProvider,
  from: Uint8Array,
  label: ContainerLabel,
  context: Uint8Array = new Uint8Array(0),
): SecretBytes<Purpose> {
  return secret(crypto.hkdfExpand(from, concatBytes(utf8(LABEL_PREFIX + label), Uint8Array.of(0), context), 32));
}

const MARK_BYTES = 16;
const FIRST_PLAINTEXT_BYTES = 512;

/** Everything that is derived from the root key of an open container. */
export class ContainerKeys {
  readonly #crypto: CryptoProvider;
  readonly #root: SecretBytes<'container root'>;
  readonly #names: Uint8Array;
  /** Key of the marks, with room behind it for what is marked. */
  readonly #marked: Uint8Array;
  /** Where plaintexts are put together. BOUNDED by MAX_ROW_BYTES. */
  #plaintext = new Uint8Array(FIRST_PLAINTEXT_BYTES);
  /** The last key used of each label; others are derived anew. */
  readonly #sealing = new Map<ContainerLabel, { readonly epoch: number; readonly gcm: Gcm }>();

  /** Takes `root` over. */
  constructor(crypto: CryptoProvider, root: SecretBytes<'container root'>) {
    this.#crypto = crypto;
    this.#root = root;
    this.#names = deriveKey(crypto, root, 'names');
    const marks = deriveKey(crypto, root, 'marks');
    this.#marked = concatBytes(marks, new Uint8Array(33 + 8));
    wipe(marks);
  }

  get root(): SecretBytes<'container root'> {
    return this.#root;
  }

  /** Row of a name: its space, then half of a keyed hash. Who has only the storage learns whether two rows have one name, and no name. */
  rowOf(space: Space, name: string): string {
    return space + toHex(this.#crypto.hmacSha256(this.#names, utf8(space + name)).subarray(0, 16));
  }

  /**
   * What a version of a row adds to the sum of its bucket: 16 bytes that never leave the container.
   * SHA-256 over key and a text of one length is a pseudo-random function, and a quarter of the price of HMAC.
   */
  mark(row: string, version: number): Uint8Array {
    for (let i = 0; i < row.length; i++) this.#marked[32 + i] = row.charCodeAt(i);
    writeVersion(this.#marked, 32 + 33, version);
    return this.#crypto.sha256(this.#marked).subarray(0, MARK_BYTES);
  }

  /** Room for a plaintext, the same each time. The caller wipes it. */
  plaintext(lengthBytes: number): Uint8Array {
    if (this.#plaintext.length < lengthBytes) this.#plaintext = new Uint8Array(Math.max(lengthBytes, Math.min(2 * this.#plaintext.length, MAX_ROW_BYTES)));
    return this.#plaintext.subarray(0, lengthBytes);
  }

  /** Key of the records, or of the ledger, of this version. */
  sealing(label: 'records' | 'ledger', version: number): Gcm {
    const epoch = Math.floor(version / VERSIONS_OF_A_KEY);
    const known = this.#sealing.get(label);
    if (known?.epoch === epoch) return known.gcm;
    known?.gcm.wipe();
    const gcm = this.#gcm(label, utf8(String(epoch)));
    this.#sealing.set(label, { epoch, gcm });
    return gcm;
  }

  /** Key of the chunks of one file; no other file has it. The caller wipes it. */
  file(fileId: Uint8Array): Gcm {
    return this.#gcm('file', fileId);
  }

  /** Key of the tags of earlier passwords. The caller wipes it. */
  history(): SecretBytes<'history'> {
    return deriveKey(this.#crypto, this.#root, 'history');
  }

  wipe(): void {
    wipe(this.#root, this.#names, this.#marked, this.#plaintext);
    for (const { gcm } of this.#sealing.values()) gcm.wipe();
    this.#sealing.clear();
  }

  #gcm(label: ContainerLabel, context: Uint8Array): Gcm {
    const key = deriveKey(this.#crypto, this.#root, label, context);
    const gcm = this.#crypto.gcm(key);
    wipe(key);
    return gcm;
  }
}
