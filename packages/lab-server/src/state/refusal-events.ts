import type { WriteView } from '../store/lab-store.ts';
import { appendEvent, lastEventSequence, listEvents, type NewEvent } from './events.ts';

/** Newest events that are looked at before another refusal is told. */
export const REFUSAL_LOOK_BACK = 64;
/** Refusals of one kind and of the same device or user among them: who repeats what is refused must not push out what happened to others. */
export const MAX_REFUSALS_AMONG = 8;
/** A refusal after such a pause is told whatever came before it. */
export const REFUSAL_PAUSE_MS = 3_600_000;

/** Tells of something that was refused and that anybody who may try can repeat; a few times, then not before others have had their turn or the time is over. */
export function appendRefusal(tx: WriteView, event: NewEvent): void {
  const newest = listEvents(tx, { after: Math.max(0, lastEventSequence(tx) - REFUSAL_LOOK_BACK), limit: REFUSAL_LOOK_BACK });
  const same = newest.filter(
    ({ type, deviceId, userGuid, timeMs }) =>
      type === event.type && deviceId === event.deviceId && userGuid === event.userGuid && Math.abs(event.timeMs - timeMs) < REFUSAL_PAUSE_MS,
  );
  if (same.length < MAX_REFUSALS_AMONG) appendEvent(tx, event);
}
