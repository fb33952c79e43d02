import { answerManagement, fromHex, toHex } from '@uemkit/protocol';
import { seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { applyManagement } from '../../src/roles/uem/manage-device.ts';
import {
  cancelCommand,
  cancelOpenCommands,
  commandById,
  deleteCommands,
  enqueueCommand,
  finishCommand,
  listCommands,
  queueOf,
} from '../../src/state/command-queue.ts';
import { type CommandRecord, MAX_FINISHED_COMMANDS, MAX_OPEN_COMMANDS } from '../../src/state/commands.ts';
import type { DeviceRecord } from '../../src/state/devices.ts';
import { allOpenCommands, openCommandCount } from '../../src/state/open-commands.ts';
import type { WriteView } from '../../src/store/lab-store.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

let store: MemoryStore;
const idOf = (n: number): string => n.toString(16).padStart(32, '0');
const add = (tx: WriteView, n: number, deviceId = 'd'): CommandRecord | undefined =>
  enqueueCommand(tx, { commandId: idOf(n), deviceId, type: 'LOCK_DEVICE', properties: { n } }, 1_000 + n);
const finish = (tx: WriteView, n: number): boolean => finishCommand(tx, commandById(tx, 'd', idOf(n)) as CommandRecord, { state: 'done', finishedAtMs: 5_000 });

beforeEach(() => {
  store = new MemoryStore();
});

describe('queue of a device', () => {
  it('lists commands in the order in which they were given, each device apart', async () => {
    await store.transaction((tx) => {
      for (let n = 0; n < 12; n++) add(tx, n, n % 2 === 0 ? 'd' : 'd2');
    });
    expect(store.read((view) => allOpenCommands(view, 'd').map((entry) => entry.commandId))).toEqual([0, 2, 4, 6, 8, 10].map(idOf));
    expect(store.read((view) => queueOf(view, 'd').map((entry) => [toHex(entry.commandId), entry.properties]))).toEqual([0, 2].map((n) => [idOf(n), { n }]));
    const page = store.read((view) => listCommands(view, 'd', { limit: 4 }));
    expect(page.map((command) => command.sequence)).toEqual([1, 2, 3, 4]);
    expect(store.read((view) => listCommands(view, 'd', { after: 4, limit: 4 })).map((command) => command.commandId)).toEqual([idOf(8), idOf(10)]);
  });

  it('shows a part of itself that leads to the same answers as the whole', async () => {
    const types = ['LOCK_DEVICE', 'UPDATE_PROFILES', 'REQUEST_DEVICE_INFO'] as const;
    const step = fc.oneof(
      fc.record({
        do: fc.constant('add' as const),
        type: fc.constantFrom(...types),
        lifeMs: fc.option(fc.integer({ min: 1, max: 40_000 }), { nil: undefined }),
      }),
      fc.record({ do: fc.constant('poll' as const) }),
      fc.record({ do: fc.constant('result' as const), status: fc.constantFrom('done', 'failed', 'deferred') }),
      fc.record({ do: fc.constant('wait' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        await new MemoryStore().transaction((tx) => {
          let nowMs = 1_000_000;
          const schedule = { pollIntervalS: 1, pollJitterS: 0 };
          const device = { deviceId: 'd', userGuid: 'u', keyId: 'k', status: 'active', createdAtMs: 1 } as DeviceRecord;
          let inHand: Uint8Array = new Uint8Array(16);
          const answer = (frame: Uint8Array): void => {
            const whole = allOpenCommands(tx, 'd').map((open) => ({ ...open, commandId: fromHex(open.commandId), properties: {} }));
            const expected = answerManagement(frame, whole, nowMs, { schedule });
            const actual = answerManagement(frame, queueOf(tx, 'd'), nowMs, { schedule });
            expect(actual).toEqual(expected);
            applyManagement(tx, actual, device, { entropy: seededEntropy('queue'), nowMs });
            inHand = actual.commandId ?? inHand;
          };
          for (const [n, one] of steps.entries()) {
            nowMs += 1_000;
            if (one.do === 'wait') nowMs += 20_000;
            if (one.do === 'add') {
              const expiresAtMs = one.lifeMs === undefined ? undefined : nowMs + one.lifeMs;
              enqueueCommand(tx, { commandId: idOf(n), deviceId: 'd', type: one.type, properties: {}, expiresAtMs }, nowMs);
            }
            if (one.do === 'poll') answer(wire.poll.encode({ reason: 'schedule' }));
            if (one.do === 'result') {
              const { status } = one as { readonly status: wire.CommandStatus };
              answer(
                wire.commandResult.encode({
                  commandId: inHand,
                  status,
                  message: status === 'failed' ? 'm' : undefined,
                  retryAfterS: status === 'deferred' ? 10 : undefined,
                }),
              );
            }
          }
        });
      }),
    );
  });

  it('is bounded', async () => {
    await store.transaction((tx) => {
      for (let n = 0; n < MAX_OPEN_COMMANDS; n++) expect(add(tx, n)).toBeDefined();
      expect(add(tx, MAX_OPEN_COMMANDS)).toBeUndefined();
      finish(tx, 3);
      expect(add(tx, MAX_OPEN_COMMANDS)).toBeDefined();
      expect(openCommandCount(tx, 'd')).toBe(MAX_OPEN_COMMANDS);
    });
  });

  it('keeps only the last finished commands, in the order of their end', async () => {
    await store.transaction((tx) => {
      for (let n = 0; n < MAX_FINISHED_COMMANDS + 3; n++) add(tx, n);
      // The first one given ends last.
      for (let n = MAX_FINISHED_COMMANDS + 2; n >= 0; n--) finish(tx, n);
      const kept = listCommands(tx, 'd', { limit: 1_000 }).map((command) => command.commandId);
      expect(kept).toEqual(Array.from({ length: MAX_FINISHED_COMMANDS }, (_, n) => idOf(n)));
      expect(commandById(tx, 'd', idOf(MAX_FINISHED_COMMANDS + 1))).toBeUndefined();
    });
  });

  it('ends a command once', async () => {
    await store.transaction((tx) => {
      add(tx, 1);
      const command = commandById(tx, 'd', idOf(1)) as CommandRecord;
      expect(finishCommand(tx, command, { state: 'done', finishedAtMs: 1 })).toBe(true);
      expect(finishCommand(tx, command, { state: 'failed', finishedAtMs: 2 })).toBe(false);
      expect(commandById(tx, 'd', idOf(1))?.state).toBe('done');
      expect(cancelCommand(tx, 'd', idOf(1), 'late', 3)).toBeUndefined();
      expect(openCommandCount(tx, 'd')).toBe(0);
    });
  });

  it('leaves nothing behind when its device is forgotten', async () => {
    await store.transaction((tx) => add(tx, 500, 'other'));
    const before = store.read((view) => view.range({ prefix: 'command', limit: 10_000 }).map((entry) => entry.key));
    await store.transaction((tx) => {
      for (let n = 0; n < 100; n++) add(tx, n);
      for (let n = 0; n < 80; n++) finish(tx, n);
      cancelOpenCommands(tx, 'd', 'gone', 9);
      expect(queueOf(tx, 'd')).toEqual([]);
      add(tx, 200);
      deleteCommands(tx, 'd');
    });
    expect(store.read((view) => view.range({ prefix: 'command', limit: 10_000 }).map((entry) => entry.key))).toEqual(before);
  });
});
