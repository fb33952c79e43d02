import { fork } from 'node:child_process';
import { once } from 'node:events';
import { ProtocolError } from '@uemkit/protocol';

/** How long an own process may take to start, and to stop before it is ended. */
const START_MS = 60_000;
const STOP_MS = 10_000;

/** Resolves when the process that started this one lets go of it, on purpose or because it was killed; at once when that was before this one could look. */
export function released(): Promise<void> {
  if (!process.connected) return Promise.resolve();
  return new Promise((resolve) => process.once('disconnect', () => resolve()));
}

/** What an own process tells first. */
export type OwnMessage = { readonly type: 'ready' } | { readonly type: 'failed'; readonly message: string };

/** This program once more, in another role. */
export interface OwnProcess<Ready> {
  readonly ready: Ready;
  readonly processId: number;
  stop(): Promise<void>;
}

/**
 * Starts this program in another role, in a process of its own. It ends with this process, also when this one is killed.
 * @throws ProtocolError `ERR_USAGE_STATE` when it does not start
 */
export async function startOwnProcess<Message extends OwnMessage>(
  binFile: string,
  args: readonly string[],
  what: string,
): Promise<OwnProcess<Extract<Message, { readonly type: 'ready' }>>> {
  const child = fork(binFile, args, {
    execArgv: process.execArgv,
    // A group of its own: Ctrl-C is for the emulator, which stops its servers when the devices are through.
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const answer = new Promise<OwnMessage>((resolve) => {
    child.once('message', (message) => resolve(message as Message));
    child.once('error', (error) => resolve({ type: 'failed', message: error.message }));
    child.once('exit', (code) => resolve({ type: 'failed', message: `its process ended with ${code}` }));
  });
  const patience = setTimeout(() => child.kill('SIGKILL'), START_MS);
  const started = await answer;
  clearTimeout(patience);
  if (started.type === 'failed') {
    child.kill('SIGKILL');
    throw new ProtocolError('ERR_USAGE_STATE', `${what} did not start: ${started.message}`);
  }
  return {
    ready: started as Extract<Message, { readonly type: 'ready' }>,
    processId: child.pid ?? 0,
    async stop() {
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      if (child.connected) child.disconnect();
      await exited;
      clearTimeout(late);
    },
  };
}
