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
  const child = startClient('bench/hold.ts');
  const { memoryKiB } = await child.ask<Held>(task);
  return { memoryKiB, slice: async () => (await child.ask<Slice>('slice')).pollMicros, end: () => child.end() };
}

/** Runs one task of `hold.ts` to its end in a process of its own. */
export async function hold(task: HoldTask): Promise<Held> {
  const process = await holding(task);
  await process.end();
  return process;
}

/** A client process that answers one message after the other. */
export interface ClientProcess {
  /** @throws Error when the process ends instead */
  ask<Answer>(message: object | string): Promise<Answer>;
  end(): Promise<void>;
}

const FROM_SOURCE = ['--conditions=@uemkit/source', '--import', 'tsx'];

/** Starts a script that answers messages; `end` is its last one. `flags`: what Node needs for it, besides. */
export function startClient(script: string, flags: readonly string[] = FROM_SOURCE): ClientProcess {
  const child = fork(script, [], {
    execArgv: ['--expose-gc', ...flags],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    ask: (message) => ask(child, message),
    async end() {
      child.send('end');
      await exited;
    },
  };
}

function ask<Answer>(child: ChildProcess, message: object | string): Promise<Answer> {
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
