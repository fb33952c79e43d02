import { fork } from 'node:child_process';
import type { Held, HoldTask } from './hold.ts';

/** Runs one task of `hold.ts` in a process of its own. */
export function hold(task: HoldTask): Promise<Held> {
  const child = fork('bench/hold.ts', [], {
    execArgv: ['--expose-gc', '--conditions=@uemkit/source', '--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    let held: Held | undefined;
    child.once('message', (message) => {
      held = message as Held;
    });
    child.once('error', reject);
    child.once('exit', (code) => (held !== undefined ? resolve(held) : reject(new Error(`the client process ended with ${code}`))));
    child.send(task);
  });
}
