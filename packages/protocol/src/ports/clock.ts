/** Time and timers. Nothing in the libraries reads time anywhere else, certificate validity included. */
export interface Clock {
  /** Wall clock: milliseconds since 1970-01-01 UTC. May jump. */
  nowMs(): number;
  /** Monotonic clock in milliseconds from an arbitrary start. Never goes back. */
  monotonicMs(): number;
  /** Runs `callback` once after `delayMs`; returns a function that cancels it. */
  setTimer(delayMs: number, callback: () => void): CancelTimer;
}

export type CancelTimer = () => void;
