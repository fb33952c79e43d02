import { isAlias, isMap, isScalar, isSeq, type LineCounter, type Node, type Pair } from 'yaml';
import type { ScenarioProblem } from './problem.ts';

/** Stands for a value that could not be read; its problem has been noted. */
export const INVALID: unique symbol = Symbol('invalid');
export type Invalid = typeof INVALID;

/** Reads the value at one place of the document. */
export type Read<T> = (place: Place) => T | Invalid;

/** Notes of one reading, shared by all its places. */
export interface Reading {
  readonly lines: LineCounter;
  readonly problems: ScenarioProblem[];
}

/** One entry of a map: the place of its key, for complaints about the key, and of its value. */
export interface MapEntry {
  readonly key: string;
  readonly keyPlace: Place;
  readonly value: Place;
}

/** A node of the document, with its path and position. */
export class Place {
  readonly path: string;
  readonly #node: Node | null;
  readonly #reading: Reading;
  readonly #parent: Node | null;

  constructor(node: Node | null, path: string, reading: Reading, parent: Node | null = null) {
    this.#node = node;
    this.path = path;
    this.#reading = reading;
    this.#parent = parent;
  }

  /** Notes a problem here. */
  wrong(message: string, hint?: string): Invalid {
    const offset = this.#node?.range?.[0] ?? this.#parent?.range?.[0] ?? 0;
    const { line, col } = this.#reading.lines.linePos(offset);
    this.#reading.problems.push({ line: Math.max(1, line), column: Math.max(1, col), path: this.path, message, hint });
    return INVALID;
  }

  /** The scalar that stands here: text, number, boolean or null; undefined when it is something else. */
  scalar(): unknown {
    return isScalar(this.#node) ? this.#node.value : this.#node === null ? null : undefined;
  }

  /** Items of the list that stands here, or undefined. */
  items(): readonly Place[] | undefined {
    const list = this.#node;
    if (!isSeq(list)) return undefined;
    return list.items.map((item, index) => new Place(item as Node | null, `${this.path}[${index}]`, this.#reading, list));
  }

  /** Entries of the map that stands here, or undefined. */
  entries(): readonly MapEntry[] | undefined {
    const map = this.#node;
    if (!isMap(map)) return undefined;
    return map.items.map((pair: Pair) => {
      const keyNode = pair.key as Node | null;
      const key = isScalar(keyNode) ? String(keyNode.value) : '';
      const path = this.path === '' ? key : `${this.path}.${key}`;
      return {
        key,
        keyPlace: new Place(keyNode, path, this.#reading, map),
        value: new Place((pair.value ?? null) as Node | null, path, this.#reading, keyNode),
      };
    });
  }

  /** What stands here, in words for a message. */
  describe(): string {
    if (isAlias(this.#node)) return 'an alias';
    if (isMap(this.#node)) return 'a map';
    if (isSeq(this.#node)) return 'a list';
    const value = this.scalar();
    return value === null || value === undefined ? 'nothing' : typeof value === 'string' ? `"${value.slice(0, 40)}"` : String(value);
  }
}
