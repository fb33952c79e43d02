import { ProtocolError, utf8, wipe } from '@uemkit/protocol';
import type { ContainerKeys } from './keys.ts';
import { MAX_NAME_BYTES, MAX_REMEMBERED_NAMES } from './limits.ts';
import type { Place } from './remembered.ts';
import { bucketOf, type Space } from './rows.ts';

/** A name with what need not be computed, or read, again. */
export interface KnownName {
  readonly space: Space;
  readonly name: string;
  readonly row: string;
  readonly bucket: number;
  /** Mark of the record that was committed last; null when there is none, undefined when the storage has to be asked. */
  mark: Uint8Array | null | undefined;
  /** Where the content of that record is remembered, perhaps still. */
  place: Place | undefined;
  /** It is no longer found: what was committed since is to be noted elsewhere. */
  dropped: boolean;
}

/** Names that were used since the container was opened. When there are too many, all are dropped: what is known of them is in the storage as well. */
export class KnownNames {
  readonly #keys: ContainerKeys;
  /** BOUNDED by MAX_REMEMBERED_NAMES, and the names of one commit. */
  readonly #names: Readonly<Record<Space, Map<string, KnownName>>> = { v: new Map(), f: new Map(), i: new Map() };
  #count = 0;

  constructor(keys: ContainerKeys) {
    this.#keys = keys;
  }

  /** @throws ProtocolError `ERR_USAGE_ARGUMENT` when it can be no name */
  of(space: Space, name: string): KnownName {
    const known = this.#names[space].get(name);
    if (known !== undefined) return known;
    nameBytes(name);
    const row = this.#keys.rowOf(space, name);
    const added: KnownName = { space, name, row, bucket: bucketOf(row), mark: undefined, place: undefined, dropped: false };
    this.#names[space].set(name, added);
    this.#count += 1;
    return added;
  }

  /** Keeps their number bounded. Not between the look whether something is known and its use. */
  trim(): void {
    if (this.#count >= MAX_REMEMBERED_NAMES) this.wipe();
  }

  /** Drops all. Marks are secret. */
  wipe(): void {
    for (const names of Object.values(this.#names)) {
      for (const known of names.values()) {
        known.dropped = true;
        if (known.mark) wipe(known.mark);
        known.mark = undefined;
      }
      names.clear();
    }
    this.#count = 0;
  }
}

/** @throws ProtocolError `ERR_USAGE_ARGUMENT` when the name is empty, too long or no Unicode text */
export function nameBytes(name: string): Uint8Array {
  const bytes = utf8(name);
  if (bytes.length === 0 || bytes.length > MAX_NAME_BYTES || !name.isWellFormed()) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', `a name has 1 to ${MAX_NAME_BYTES} bytes of Unicode text`);
  }
  return bytes;
}
