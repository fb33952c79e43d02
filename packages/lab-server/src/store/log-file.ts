import { constants, type FileHandle, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

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
    const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC, 0o600);
    try {
      await syncFolder(dirname(path));
    } catch (error) {
      await file.close();
      throw error;
    }
    return new GrowingFile(file);
  },
  delete: unlink,
};

class GrowingFile implements LogFile {
  private readonly file: FileHandle;
  private grownBytes = 0;

  constructor(file: FileHandle) {
    this.file = file;
  }

  async write(bytes: Buffer, position: number): Promise<void> {
    const end = position + bytes.length;
    let whole = bytes;
    if (end > this.grownBytes) {
      const grown = Math.ceil(end / GROWTH_BYTES) * GROWTH_BYTES;
      whole = Buffer.alloc(grown - position);
      whole.set(bytes);
      this.grownBytes = grown;
    }
    for (let done = 0; done < whole.length; ) {
      const { bytesWritten } = await this.file.write(whole, done, whole.length - done, position + done);
      done += bytesWritten;
    }
    await this.file.datasync();
  }

  async truncate(lengthBytes: number): Promise<void> {
    this.grownBytes = lengthBytes;
    await this.file.truncate(lengthBytes);
    await this.file.datasync();
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
