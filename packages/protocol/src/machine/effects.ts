import type { StoreWrite } from '../ports/store.ts';
import type { Effect } from './machine.ts';

type Plain = Effect<never, never, never>;

/** The longest delay that every platform's timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Commits all writes in one transaction. */
export function persist(...writes: readonly StoreWrite[]): Extract<Plain, { readonly type: 'persist' }> {
  return { type: 'persist', writes };
}

/** Arms a timer, or sets it anew; a delay that is too long for the platform is cut, so its owner must bear an early timer. */
export function arm(timer: string, afterMs: number): Extract<Plain, { readonly type: 'arm-timer' }> {
  return { type: 'arm-timer', timer, afterMs: Math.min(Math.round(afterMs), MAX_TIMER_MS) };
}

/** Cancels a timer, also one that is not armed. */
export function cancel(timer: string): Extract<Plain, { readonly type: 'cancel-timer' }> {
  return { type: 'cancel-timer', timer };
}
