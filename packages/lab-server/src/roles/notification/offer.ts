/** `taken`: the device has it. `sent`: it left, and the device has not said that it took it. `held`: it leaves later. `away`: it cannot leave. */
export type Offered = 'taken' | 'sent' | 'held' | 'away';

/** A wake-up that was sent and that the device has not taken yet. */
export interface Untaken {
  readonly wakeUpId: Uint8Array;
  /** It waits in the store, too. */
  stored: boolean;
  /** The next one of the same connection. */
  nextUntaken: Untaken | undefined;
  /** Its sender waits to hear whether the device took it. */
  settle?(taken: boolean): void;
}

/**
 * A wake-up that is stored nowhere and whose sender waits to hear whether the device took it. One object for each, with its places in the lists of its
 * connection and of `OfferQueue` in itself: thousands are under way at once, and whatever they are made of outlives several garbage collections.
 */
export abstract class Offer implements Untaken {
  readonly wakeUpId: Uint8Array;
  stored = false;
  nextUntaken: Untaken | undefined = undefined;
  /** Monotonic milliseconds; set when it is queued. */
  dueMs = 0;
  queue: OfferQueue | undefined = undefined;
  before: Offer | undefined = undefined;
  after: Offer | undefined = undefined;
  #isOpen = true;

  constructor(wakeUpId: Uint8Array) {
    this.wakeUpId = wakeUpId;
  }

  settle(taken: boolean): void {
    this.end(taken ? 'taken' : 'away');
  }

  /** The first end counts. */
  end(how: Offered): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.queue?.remove(this);
    this.ended(how);
  }

  /** Called once. Must not throw. */
  protected abstract ended(how: Offered): void;
}

/** Offers in the order in which they are due: all wait equally long, so that is the order in which they came. BOUNDED by MAX_UNTAKEN for each connection. */
export class OfferQueue {
  first: Offer | undefined;
  #last: Offer | undefined;

  add(offer: Offer, dueMs: number): void {
    offer.dueMs = dueMs;
    offer.queue = this;
    offer.before = this.#last;
    if (this.#last === undefined) this.first = offer;
    else this.#last.after = offer;
    this.#last = offer;
  }

  remove(offer: Offer): void {
    const { before, after } = offer;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    offer.queue = offer.before = offer.after = undefined;
  }
}
