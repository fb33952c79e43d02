import { wipe } from '@uemkit/protocol';
import { MAX_REMEMBERED_BYTES, MAX_REMEMBERED_CONTENT_BYTES } from './limits.ts';

/** Where a content was put. */
export interface Place {
  /** Counted in all bytes that were ever put. */
  at: number;
  readonly lengthBytes: number;
}

/** Most containers hold little; one in which nothing was read or written yet holds nothing. */
const FIRST_BYTES = 512;

/**
 * Contents of records that were used lately, in clear: opening one takes several times as long as reading a row. It adds nothing to what the memory of
 * an open container tells, since the keys are there as well. They lie in one ring, so a content costs no allocation and the bound is exact; what is
 * used again before the ring has gone half round is kept, the rest is overwritten.
 */
export class RememberedContents {
  /** BOUNDED by MAX_REMEMBERED_BYTES: it grows up to there, then goes round. */
  #ring = new Uint8Array(0);
  #end = 0;

  /** Copies a content; undefined when it is too long to be remembered. */
  add(content: Uint8Array): Place | undefined {
    if (content.length > MAX_REMEMBERED_CONTENT_BYTES) return undefined;
    const at = this.#room(content.length);
    this.#ring.set(content, at % this.#ring.length);
    return { at, lengthBytes: content.length };
  }

  has(place: Place | undefined): place is Place {
    return place !== undefined && this.#end - place.at <= this.#ring.length;
  }

  /** As `read`, but nothing else is overwritten by it. */
  peek(place: Place | undefined): Uint8Array | undefined {
    if (!this.has(place)) return undefined;
    const from = place.at % this.#ring.length;
    return this.#ring.slice(from, from + place.lengthBytes);
  }

  /** A copy of the content, undefined when it was overwritten. */
  read(place: Place | undefined): Uint8Array | undefined {
    const content = this.peek(place);
    if (content === undefined || place === undefined) return undefined;
    if (this.#end - place.at > this.#ring.length / 2) {
      this.forget(place);
      place.at = this.#room(content.length);
      this.#ring.set(content, place.at % this.#ring.length);
    }
    return content;
  }

  /** Overwrites a content with zeros. */
  forget(place: Place | undefined): void {
    if (!this.has(place)) return;
    const from = place.at % this.#ring.length;
    this.#ring.fill(0, from, from + place.lengthBytes);
  }

  wipe(): void {
    wipe(this.#ring);
    this.#end += this.#ring.length + 1;
  }

  /** Room in one piece: what would not fit before the end of the ring begins at its start. */
  #room(lengthBytes: number): number {
    while (this.#ring.length === 0 || (this.#end + lengthBytes > this.#ring.length && this.#ring.length < MAX_REMEMBERED_BYTES)) this.#grow();
    const left = this.#ring.length - (this.#end % this.#ring.length);
    const at = lengthBytes > left ? this.#end + left : this.#end;
    this.#end = at + lengthBytes;
    return at;
  }

  /** Only before it went round for the first time, so every content keeps its place. */
  #grow(): void {
    const larger = new Uint8Array(Math.min(Math.max(2 * this.#ring.length, FIRST_BYTES), MAX_REMEMBERED_BYTES));
    larger.set(this.#ring);
    wipe(this.#ring);
    this.#ring = larger;
  }
}
