import { closeSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ProtocolError } from '@uemkit/protocol';

const LOCK_FILE = 'fleet.lock';
const MAX_TRIES = 3;

/**
 * Keeps a second process from running the same fleet: two would answer for the same devices. A lock whose process is gone (`kill -9`) is taken over.
 * @throws ProtocolError `ERR_USAGE_STATE` while another process holds it
 */
export function lockFleet(folder: string, processId: number): { release(): void } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, LOCK_FILE);
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    if (tryCreate(path, `${processId} ${startMark(processId)}\n`)) return { release: () => rmSync(path, { force: true }) };
    const found = read(path);
    const [holder = '', mark = ''] = found.trim().split(' ');
    if (isRunning(Number(holder), mark)) {
      throw new ProtocolError('ERR_USAGE_STATE', `process ${holder} runs the fleet in ${folder} already`, { details: { process: Number(holder) } });
    }
    takeAway(path, found, `${path}.${processId}`);
  }
  throw new ProtocolError('ERR_USAGE_STATE', `the lock of the fleet in ${folder} changes hands all the time`);
}

function tryCreate(path: string, content: string): boolean {
  try {
    const file = openSync(path, 'wx', 0o600);
    writeSync(file, content);
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return false;
    throw new ProtocolError('ERR_STORE_WRITE', 'the fleet cannot be locked', { cause: error });
  }
}

/** Removes the lock of a process that is gone, unless another one has just taken it over. */
function takeAway(path: string, stale: string, aside: string): void {
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (read(aside) !== stale) {
    try {
      linkSync(aside, path);
    } catch {
      // A third process was faster; it holds the lock.
    }
  }
  rmSync(aside, { force: true });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function isRunning(processId: number, mark: string): boolean {
  if (!Number.isSafeInteger(processId) || processId <= 0) return false;
  try {
    process.kill(processId, 0);
  } catch (error) {
    return (error as { code?: unknown }).code === 'EPERM';
  }
  // The number may have gone to another process since.
  return mark === '-' || startMark(processId) === mark;
}

/** Start time of a process where the platform tells it (Linux), so that a number that was given out again is not taken for the holder. */
function startMark(processId: number): string {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    // Field 22; the name in field 2 may hold spaces and ends with the last parenthesis.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '-';
  } catch {
    return '-';
  }
}
