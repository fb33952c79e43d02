import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isProtocolError, ProtocolError } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { type Connection, readConnection } from '../admin/connection-file.ts';
import { FLEET_FILE, FleetStore } from '../fleet/fleet-store.ts';
import { type AskServer, inspectDevice } from '../inspect/inspect-device.ts';
import { inspectionText } from '../inspect/inspection-text.ts';
import { type ServerSide, serverSide } from '../inspect/server-side.ts';
import type { CliIo } from './cli-io.ts';
import type { Command } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { FLAGS, textFlag } from './flags.ts';
import { RUNS, runFolders } from './run-folders.ts';

/** `inspect`: one device of a run. */
export const inspect: Command = {
  name: 'inspect',
  description: 'Shows one device of a run, also while it runs: activation, state, commands here and at the server, last 200 steps',
  args: {
    device: { type: 'positional', description: 'Its index, user id or device id', required: true },
    state: { type: 'string', valueHint: 'folder', description: `Folder of the run; the newest one in ${RUNS} unless set` },
    target: { ...FLAGS.target, description: 'Connection file that takes the place of the one that the run began with' },
    json: FLAGS.json,
  },
  examples: [
    ['device-emulator inspect 12', 'device 12 of the newest run'],
    ['device-emulator inspect 12 --state .device-emulator/rollout-1 --json', 'the same for a script'],
  ],
  async run(parsed, io) {
    const [wanted] = parsed.positionals;
    if (wanted === undefined) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'which device? give its index, user id or device id');
    const folder = folderOf(textFlag(parsed, 'state'), io);
    const store = new FleetStore(folder, { readOnly: true });
    try {
      const found = await inspectDevice(store, wanted, nodeCrypto(), (device, header) =>
        askServer(device, textFlag(parsed, 'target') ?? header.target, folder, io),
      );
      io.out(parsed.flags.json === true ? `${JSON.stringify(found)}\n` : inspectionText(found));
    } finally {
      await store.close();
    }
    return EXIT.ok;
  },
};

/** A run without a target has a lab server of its own in its folder, which is there while it runs. */
async function askServer(device: Parameters<AskServer>[0], target: string | undefined, folder: string, io: CliIo): Promise<ServerSide> {
  const file = target === undefined ? join(folder, 'lab', 'connection.json') : resolve(io.cwd, target);
  let connection: Connection;
  try {
    connection = readConnection(file);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return { unknown: `${error.message} (name another one with --target)` };
  }
  return serverSide(device, { connection, clock: systemClock(), entropy: nodeEntropy() });
}

function folderOf(given: string | undefined, io: CliIo): string {
  if (given !== undefined) {
    const folder = resolve(io.cwd, given);
    if (!existsSync(folder)) throw new ProtocolError('ERR_USAGE_ARGUMENT', `there is no folder ${given}`);
    if (!existsSync(join(folder, FLEET_FILE))) throw new ProtocolError('ERR_USAGE_ARGUMENT', `there is no run in ${given}: a run has a file ${FLEET_FILE}`);
    return folder;
  }
  const [newest] = runFolders(io);
  if (newest === undefined) throw new ProtocolError('ERR_USAGE_ARGUMENT', `there is no run in ${RUNS} here: name its folder with --state`);
  io.err(`run in ${newest}\n`);
  return resolve(io.cwd, newest);
}
