import { LOG_FILES, type LogFile, type LogFiles } from '../../src/store/log-file.ts';

/** Files of the file system that fail when they are told to. */
export class FaultyFiles implements LogFiles {
  /** A write fails: before anything is there, with half of it there, or with all of it. */
  write: 'nothing' | 'half' | 'all' | undefined;
  truncate = false;
  remove = false;
  created: string[] = [];

  async create(path: string): Promise<LogFile> {
    this.created.push(path);
    const file = await LOG_FILES.create(path);
    return {
      write: async (bytes, position) => {
        const { write } = this;
        if (write === 'half') await file.write(bytes.subarray(0, bytes.length / 2), position);
        if (write === 'all' || write === undefined) await file.write(bytes, position);
        if (write !== undefined) throw new Error('ENOSPC');
      },
      truncate: async (lengthBytes) => {
        if (this.truncate) throw new Error('EIO');
        await file.truncate(lengthBytes);
      },
      close: () => file.close(),
    };
  }

  async delete(path: string): Promise<void> {
    if (this.remove) throw new Error('EPERM');
    await LOG_FILES.delete(path);
  }
}
