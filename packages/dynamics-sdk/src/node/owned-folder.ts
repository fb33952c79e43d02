import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProtocolError } from '@uemkit/protocol';

const MARK = 'container.pid';

/**
 * Takes a folder, which is made when it is missing, for this process. The mark of a process that was killed does not count.
 * @returns a function that gives it back
 * @throws ProtocolError `ERR_USAGE_STATE` when a running process has it
 */
export function takeFolder(directory: string): () => void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const mark = join(directory, MARK);
  for (;;) {
    try {
      writeFileSync(mark, `${process.pid}`, { mode: 0o600, flag: 'wx' });
      return () => rmSync(mark, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = Number(readFileSync(mark, 'utf8'));
    // check: one process at a time
    if (owner > 0 && alive(owner)) throw new ProtocolError('ERR_USAGE_STATE', `process ${owner} has the container open`, { details: { pid: owner } });
    rmSync(mark, { force: true });
  }
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
