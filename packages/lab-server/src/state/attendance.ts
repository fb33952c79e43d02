import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type Table, table } from './table.ts';

/** A time in which no device could reach UEM, or in which the clock of UEM was set forward: the two look the same from inside. */
export interface AttendanceGap {
  readonly endedAtMs: number;
  readonly missedMs: number;
}

/** When UEM was there, by its own wall clock. */
export interface AttendanceRecord {
  readonly untilMs: number;
  /** Oldest first. BOUNDED by MAX_GAPS. */
  readonly gaps: readonly AttendanceGap[];
  /** When the clock was last found set back. */
  readonly setBackAtMs?: number | undefined;
  /** Devices up to this id were looked at since: what was planned for them was planned by the clock that was ahead. Absent: all were. */
  readonly lookedAtUpTo?: string | undefined;
}

/** How often it is written that UEM is there. */
export const ATTENDANCE_STEP_MS = 900_000;
/** From so much on, what is missing is a gap; a clock that goes back by as much was set back. */
export const GAP_MS = 3_600_000;
/** Gaps that are remembered; the two oldest become one. */
export const MAX_GAPS = 32;

const attendances: Table<AttendanceRecord> = table('attendance');
const THIS = 'this';

/** True when `attend` has something to write. */
export function attendanceIsDue(view: ReadView, nowMs: number): boolean {
  const known = attendances.get(view, THIS);
  return known === undefined || nowMs - known.untilMs >= ATTENDANCE_STEP_MS || known.untilMs - nowMs >= GAP_MS;
}

/** UEM is there now; gives when it was. */
export function attend(tx: WriteView, nowMs: number): AttendanceRecord {
  const known = attendances.get(tx, THIS);
  if (known !== undefined && !attendanceIsDue(tx, nowMs)) return known;
  const next = known === undefined ? { untilMs: nowMs, gaps: [] } : continued(known, nowMs);
  attendances.put(tx, THIS, next);
  return next;
}

/** The id after which devices have to be looked at because the clock was set back; undefined: none. */
export function lookAtAfter(view: ReadView): string | undefined {
  return attendances.get(view, THIS)?.lookedAtUpTo;
}

/** Devices up to this id were looked at since the clock was set back; undefined: all of them. */
export function lookedAt(tx: WriteView, upTo: string | undefined): void {
  const known = attendances.get(tx, THIS);
  if (known !== undefined) attendances.put(tx, THIS, { ...known, lookedAtUpTo: upTo });
}

/**
 * Since when a device has been silent, as far as it could have spoken: what is missing in the attendance of UEM is no silence of the device, and a contact
 * that a clock has dated into the future was before that clock was set back. Pure.
 */
export function silentSince({ gaps, setBackAtMs }: AttendanceRecord, lastContactMs: number, nowMs: number): number {
  const lastMs = lastContactMs <= nowMs ? lastContactMs : Math.min(setBackAtMs ?? nowMs, nowMs);
  let missedMs = 0;
  for (const gap of gaps) if (gap.endedAtMs > lastMs) missedMs += Math.min(gap.missedMs, gap.endedAtMs - lastMs);
  return Math.min(nowMs, lastMs + missedMs);
}

function continued({ untilMs, gaps, ...rest }: AttendanceRecord, nowMs: number): AttendanceRecord {
  // Gaps that end in the future are of the clock that was ahead.
  if (nowMs < untilMs) return { untilMs: nowMs, gaps: gaps.filter(({ endedAtMs }) => endedAtMs <= nowMs), setBackAtMs: nowMs, lookedAtUpTo: '' };
  const missedMs = nowMs - untilMs;
  return { ...rest, untilMs: nowMs, gaps: missedMs < GAP_MS ? gaps : bounded([...gaps, { endedAtMs: nowMs, missedMs }]) };
}

function bounded(gaps: readonly AttendanceGap[]): readonly AttendanceGap[] {
  const [first, second, ...rest] = gaps;
  if (gaps.length <= MAX_GAPS || first === undefined || second === undefined) return gaps;
  return [{ endedAtMs: second.endedAtMs, missedMs: first.missedMs + second.missedMs }, ...rest];
}
