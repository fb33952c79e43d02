import { close, constants, fdatasync, ftruncate, open, write } from 'node:fs';
import { open as openFolder, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

/** A file of the log. */
export interface LogFile {
  /** Resolves when the bytes are on the disk, at this place. */
  write(bytes: Buffer, position: number): Promise<void>;
  /** Cuts off what stands behind this length. */
  truncate(lengthBytes: number): Promise<void>;
  close(): Promise<void>;
}

/** Where files of the log come from. */
export interface LogFiles {
  /** An empty file, for its owner only; when it resolves its name is on the disk, too. */
  create(path: string): Promise<LogFile>;
  delete(path: string): Promise<void>;
}

/** Files grow by so much, zeros ahead of what is written: the file system then has no length to write with each commit. */
const GROWTH_BYTES = 262_144;

/** Files of the file system. */
export const LOG_FILES: LogFiles = {
  async create(path) {
    const file = new GrowingFile(await promisify(open)(path, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC, 0o600));
    try {
      await syncFolder(dirname(path));
    } catch (error) {
      await file.close();
      throw error;
    }
    return file;
  },
  delete: unlink,
};

class GrowingFile implements LogFile {
  private readonly descriptor: number;
  private grownBytes = 0;

  constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  /** By callbacks: each commit passes by here, and file handles take several promises for each call. */
  write(bytes: Buffer, position: number): Promise<void> {
    const end = position + bytes.length;
    let whole = bytes;
    if (end > this.grownBytes) {
      const grown = Math.ceil(end / GROWTH_BYTES) * GROWTH_BYTES;
      whole = Buffer.alloc(grown - position);
      whole.set(bytes);
      this.grownBytes = grown;
    }
    return new Promise((resolve, reject) => {
      const settle = (error: Error | null): void => (error === null ? resolve() : reject(error));
      const writeFrom = (done: number): void => {
        write(this.descriptor, whole, done, whole.length - done, position + done, (error, written) => {
          if (error !== null) reject(error);
          else if (done + written < whole.length) writeFrom(done + written);
          else fdatasync(this.descriptor, settle);
        });
      };
      writeFrom(0);
    });
  }

  async truncate(lengthBytes: number): Promise<void> {
    this.grownBytes = lengthBytes;
    await promisify(ftruncate)(this.descriptor, lengthBytes);
    await promisify(fdatasync)(this.descriptor);
  }

  close(): Promise<void> {
    return promisify(close)(this.descriptor);
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await openFolder(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
