import type { Clock } from '../../ports/clock.ts';

/** Longest delay of the platform's timer; a longer one would fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

/** Time and timers of the platform. */
export function systemClock(): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    setTimer(delayMs, callback) {
      let leftMs = Math.max(0, delayMs);
      let timer: ReturnType<typeof setTimeout>;
      const arm = (): void => {
        const partMs = Math.min(leftMs, MAX_TIMER_MS);
        leftMs -= partMs;
        timer = setTimeout(() => (leftMs > 0 ? arm() : callback()), partMs);
      };
      arm();
      return () => clearTimeout(timer);
    },
  };
}
