import { describe, expect, it } from 'vitest';
import { MANAGEMENT_KEYS, restoreManagementState } from '../../../src/index.ts';
import { writeAnswered, writeOpenCommand, writePushToken, writeSchedule } from '../../../src/machine/exchange/journal.ts';
import type * as wire from '../../../src/wire/index.ts';
import { id, NOW_MS } from './device-bench.ts';

const command: wire.Command = { commandId: id(1), type: 'LOCK_DEVICE', properties: { message: 'hello' }, issuedAtEpochS: NOW_MS / 1000 };
const result: wire.CommandResult = { commandId: id(1), status: 'failed', message: 'no' };

function restore(...writes: readonly { readonly key: string; readonly value: Uint8Array | null }[]): ReturnType<typeof restoreManagementState> {
  const store = new Map(writes.flatMap(({ key, value }) => (value === null ? [] : [[key, value]])));
  return restoreManagementState((key) => store.get(key));
}

describe('journal of commands', () => {
  it('gives back what was written', () => {
    const open = { phase: 'done', command, result, leaveByEpochS: 1_800_000_000, leaving: true } as const;
    const state = restore(
      writeOpenCommand(open),
      writeAnswered([{ commandId: id(2), status: 'done' }]),
      writeSchedule({ pollIntervalS: 60, pollJitterS: 0 }),
      writePushToken(new Uint8Array(16)),
    );
    expect(state).toEqual({
      open,
      answered: [{ commandId: id(2), status: 'done' }],
      schedule: { pollIntervalS: 60, pollJitterS: 0 },
      pushToken: new Uint8Array(16),
    });
    expect(restore(writeOpenCommand({ phase: 'started', command, leaving: false })).open).toEqual({ phase: 'started', command, leaving: false });
  });

  it('is empty on a new device', () => {
    expect(restore(writeOpenCommand(undefined))).toEqual({ answered: [] });
  });

  it.each([
    ['damaged bytes', { key: MANAGEMENT_KEYS.open, value: Uint8Array.of(0xff) }],
    ['a result before it is done', writeOpenCommand({ phase: 'started', command, result, leaving: false })],
    ['done without a result', writeOpenCommand({ phase: 'done', command, leaving: false })],
    ['a token of another length', { key: MANAGEMENT_KEYS.pushToken, value: new Uint8Array(3) }],
  ])('is not read with %s', (_name, write) => {
    expect(() => restore(write)).toThrow(expect.objectContaining({ code: 'ERR_STORE_READ' }));
  });
});
