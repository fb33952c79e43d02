import { fork } from 'node:child_process';
import { once } from 'node:events';
import { ProtocolError } from '@uemkit/protocol';
import { parseConnection } from '../admin/connection-file.ts';
import type { OwnLab } from './cli-io.ts';
import { LAB_COMMAND, type LabMessage } from './lab-child.ts';

/** How long a lab server may take to start, and to stop before it is ended. */
const START_MS = 60_000;
const STOP_MS = 10_000;

/**
 * Starts a lab server in a process of its own. It ends with this process, also when this one is killed.
 * @throws ProtocolError `ERR_USAGE_STATE` when it does not start
 */
export async function startLabProcess(binFile: string, folder: string): Promise<OwnLab> {
  const child = fork(binFile, [LAB_COMMAND, folder], {
    execArgv: process.execArgv,
    // A group of its own: Ctrl-C is for the emulator, which stops its server when the devices are through.
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const answer = new Promise<LabMessage>((resolve) => {
    child.once('message', (message) => resolve(message as LabMessage));
    child.once('error', (error) => resolve({ type: 'failed', message: error.message }));
    child.once('exit', (code) => resolve({ type: 'failed', message: `its process ended with ${code}` }));
  });
  const patience = setTimeout(() => child.kill('SIGKILL'), START_MS);
  const started = await answer;
  clearTimeout(patience);
  if (started.type === 'failed') {
    child.kill('SIGKILL');
    throw new ProtocolError('ERR_USAGE_STATE', `the lab server did not start: ${started.message}`);
  }
  return {
    connection: parseConnection(JSON.stringify(started.connection), folder),
    processId: child.pid ?? 0,
    async stop() {
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      if (child.connected) child.disconnect();
      await exited;
      clearTimeout(late);
    },
  };
}
