import { type CryptoProvider, utf8 } from '@uemkit/protocol';

/** Numbers that depend on the name of the fleet and of the draw alone, so a plan is the same on any machine and in any order. Not for secrets of real users. */
export class SeededDraw {
  readonly #crypto: Pick<CryptoProvider, 'hmacSha256'>;
  readonly #key: Uint8Array;

  constructor(crypto: Pick<CryptoProvider, 'hmacSha256'>, fleetId: string) {
    this.#crypto = crypto;
    this.#key = crypto.hmacSha256(utf8('uemkit emulated fleet, test keys only'), utf8(fleetId));
  }

  /** 32 bytes fixed by `name`. */
  bytes(name: string): Uint8Array {
    return this.#crypto.hmacSha256(this.#key, utf8(name));
  }

  /** A number from 0 (inclusive) to 1 (exclusive), with 48 bits. */
  unit(name: string): number {
    const bytes = this.bytes(name);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return (view.getUint32(0) * 0x1_0000 + view.getUint16(4)) / 0x1_0000_0000_0000;
  }

  /** A whole number from 0 (inclusive) to `bound` (exclusive). */
  below(name: string, bound: number): number {
    return Math.floor(this.unit(name) * bound);
  }

  /** Draws of one device as it leaves the factory. */
  ofDevice(index: number): (name: string, bound: number) => number {
    return (name, bound) => this.below(`${name} ${index}`, bound);
  }

  /** True for about `share` of all names, for none at 0 and for all at 1. */
  chance(name: string, share: number): boolean {
    return this.unit(name) < share;
  }

  /** Exactly `round(share × n)` of `items`, in their own order, chosen by name and key. */
  sample<T>(name: string, items: readonly T[], share: number, keyOf: (item: T) => string): readonly T[] {
    const wanted = Math.round(share * items.length);
    if (wanted === items.length) return items;
    const ranked = items.map((item, place) => ({ place, rank: this.unit(`${name} ${keyOf(item)}`) })).sort((a, b) => a.rank - b.rank || a.place - b.place);
    const chosen = new Set(ranked.slice(0, wanted).map(({ place }) => place));
    return items.filter((_, place) => chosen.has(place));
  }
}
