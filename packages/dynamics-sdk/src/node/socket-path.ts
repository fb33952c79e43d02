import { lstat, mkdir, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { ProtocolError } from '@uemkit/protocol';

/** What every Unix takes; a longer path is cut by some without a word, and the socket stands in another place. */
const MAX_PATH_BYTES = 103;

/**
 * Makes room for a local socket: its folder is this user's and closed to everybody else, since whoever cannot enter it cannot connect, and what a process that ended badly
 * left there is gone. A named pipe of Windows is no file.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT`, `ERR_USAGE_STATE` when somebody listens there
 */
export async function freeSocketPath(path: string): Promise<void> {
  if (path.startsWith('\\\\.\\pipe\\') || path.startsWith('\\\\?\\pipe\\')) return;
  // check: F3.4 length of the path
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'the path of the socket is too long', { details: { path, maxBytes: MAX_PATH_BYTES } });
  }
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  const isOwn = process.getuid === undefined || found.uid === process.getuid();
  // check: F3.4 the folder is closed to others
  if (!found.isDirectory() || !isOwn || (found.mode & 0o077) !== 0) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'the folder of the socket is open to others', { details: { folder } });
  }
  const old = await lstat(path).catch(unlessMissing);
  if (old === undefined) return;
  if (!old.isSocket()) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'there is something else than a socket', { details: { path } });
  if (await isAnswered(path)) throw new ProtocolError('ERR_USAGE_STATE', 'another process listens there', { details: { path } });
  await unlink(path).catch(unlessMissing);
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

function unlessMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  return undefined;
}
