import type { Clock } from '@uemkit/protocol';
import type { PushLimits } from './push-limits.ts';

const WINDOW_MS = 60_000;

/** Counts notifications by device and by sender in windows of a minute. */
export interface Throttle {
  /** Counts one notification; whose limit it goes over, if any. */
  count(key: string, sender: string): 'device' | 'sender' | undefined;
}

export function createThrottle(clock: Clock, limits: Pick<PushLimits, 'perDevicePerMinute' | 'perSenderPerMinute'>): Throttle {
  // BOUNDED by the tokens and senders that are known: only those are counted. Emptied each minute.
  let byDevice = new Map<string, { count: number }>();
  let bySender = new Map<string, { count: number }>();
  let windowMs = 0;
  const over = (counts: Map<string, { count: number }>, key: string, most: number): boolean => {
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { count: 1 });
    else known.count += 1;
    return (known?.count ?? 1) > most;
  };
  return {
    count(key, sender) {
      const nowMs = clock.monotonicMs();
      if (nowMs - windowMs >= WINDOW_MS) {
        [byDevice, bySender] = [new Map(), new Map()];
        windowMs = nowMs;
      }
      if (over(bySender, sender, limits.perSenderPerMinute)) return 'sender';
      return over(byDevice, key, limits.perDevicePerMinute) ? 'device' : undefined;
    },
  };
}
