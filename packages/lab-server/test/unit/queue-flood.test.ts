import { toHex } from '@uemkit/protocol';
import { seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { expect, it } from 'vitest';
import { sized } from '../../../../scripts/lib/test-sizes.ts';
import { AdminProblem } from '../../src/admin/problem.ts';
import { applyManagement, decideManagement } from '../../src/roles/uem/manage-device.ts';
import { MAX_OPEN_COMMANDS } from '../../src/state/commands.ts';
import { type DeviceRecord, deviceById } from '../../src/state/devices.ts';
import { AdminLab } from '../support/admin-lab.ts';

const COMMANDS = sized(10_000, 100_000);
const AT_ONCE = 5_000;

it(`${COMMANDS} commands for one device: as many as the queue holds are taken, the others refused, and what was taken drains in order`, async () => {
  const lab = await AdminLab.start();
  await lab.addDevice(await lab.admin.createUser({ username: 'alice' }), 'd1');
  const taken: string[] = [];
  let refused = 0;
  const send = async (): Promise<void> => {
    try {
      taken.push((await lab.admin.sendCommand('d1', { type: 'LOCK_DEVICE' })).commandId);
    } catch (error) {
      if (!(error instanceof AdminProblem) || error.id !== 'QUEUE_FULL') throw error;
      refused += 1;
    }
  };
  for (let sent = 0; sent < COMMANDS; sent += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, send));
  expect([taken.length, refused]).toEqual([MAX_OPEN_COMMANDS, COMMANDS - MAX_OPEN_COMMANDS]);
  expect([...lab.admin.commands('d1')].map(({ commandId }) => commandId)).toEqual(taken);
  // A refused command leaves no record and no event behind.
  expect((await lab.ask('GET', '/events?limit=1')).json.last).toBe(lab.position(MAX_OPEN_COMMANDS + 1));

  const surroundings = { entropy: seededEntropy('flood'), nowMs: lab.clock.nowMs() };
  const drained: string[] = [];
  let frame = wire.poll.encode({ reason: 'request' });
  for (;;) {
    const asked = frame;
    const answer = await lab.store.transaction((tx) => {
      const device = deviceById(tx, 'd1') as DeviceRecord;
      const reply = decideManagement(tx, asked, device, surroundings.nowMs);
      applyManagement(tx, reply, device, surroundings);
      return wire.parseFrame(reply.frame);
    });
    if (answer.name !== 'command') break;
    const { commandId } = wire.command.decode(answer);
    drained.push(toHex(commandId));
    frame = wire.commandResult.encode({ commandId, status: 'done' });
  }
  expect(drained).toEqual(taken);
});
