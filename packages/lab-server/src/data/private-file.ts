import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ProtocolError } from '@uemkit/protocol';

/**
 * Writes a file that only its owner may read. Readers see the old content or the new one, never a part; it survives a crash when this returns.
 * @throws ProtocolError `ERR_STORE_WRITE`
 */
export function writePrivateFile(path: string, content: string): void {
  const next = `${path}.${process.pid}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = openSync(next, 'w', 0o600);
    try {
      // Not `writeSync`: on a full disk that writes a part and says nothing.
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(next, path);
  } catch (cause) {
    rmSync(next, { force: true });
    throw new ProtocolError('ERR_STORE_WRITE', `${path} cannot be written`, { cause });
  }
}

/** Content of a file, or undefined when there is none. @throws ProtocolError `ERR_STORE_READ` */
export function readFileIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ProtocolError('ERR_STORE_READ', `${path} cannot be read`, { cause });
  }
}
