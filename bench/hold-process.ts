import { type ChildProcess, fork } from 'node:child_process';
import type { Held, HoldTask, Slice } from './hold.ts';

/** A client process that holds its devices. */
export interface HoldingProcess extends Held {
  /** CPU of a warm poll, µs, over one slice of polls. */
  slice(): Promise<number>;
  end(): Promise<void>;
}

/** Starts a task of `hold.ts` in a process of its own, which stays until `end`. */
export async function holding(task: HoldTask): Promise<HoldingProcess> {
  const child = fork('bench/hold.ts', [], {
    execArgv: ['--expose-gc', '--conditions=@uemkit/source', '--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const { memoryKiB } = await ask<Held>(child, task);
  return {
    memoryKiB,
    slice: async () => (await ask<Slice>(child, 'slice')).pollMicros,
    async end() {
      child.send('end');
      await exited;
    },
  };
}

/** Runs one task of `hold.ts` to its end in a process of its own. */
export async function hold(task: HoldTask): Promise<Held> {
  const process = await holding(task);
  await process.end();
  return process;
}

function ask<Answer>(child: ChildProcess, message: HoldTask | 'slice'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`the client process ended with ${code}`));
    child.once('exit', ended);
    child.once('error', reject);
    child.once('message', (answer) => {
      child.off('exit', ended);
      child.off('error', reject);
      resolve(answer as Answer);
    });
    child.send(message);
  });
}
