import type { Poll } from '../../wire/management.ts';

/** A poll that is wanted but not sent yet. */
export type PendingPoll = Pick<Poll, 'reason' | 'wakeUpId'>;

/** One pending poll out of two (F5.2): the newest wake-up is named, and the regular schedule never hides a better reason. */
export function coalesce(pending: PendingPoll | undefined, next: PendingPoll): PendingPoll {
  if (pending === undefined) return next;
  return {
    reason: next.reason === 'schedule' ? pending.reason : next.reason,
    wakeUpId: next.wakeUpId ?? pending.wakeUpId,
  };
}
