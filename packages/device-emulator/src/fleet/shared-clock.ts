import type { CancelTimer, Clock } from '@uemkit/protocol';
import { type HeapTimer, TimerHeap } from './timer-heap.ts';

/**
 * One clock for all devices of a process: their timers wait in one heap, and only the next of them is armed below. Thousands of devices at rest cost one
 * timer of the platform.
 */
export class SharedClock implements Clock {
  readonly #below: Clock;
  readonly #heap: TimerHeap = new TimerHeap();
  #armed: { readonly dueMs: number; readonly cancel: CancelTimer } | undefined;

  constructor(below: Clock) {
    this.#below = below;
  }

  nowMs(): number {
    return this.#below.nowMs();
  }

  monotonicMs(): number {
    return this.#below.monotonicMs();
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#heap.size;
  }

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    const timer = this.#heap.add(this.#below.monotonicMs() + Math.max(0, delayMs), callback);
    this.#arm();
    return () => this.#cancel(timer);
  }

  #cancel(timer: HeapTimer): void {
    this.#heap.remove(timer);
    // An early wake-up for a timer that is gone does no harm, but an empty heap must not keep the process alive.
    if (this.#heap.size === 0) this.#disarm();
  }

  #arm(): void {
    const next = this.#heap.first;
    if (next === undefined || (this.#armed !== undefined && this.#armed.dueMs <= next.dueMs)) return;
    this.#disarm();
    const cancel = this.#below.setTimer(Math.max(0, next.dueMs - this.#below.monotonicMs()), () => this.#run());
    this.#armed = { dueMs: next.dueMs, cancel };
  }

  #disarm(): void {
    this.#armed?.cancel();
    this.#armed = undefined;
  }

  #run(): void {
    this.#armed = undefined;
    const nowMs = this.#below.monotonicMs();
    // Timers that callbacks add now wait for a later run, so that a timer of 0 ms cannot hold up the loop.
    const { nextSequence } = this.#heap;
    try {
      for (let next = this.#heap.first; next !== undefined && next.dueMs <= nowMs && next.sequence < nextSequence; next = this.#heap.first) {
        this.#heap.remove(next);
        next.callback();
      }
    } finally {
      this.#arm();
    }
  }
}
