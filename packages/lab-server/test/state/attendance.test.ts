import { describe, expect, it } from 'vitest';
import { ATTENDANCE_STEP_MS, type AttendanceRecord, attend, attendanceIsDue, GAP_MS, MAX_GAPS, silentSince } from '../../src/state/attendance.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;
const START_MS = Date.UTC(2026, 0, 1);

/** UEM that is there at these times, in their order. */
async function thereAt(...timesMs: readonly number[]): Promise<{ readonly attendance: AttendanceRecord; readonly store: MemoryStore }> {
  const store = new MemoryStore();
  let attendance: AttendanceRecord | undefined;
  for (const timeMs of timesMs) attendance = await store.transaction((tx) => attend(tx, timeMs));
  return { attendance: attendance as AttendanceRecord, store };
}

describe('when UEM was there', () => {
  it('is written now and then, and not with every contact', async () => {
    const { store } = await thereAt(START_MS, START_MS + 1, START_MS + ATTENDANCE_STEP_MS - 1);
    expect(store.commits).toBe(1);
    expect(store.read((view) => attendanceIsDue(view, START_MS + ATTENDANCE_STEP_MS))).toBe(true);
  });

  it('silence of a device counts while UEM is there', async () => {
    const hourly = Array.from({ length: 100 }, (_, hour) => START_MS + hour * (HOUR_MS - 1));
    const { attendance } = await thereAt(...hourly);
    expect(attendance.gaps).toEqual([]);
    expect(silentSince(attendance, START_MS + 5, hourly.at(-1) as number)).toBe(START_MS + 5);
  });

  it('time without UEM, or that its clock leapt over, is no silence', async () => {
    const { attendance } = await thereAt(START_MS, START_MS + YEAR_MS);
    const nowMs = START_MS + YEAR_MS + DAY_MS;
    expect(nowMs - silentSince(attendance, START_MS, nowMs)).toBe(DAY_MS);
    expect(nowMs - silentSince(attendance, START_MS - DAY_MS, nowMs)).toBe(2 * DAY_MS);
    // Contact after it: nothing is taken off.
    expect(silentSince(attendance, START_MS + YEAR_MS + HOUR_MS, nowMs)).toBe(START_MS + YEAR_MS + HOUR_MS);
    // Contact inside it, before UEM had noticed: only what is left of it.
    expect(silentSince(attendance, START_MS + YEAR_MS - HOUR_MS, nowMs)).toBe(START_MS + YEAR_MS);
  });

  it('a clock that is set back takes its gap along, and contacts that it dated into the future are of the time before', async () => {
    const backMs = START_MS + HOUR_MS;
    const { attendance } = await thereAt(START_MS, START_MS + YEAR_MS, backMs);
    expect(attendance).toMatchObject({ gaps: [], setBackAtMs: backMs, untilMs: backMs });
    const nowMs = backMs + 3 * DAY_MS;
    expect(silentSince(attendance, START_MS + YEAR_MS, nowMs)).toBe(backMs);
    expect(silentSince(attendance, START_MS, nowMs)).toBe(START_MS);
    expect(silentSince({ gaps: [], untilMs: nowMs }, nowMs + 5, nowMs)).toBe(nowMs);
  });

  it('an hour back, as with a wrong time zone, is a clock that was set back; less is not', async () => {
    expect((await thereAt(START_MS, START_MS - GAP_MS)).attendance.setBackAtMs).toBe(START_MS - GAP_MS);
    expect((await thereAt(START_MS, START_MS - GAP_MS + 1)).attendance).toEqual({ untilMs: START_MS, gaps: [] });
  });

  it('remembers a bounded number of gaps, and none of their time is lost', async () => {
    const times = Array.from({ length: 3 * MAX_GAPS }, (_, gap) => START_MS + gap * 2 * HOUR_MS);
    const { attendance } = await thereAt(...times);
    expect(attendance.gaps).toHaveLength(MAX_GAPS);
    expect(attendance.gaps.reduce((sum, { missedMs }) => sum + missedMs, 0)).toBe((times.length - 1) * 2 * HOUR_MS);
    expect(silentSince(attendance, START_MS, times.at(-1) as number)).toBe(times.at(-1));
  });
});
