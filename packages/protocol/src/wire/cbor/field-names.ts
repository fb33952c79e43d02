import type { CborOutput } from './encode.ts';

/** Names that are remembered for one kind of record; further ones are read and written like any text. */
export const MAX_FIELD_NAMES = 64;
/** Up to this length the head of a text is one byte, and the order of names is that of their lengths, then of their letters. */
const MAX_NAME_CHARACTERS = 23;
const MAJOR_TEXT = 0x60;

/**
 * The names of the fields that one kind of record has, each with its encoding: what is read and written all the time need not be encoded, sorted and compared
 * each time. It changes no byte. For records whose names come from the source, not from a peer.
 */
export class CborFieldNames {
  // BOUNDED by MAX_FIELD_NAMES; in the order of their encodings.
  readonly #names: string[] = [];
  readonly #encodings: Uint8Array[] = [];

  get count(): number {
    return this.#names.length;
  }

  name(at: number): string {
    return this.#names[at] as string;
  }

  encoding(at: number): Uint8Array {
    return this.#encodings[at] as Uint8Array;
  }

  /** Remembers a name. Those that every object inherits are not: they would be found in records that do not have them. */
  learn(name: string): void {
    if (this.#names.length >= MAX_FIELD_NAMES || this.#names.includes(name)) return;
    if (name.length > MAX_NAME_CHARACTERS || !/^[\x20-\x7e]*$/.test(name) || name in Object.prototype) return;
    const at = this.#names.filter((known) => isBefore(known, name)).length;
    this.#names.splice(at, 0, name);
    this.#encodings.splice(at, 0, Uint8Array.of(MAJOR_TEXT | name.length, ...Array.from(name, (character) => character.charCodeAt(0))));
  }

  /** Writes the name at `at`, as a key at `depth`. */
  write(output: CborOutput, at: number, depth: number): void {
    output.item(depth);
    output.short(this.#encodings[at] as Uint8Array);
  }
}

function isBefore(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}
