/** What wake-ups may make a device do. */
export const WAKE_UP_LIMITS = {
  /** Polls that wake-ups may cause one right after the other. */
  burst: 32,
  /** Afterwards one poll for all wake-ups of this time. */
  everyMs: 1_000,
} as const;

/**
 * Bounds the polls that wake-ups cause (F5.2): a notification service that sends one after the other must not keep a device awake for ever.
 * The generic cell rate algorithm: one number, the time until which polls have been spent in advance.
 */
export class WakeUpBudget {
  #spentUntilMs = 0;

  /** Takes one poll and gives 0; or takes none and gives the time until there is one, milliseconds. */
  take(nowMs: number): number {
    const spentUntilMs = Math.max(this.#spentUntilMs, nowMs);
    const waitMs = spentUntilMs - nowMs - (WAKE_UP_LIMITS.burst - 1) * WAKE_UP_LIMITS.everyMs;
    if (waitMs > 0) return waitMs;

    this.#spentUntilMs = spentUntilMs + WAKE_UP_LIMITS.everyMs;
    return 0;
  }
}
