import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProtocolError } from '@uemkit/protocol';
import { encodeFrame, endOfFrame, type Frame, readFrame } from './commit-frame.ts';
import type { LogFile, LogFiles } from './log-file.ts';

/** Changed entries of a store by key; null deletes. */
export type Writes = ReadonlyMap<string, Uint8Array | null>;

/** Commits in the order in which they were made, each durable before the next one: files that are only ever appended to, and deleted when what they hold is elsewhere. */
export interface CommitLog {
  /** Number of the last commit; 0 before the first. */
  readonly last: number;
  /** Length of the file that is being written, bytes. */
  readonly lengthBytes: number;
  /** Resolves when the commit is on the disk. A rejection: it is not in the log, and will not be found there. One call at a time. */
  append(writes: Writes): Promise<void>;
  /** What comes next goes into another file. */
  cut(): void;
  /** Deletes the files whose commits all have at most this number; the one that is being written stays. */
  forget(through: number): Promise<void>;
  close(): Promise<void>;
}

export interface OpenedLog {
  readonly log: CommitLog;
  /** Commits of the log that come after `through`, in their order. */
  readonly commits: readonly Frame[];
}

interface Segment {
  readonly path: string;
  readonly last: number;
}

const NAME = /^commits-\d{16}\.log$/;

/**
 * Opens the log of a folder.
 * @param through number of the last commit that is elsewhere already
 * @throws ProtocolError `ERR_STORE_READ` when a commit is missing between others
 */
export function openCommitLog({ directory, through, files }: { readonly directory: string; readonly through: number; readonly files: LogFiles }): OpenedLog {
  // BOUNDED by what may be in the log before it is elsewhere.
  let ended: Segment[] = [];
  const commits: Frame[] = [];
  let last = through;
  const names = readdirSync(directory).filter((name) => NAME.test(name));
  for (const name of names.sort()) {
    const path = join(directory, name);
    const frames = readFrames(path);
    for (const frame of frames) {
      if (frame.sequence <= last) continue;
      if (frame.sequence !== last + 1) throw damaged(path);
      commits.push(frame);
      last = frame.sequence;
    }
    ended.push({ path, last: frames.at(-1)?.sequence ?? 0 });
  }

  let current: { readonly path: string; readonly file: LogFile } | undefined;
  let lengthBytes = 0;
  /** Something that was not reported as kept may stand at the end. */
  let isTornAtEnd = false;

  const closeCurrent = async (): Promise<void> => {
    const closing = current;
    current = undefined;
    lengthBytes = 0;
    await closing?.file.close();
  };
  const takeBack = async (file: LogFile): Promise<void> => {
    isTornAtEnd = true;
    await file.truncate(lengthBytes);
    isTornAtEnd = false;
  };
  const cut = async (): Promise<void> => {
    // The number of what stands there and is not kept will be given again: not in another file, which would be read after this one.
    if (current === undefined || isTornAtEnd) return;
    ended.push({ path: current.path, last });
    await closeCurrent();
  };

  const log: CommitLog = {
    get last() {
      return last;
    },
    get lengthBytes() {
      return lengthBytes;
    },
    async append(writes) {
      const bytes = encodeFrame(last + 1, writes);
      if (current === undefined) {
        const path = join(directory, `commits-${String(last + 1).padStart(16, '0')}.log`);
        current = { path, file: await files.create(path) };
        ended = ended.filter((segment) => segment.path !== path);
      }
      const { file } = current;
      if (isTornAtEnd) await takeBack(file);
      try {
        await file.write(bytes, lengthBytes);
      } catch (error) {
        // Whoever asked will hear that nothing was written: so it must not be found after a restart. What cannot be taken back now is before anything else is written.
        await takeBack(file).catch(() => {});
        throw error;
      }
      lengthBytes += bytes.length;
      last += 1;
    },
    cut: () => void cut().catch(() => {}),
    async forget(upTo) {
      const over = ended.filter((segment) => segment.last <= upTo);
      ended = ended.filter((segment) => segment.last > upTo);
      for (const { path } of over) await files.delete(path);
    },
    async close() {
      if (current !== undefined && isTornAtEnd) await takeBack(current.file).catch(() => {});
      await closeCurrent();
    },
  };
  return { log, commits };
}

/** Commits of one file. The last one may be there in part: nobody was told that it is kept. */
function readFrames(path: string): readonly Frame[] {
  const bytes = readFileSync(path);
  const frames: Frame[] = [];
  let at = 0;
  for (;;) {
    const frame = readFrame(bytes, at);
    const before = frames.at(-1)?.sequence;
    if (frame === undefined || (before !== undefined && frame.sequence !== before + 1)) break;
    frames.push(frame);
    at = frame.end;
  }
  // A commit is written when the one before it is durable: behind one that was cut off there is none.
  const behind = endOfFrame(bytes, at);
  if (behind !== undefined && behind > at && readFrame(bytes, behind) !== undefined) throw damaged(path);
  return frames;
}

function damaged(path: string): ProtocolError {
  return new ProtocolError('ERR_STORE_READ', `a commit is missing before others in ${path}`);
}
