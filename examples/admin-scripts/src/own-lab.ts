import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LAB_SERVER = fileURLToPath(new URL('../../../packages/lab-server/src/bin.ts', import.meta.url));
const FROM_SOURCE = ['--conditions=@uemkit/source', '--import', 'tsx'];

/** A lab that runs as long as the script. */
export interface OwnLab {
  /** Its connection file. */
  readonly target: string;
  stop(): Promise<void>;
}

/**
 * Starts a lab server as a process of its own, with its data in `folder`: the next run finds the people and devices of this one.
 * @throws Error with what the server said when it does not start
 */
export async function startOwnLab(folder: string): Promise<OwnLab> {
  const data = join(folder, 'lab');
  const child = spawn(process.execPath, [...FROM_SOURCE, LAB_SERVER, 'start', '--data', data, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  // However the script ends, its lab ends too.
  process.once('exit', () => child.kill('SIGTERM'));
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const ended = once(child, 'exit');
  // Its first line says that it listens.
  const isUp = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)]);
  if (!isUp) throw new Error(`the lab server did not start: ${said}`);
  return {
    target: join(data, 'connection.json'),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
