/** One timer that waits. */
export interface HeapTimer {
  readonly dueMs: number;
  /** Counts up; of two timers that are due together the older one is first. */
  readonly sequence: number;
  readonly callback: () => void;
  /** Place in the heap; -1 when it is not there any more. */
  place: number;
}

/** Timers in the order in which they become due. Add and remove take the logarithm of the number of timers. */
export class TimerHeap {
  // BOUNDED by the timers of the devices: a client arms a handful at once.
  readonly #heap: HeapTimer[] = [];
  #sequence = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** The timer that is due next. */
  get first(): HeapTimer | undefined {
    return this.#heap[0];
  }

  /** Sequence number of the next timer. */
  get nextSequence(): number {
    return this.#sequence;
  }

  add(dueMs: number, callback: () => void): HeapTimer {
    const timer: HeapTimer = { dueMs, sequence: this.#sequence++, callback, place: this.#heap.length };
    this.#heap.push(timer);
    this.#rise(timer);
    return timer;
  }

  /** Does nothing when the timer is gone. */
  remove(timer: HeapTimer): void {
    const { place } = timer;
    if (place < 0) return;
    timer.place = -1;
    const last = this.#heap.pop() as HeapTimer;
    if (last === timer) return;
    this.#put(last, place);
    this.#rise(last);
    this.#sink(last);
  }

  #put(timer: HeapTimer, place: number): void {
    this.#heap[place] = timer;
    timer.place = place;
  }

  #rise(timer: HeapTimer): void {
    while (timer.place > 0) {
      const parentPlace = (timer.place - 1) >> 1;
      const parent = this.#heap[parentPlace] as HeapTimer;
      if (!isBefore(timer, parent)) return;
      this.#put(parent, timer.place);
      this.#put(timer, parentPlace);
    }
  }

  #sink(timer: HeapTimer): void {
    for (;;) {
      const left = this.#heap[2 * timer.place + 1];
      const right = this.#heap[2 * timer.place + 2];
      const least = right !== undefined && left !== undefined && isBefore(right, left) ? right : left;
      if (least === undefined || !isBefore(least, timer)) return;
      const place = least.place;
      this.#put(least, timer.place);
      this.#put(timer, place);
    }
  }
}

function isBefore(a: HeapTimer, b: HeapTimer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence);
}
