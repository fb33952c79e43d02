/** Keys of one part of the list: short enough to insert into, long enough that there are few parts. */
const PART_KEYS = 256;

/** A set of keys in ascending order. Costs little for each key that is added, and for each place that is looked for. */
export class SortedKeys {
  /** None is empty; each key of one is below each key of the next. */
  private readonly parts: string[][] = [];

  add(key: string): void {
    const index = Math.max(0, this.partOf(key));
    const part = this.parts[index];
    if (part === undefined) {
      this.parts.push([key]);
      return;
    }
    const at = firstAtLeast(part, key);
    if (part[at] === key) return;
    part.splice(at, 0, key);
    if (part.length > PART_KEYS) this.parts.splice(index + 1, 0, part.splice(PART_KEYS / 2));
  }

  /** From `key` on, itself included, upwards. */
  *upFrom(key: string): Generator<string, void> {
    let index = Math.max(0, this.partOf(key));
    let at = firstAtLeast(this.parts[index] ?? [], key);
    for (; index < this.parts.length; index++, at = 0) {
      const part = this.parts[index] as string[];
      for (; at < part.length; at++) yield part[at] as string;
    }
  }

  /** From the one below `key` on, downwards. */
  *downFrom(key: string): Generator<string, void> {
    let index = this.partOf(key);
    if (index < 0) return;
    let at = firstAtLeast(this.parts[index] as string[], key) - 1;
    for (; index >= 0; index--, at = (this.parts[index]?.length ?? 0) - 1) {
      const part = this.parts[index] as string[];
      for (; at >= 0; at--) yield part[at] as string;
    }
  }

  /** Index of the last part whose first key is not above `key`; -1 when there is none. */
  private partOf(key: string): number {
    let low = 0;
    let high = this.parts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.parts[middle]?.[0] as string) <= key) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** Index of the first key that is not below `key`. */
function firstAtLeast(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
