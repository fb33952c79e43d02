import { randomUUID } from 'node:crypto';
import { link, lstat, mkdir, rename, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { ProtocolError } from '@uemkit/protocol';

/** What every Unix takes; a longer path is cut by some without a word, and the socket stands in another place. */
const MAX_PATH_BYTES = 103;

/** True for a named pipe of Windows, which is no file. */
export function isPipe(path: string): boolean {
  return path.startsWith('\\\\.\\pipe\\') || path.startsWith('\\\\?\\pipe\\');
}

/**
 * Makes the folder of a socket (mode 0700), or sees that it is this user's and nobody else's: whoever cannot enter it cannot connect.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT`
 */
export async function ownFolder(path: string): Promise<void> {
  // check: F3.3 length of the path
  if (Buffer.byteLength(path) > MAX_PATH_BYTES)
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'the path of the socket is too long', { details: { path, maxBytes: MAX_PATH_BYTES } });
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  const isOwn = process.getuid === undefined || found.uid === process.getuid();
  if (!found.isDirectory() || !isOwn || (found.mode & 0o077) !== 0)
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'the folder of the socket is open to others', { details: { folder } });
}

/**
 * Removes what a process that ended badly left at `path`. It is moved aside first and looked at once more, so that of two processes that start at a time none removes
 * the socket of the other.
 * @throws ProtocolError `ERR_USAGE_STATE` when somebody listens there, `ERR_USAGE_ARGUMENT` when it is no socket
 */
export async function removeStale(path: string): Promise<void> {
  await requireStale(path, path);
  const aside = `${path}.${randomUUID().slice(0, 8)}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  try {
    await requireStale(aside, path);
  } catch (error) {
    await link(aside, path).catch(() => undefined);
    throw error;
  } finally {
    await unlink(aside);
  }
}

async function requireStale(path: string, named: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isSocket()) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'there is something else than a socket', { details: { path: named } });
  if (await isAnswered(path)) throw new ProtocolError('ERR_USAGE_STATE', 'another process listens there', { details: { path: named } });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => done(true));
    // Only a socket without a process refuses; one whose queue is full (EAGAIN) has one.
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'));
  });
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
