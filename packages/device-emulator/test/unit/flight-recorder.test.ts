import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProtocolError } from '@uemkit/protocol';
import { type FakeClock, fakeClock } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FleetStore } from '../../src/fleet/fleet-store.ts';
import { FlightRecorder, MAX_RECORDED_STEPS, MAX_WAITING_STEPS, recordedSteps } from '../../src/fleet/flight-recorder.ts';
import { allOf, type StepNote } from '../../src/trace/step-sink.ts';

let folder: string;
let store: FleetStore;
let clock: FakeClock;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recorder-'));
  store = new FleetStore(folder);
  clock = fakeClock(0);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const note = (message: string, fields: Partial<StepNote> = {}): StepNote => ({ timeMs: 1, from: 'device', to: 'device', message, ...fields });
const names = (index: number): readonly string[] => recordedSteps(store, index).map(({ message }) => message);

describe('the flight recorder', () => {
  it('keeps the last steps in order, over many checkpoints and starts', async () => {
    const all: string[] = [];
    for (let start = 0; start < 9; start++) {
      const recorder = new FlightRecorder({ store, clock });
      for (let part = 0; part < 4; part++) {
        for (let one = 0; one < 1 + ((start * 7 + part * 5) % 41); one++) {
          all.push(`step ${all.length}`);
          recorder.device(3).noted(note(all.at(-1) as string));
        }
        await recorder.checkpoint();
        expect(names(3)).toEqual(all.slice(-MAX_RECORDED_STEPS));
      }
      await recorder.close();
    }
    expect(all.length).toBeGreaterThan(2 * MAX_RECORDED_STEPS);
    expect(names(4)).toEqual([]);
  });

  it('keeps the newest of more steps at once than it has room for', async () => {
    const recorder = new FlightRecorder({ store, clock });
    for (let one = 0; one < 1_000; one++) recorder.device(0).noted(note(`step ${one}`));
    await recorder.close();
    expect(names(0)).toHaveLength(MAX_RECORDED_STEPS);
    expect(names(0).at(-1)).toBe('step 999');
    expect(names(0)[0]).toBe('step 800');
  });

  it('notes names, sizes and troubles of messages, and nothing of what they say', async () => {
    const recorder = new FlightRecorder({ store, clock });
    const sink = allOf([undefined, recorder.device(0), recorder.device(1)]);
    const frame = wire.poll.encode({ reason: 'schedule', pushToken: new Uint8Array(32).fill(0xa7) });
    sink?.message({ step: 'F5.3', from: 'device-0', to: 'uem', frame, timeMs: 5 });
    sink?.message({ step: 'F5.3', from: 'uem', to: 'device-0', frame: wire.alert.encode({ code: 'revoked' }), timeMs: 6 });
    sink?.noted(note('poll failed', { trouble: 'retry', reason: 'x'.repeat(500) }));
    await recorder.close();
    const [poll, alert, failed] = recordedSteps(store, 0);
    expect(poll).toEqual({ atMs: 5, step: 'F5.3', from: 'device', to: 'uem', message: 'poll', bytes: frame.length });
    expect(alert).toMatchObject({ message: 'alert', trouble: 'refused' });
    expect(failed?.reason).toHaveLength(120);
    expect(recordedSteps(store, 1)).toHaveLength(3);
    expect(allOf([undefined])).toBeUndefined();
  });

  it('writes while devices are at work, sooner after a failure, and holds no timer at rest', async () => {
    const recorder = new FlightRecorder({ store, clock });
    recorder.device(0).noted(note('first'));
    await clock.advance(1_000);
    expect(names(0)).toEqual([]);
    await clock.advance(4_000);
    await recorder.checkpoint();
    expect(names(0)).toEqual(['first']);
    recorder.device(0).noted(note('second'));
    recorder.device(0).noted(note('broken', { trouble: 'failed' }));
    await clock.advance(250);
    expect(clock.pendingTimers).toBe(0);
    await recorder.checkpoint();
    expect(names(0)).toEqual(['first', 'second', 'broken']);
  });

  it('writes at once when very much waits', async () => {
    const recorder = new FlightRecorder({ store, clock });
    for (let one = 0; one < MAX_WAITING_STEPS; one++) recorder.device(one % 50).noted(note('x'));
    await expect.poll(() => names(49).length).toBe(MAX_RECORDED_STEPS);
    await recorder.close();
  });

  it('does not end a run whose disk is full, and goes on when there is room again', async () => {
    const recorder = new FlightRecorder({ store, clock });
    const commit = store.commit.bind(store);
    store.commit = () => Promise.reject(new ProtocolError('ERR_STORE_WRITE', 'full'));
    for (let one = 0; one < 300; one++) recorder.device(0).noted(note('lost'));
    await recorder.checkpoint();
    store.commit = commit;
    recorder.device(0).noted(note('kept'));
    await recorder.close();
    expect(names(0)).toEqual(['kept']);
  });

  it('says so when what is kept is damaged', async () => {
    await store.commit('recorder/000007/', [{ key: '0', value: new Uint8Array([1, 2]) }]);
    expect(() => recordedSteps(store, 7)).toThrow(expect.objectContaining({ code: 'ERR_STORE_READ' }));
  });
});
