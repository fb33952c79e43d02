import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProtocolError } from '@uemkit/protocol';

/**
 * Marks a folder as used by this process; two processes on one state would overwrite each other. The mark of a process that was
 * killed does not count. Returns a function that takes the mark away.
 * @throws ProtocolError `ERR_USAGE_STATE` when a running process has it
 */
export function ownFolder(directory: string): () => void {
  const path = join(directory, 'owner.pid');
  const owner = readOwner(path);
  if (owner !== undefined && owner !== process.pid && isRunning(owner)) {
    throw new ProtocolError('ERR_USAGE_STATE', `process ${owner} uses ${directory} already; end it first, or take another folder`, { details: { pid: owner } });
  }
  writeFileSync(path, String(process.pid), { mode: 0o600 });
  return () => {
    if (readOwner(path) === process.pid) rmSync(path, { force: true });
  };
}

function readOwner(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
