import { wipe } from '@uemkit/protocol';
import { MAX_REMEMBERED_BYTES, MAX_REMEMBERED_CONTENT_BYTES } from './limits.ts';
import type { Space } from './rows.ts';

/** A record as it was committed last. */
export interface RememberedRecord {
  readonly version: Uint8Array;
  readonly content: Uint8Array;
}

/** What a record costs apart from its content: names, maps, arrays. */
const ENTRY_BYTES = 256;

/**
 * Records that were used lately, in clear: opening one takes about ten times as long as reading a row. It adds nothing to what the memory of an open
 * container tells, since the keys are there as well. The longest unused go first.
 */
export class RememberedRecords {
  /** BOUNDED by MAX_REMEMBERED_BYTES. */
  readonly #records = new Map<string, RememberedRecord>();
  #bytes = 0;

  /** The remembered arrays themselves: whoever hands content on gives a copy. */
  get(space: Space, name: string): RememberedRecord | undefined {
    const key = space + name;
    const record = this.#records.get(key);
    if (record === undefined) return undefined;
    this.#records.delete(key);
    this.#records.set(key, record);
    return record;
  }

  /** Takes the arrays over. */
  set(space: Space, name: string, record: RememberedRecord): void {
    this.forget(space, name);
    if (record.content.length > MAX_REMEMBERED_CONTENT_BYTES) return;
    this.#records.set(space + name, record);
    this.#bytes += sizeOf(record);
    for (const [oldest, { content }] of this.#records) {
      if (this.#bytes <= MAX_REMEMBERED_BYTES) break;
      this.#drop(oldest, content);
    }
  }

  forget(space: Space, name: string): void {
    const record = this.#records.get(space + name);
    if (record !== undefined) this.#drop(space + name, record.content);
  }

  wipe(): void {
    for (const [key, { content }] of this.#records) this.#drop(key, content);
  }

  #drop(key: string, content: Uint8Array): void {
    this.#bytes -= content.length + ENTRY_BYTES;
    this.#records.delete(key);
    wipe(content);
  }
}

function sizeOf({ content }: RememberedRecord): number {
  return content.length + ENTRY_BYTES;
}
