import { type Entropy, randomFraction } from '@uemkit/protocol';
import type { ProxyInstance } from '@uemkit/protocol/wire';
import type { ProxyCluster } from './connectivity-profile.ts';

/** How long a Proxy that was not there comes after all others. */
const HELD_BACK_MS = 30_000;

/** Which Proxy of a cluster is tried first, and next. */
export class ProxyOrder {
  readonly #entropy: Entropy;
  /** Until when; bounded by the Proxy list, since others are dropped. */
  readonly #heldBack = new Map<string, number>();

  constructor(entropy: Entropy) {
    this.#entropy = entropy;
  }

  /** The highest priority first, random within one; what was not there lately last. A member that the list does not have is left out. */
  of(cluster: ProxyCluster | undefined, list: readonly ProxyInstance[], nowMs: number): readonly ProxyInstance[] {
    for (const id of this.#heldBack.keys()) if (!list.some((proxy) => proxy.id === id)) this.#heldBack.delete(id);
    const drawn = list.flatMap((proxy) => {
      const priority = cluster === undefined ? 1 : cluster.proxies.find(({ id }) => id === proxy.id)?.priority;
      if (priority === undefined) return [];
      const late = (this.#heldBack.get(proxy.id) ?? 0) > nowMs ? 1 : 0;
      return [{ proxy, late, priority, at: randomFraction(this.#entropy) }];
    });
    return drawn.sort((a, b) => a.late - b.late || a.priority - b.priority || a.at - b.at).map(({ proxy }) => proxy);
  }

  holdBack({ id }: ProxyInstance, nowMs: number): void {
    this.#heldBack.set(id, nowMs + HELD_BACK_MS);
  }

  isThere({ id }: ProxyInstance): void {
    this.#heldBack.delete(id);
  }
}
