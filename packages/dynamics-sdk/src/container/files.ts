import { type Clock, type Entropy, ProtocolError, type StoreWrite, toHex } from '@uemkit/protocol';
import { openChunk, sealChunk } from './chunk.ts';
import { cutBytes, cutChunks } from './chunker.ts';
import { chunksOfEntry, decodeEntry, encodeEntry, FILE_ID_BYTES, type FileEntry, idOf } from './file-entry.ts';
import { CHUNK_BYTES, MAX_CHUNKS_DELETED_AT_ONCE, MAX_FILE_CHUNKS, WRITE_WINDOW_CHUNKS } from './limits.ts';
import { nameBytes } from './names.ts';
import { openFailed } from './open-failed.ts';
import { openNamed } from './record.ts';
import { chunkRow, PENDING_PREFIX } from './rows.ts';
import { sweepFile } from './sweep.ts';
import { type ContainerParts, readRecord, records } from './values.ts';

/** What is known of a file without reading it. */
export interface FileStatus {
  readonly sizeBytes: number;
  /** When it was last written, milliseconds since 1970. */
  readonly modifiedMs: number;
}

/** The encrypted files of an app, in one flat space; a name may have slashes. Content is read and written as a stream, so memory does not grow with it. */
export interface ContainerFiles {
  /**
   * Writes a whole file; until it resolves, readers see the file that was there before. A crash leaves the old file.
   * @param source the content, at once or as a stream (a `ReadableStream` of Node is one)
   * @throws ProtocolError `ERR_STORE_WRITE`, `ERR_USAGE_ARGUMENT` (name; over 64 GiB), `ERR_REJECTED_BUSY`; what `source` throws; `signal.reason`
   */
  write(name: string, source: Uint8Array | AsyncIterable<Uint8Array>, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /**
   * The content in parts of at most 65,536 bytes. A file that is replaced or deleted meanwhile is read to its end all the same.
   * @throws ProtocolError `ERR_USAGE_ARGUMENT` when there is none, `ERR_CRYPTO_OPEN` when the storage was changed: then what came is not the whole file
   */
  read(name: string): AsyncGenerator<Uint8Array>;
  status(name: string): Promise<FileStatus | undefined>;
  /** No error when there is none. */
  delete(name: string): Promise<void>;
  /** Replaces a file of the new name. @throws ProtocolError `ERR_USAGE_ARGUMENT` when there is none of the old */
  rename(from: string, to: string): Promise<void>;
  /** Every file, in no order. */
  list(): AsyncGenerator<FileStatus & { readonly name: string }>;
}

interface FilePorts extends ContainerParts {
  readonly entropy: Entropy;
  readonly clock: Clock;
  /** Lower in tests only: a file of the length that is allowed takes hours. */
  readonly maxChunks?: number;
}

export class FileStore implements ContainerFiles {
  readonly #ports: FilePorts;
  /** How many read a file now. BOUNDED by the readers. */
  readonly #readers = new Map<string, number>();
  /** Files that are gone from the container but are still read. BOUNDED by the readers. */
  readonly #doomed = new Set<string>();

  constructor(ports: FilePorts) {
    this.#ports = ports;
  }

  async write(name: string, source: Uint8Array | AsyncIterable<Uint8Array>, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    nameBytes(name);
    const { committer, entropy, keys, storage, clock, maxChunks = MAX_FILE_CHUNKS } = this.#ports;
    committer.requireOpen();
    const fileId = entropy.randomBytes(FILE_ID_BYTES);
    const id = toHex(fileId);
    const gcm = keys.file(fileId);
    const mark = PENDING_PREFIX + id;
    let marked = false;
    let index = 0;
    let sizeBytes = 0;
    let writes: StoreWrite[] = [];
    try {
      for await (const { plaintext, last } of source instanceof Uint8Array ? cutBytes(source) : cutChunks(source)) {
        signal?.throwIfAborted();
        // check: length of a file
        if (index >= maxChunks) throw new ProtocolError('ERR_USAGE_ARGUMENT', `a file has at most ${maxChunks * CHUNK_BYTES} bytes`);
        if (writes.length === WRITE_WINDOW_CHUNKS) {
          if (!marked) writes.push({ key: mark, value: new Uint8Array(0) });
          await committer.commit({ writes });
          marked = true;
          writes = [];
        }
        writes.push({ key: chunkRow(id, index), value: sealChunk(gcm, { index, last }, plaintext) });
        index += 1;
        sizeBytes += plaintext.length;
      }
      signal?.throwIfAborted();
      if (marked) writes.push({ key: mark, value: null });
      await this.#replace(name, { fileId, sizeBytes, modifiedMs: clock.nowMs() }, writes);
    } catch (error) {
      // What cannot be deleted now goes when the container is opened the next time.
      if (marked) await sweepFile(storage, committer, id).catch(() => {});
      throw error;
    } finally {
      gcm.wipe();
    }
  }

  async *read(name: string): AsyncGenerator<Uint8Array> {
    nameBytes(name);
    const { committer, keys, storage } = this.#ports;
    committer.requireOpen();
    const row = keys.rowOf('f', name);
    await committer.requireChecked(row);
    // No commit may come between the look and the note that the chunks are needed.
    const entry = await committer.inTurn(async () => {
      const value = await storage.get(row);
      if (value === undefined) throw noFile();
      const found = decodeEntry(openNamed(keys, row, name, value));
      this.#readers.set(idOf(found), (this.#readers.get(idOf(found)) ?? 0) + 1);
      return found;
    });
    try {
      yield* this.#chunks(entry);
    } finally {
      await this.#release(idOf(entry));
    }
  }

  async status(name: string): Promise<FileStatus | undefined> {
    const content = await readRecord(this.#ports, 'f', name);
    return content && statusOf(decodeEntry(content));
  }

  async delete(name: string): Promise<void> {
    nameBytes(name);
    await this.#replace(name, null, []);
  }

  async rename(from: string, to: string): Promise<void> {
    for (const name of [from, to]) nameBytes(name);
    let moved: Uint8Array | undefined;
    let gone: Gone | undefined;
    await this.#ports.committer.commit({
      records: [
        {
          space: 'f',
          name: from,
          content: (current) => {
            if (current === undefined) throw noFile();
            moved = current;
            return { content: null };
          },
        },
        {
          space: 'f',
          name: to,
          content: (current) => {
            gone = this.#goneWith(current);
            return { content: moved as Uint8Array, writes: gone.writes };
          },
        },
      ],
    });
    await this.#afterwards(gone);
  }

  async *list(): AsyncGenerator<FileStatus & { readonly name: string }> {
    for await (const { name, content } of records(this.#ports, 'f')) yield { name, ...statusOf(decodeEntry(content)) };
  }

  async *#chunks(entry: FileEntry): AsyncGenerator<Uint8Array> {
    const { committer, keys, storage } = this.#ports;
    const gcm = keys.file(entry.fileId);
    try {
      const chunks = chunksOfEntry(entry);
      for (let index = 0; index < chunks; index++) {
        const sealed = await storage.get(chunkRow(idOf(entry), index));
        committer.requireOpen();
        // Would not open either; the line tells the compiler.
        if (sealed === undefined) throw openFailed();
        yield openChunk(gcm, { index, last: index === chunks - 1 }, sealed);
      }
    } finally {
      gcm.wipe();
    }
  }

  async #replace(name: string, entry: FileEntry | null, writes: readonly StoreWrite[]): Promise<void> {
    let gone: Gone | undefined;
    const content = entry && encodeEntry(entry);
    const change = (current: Uint8Array | undefined): { readonly content: Uint8Array | null; readonly writes: readonly StoreWrite[] } => {
      gone = this.#goneWith(current);
      return { content, writes: gone.writes };
    };
    await this.#ports.committer.commit({ records: [{ space: 'f', name, content: change }], writes });
    await this.#afterwards(gone);
  }

  /** What the commit has to write that takes a file out of the container: the chunks of a short file go at once, those of others are marked. */
  #goneWith(current: Uint8Array | undefined): Gone {
    if (current === undefined) return { writes: [] };
    const entry = decodeEntry(current);
    const id = idOf(entry);
    const chunks = chunksOfEntry(entry);
    if (chunks > MAX_CHUNKS_DELETED_AT_ONCE || this.#readers.has(id)) return { marked: id, writes: [{ key: PENDING_PREFIX + id, value: new Uint8Array(0) }] };
    return { writes: Array.from({ length: chunks }, (_, index) => ({ key: chunkRow(id, index), value: null })) };
  }

  async #afterwards(gone: Gone | undefined): Promise<void> {
    if (gone?.marked === undefined) return;
    if (this.#readers.has(gone.marked)) this.#doomed.add(gone.marked);
    else await this.#sweep(gone.marked);
  }

  async #release(id: string): Promise<void> {
    const left = (this.#readers.get(id) as number) - 1;
    if (left > 0) {
      this.#readers.set(id, left);
      return;
    }
    this.#readers.delete(id);
    if (this.#doomed.delete(id)) await this.#sweep(id);
  }

  /** The change itself is done; what cannot be deleted now goes when the container is opened the next time. */
  async #sweep(id: string): Promise<void> {
    await sweepFile(this.#ports.storage, this.#ports.committer, id).catch(() => {});
  }
}

interface Gone {
  readonly writes: readonly StoreWrite[];
  readonly marked?: string;
}

function statusOf({ sizeBytes, modifiedMs }: FileEntry): FileStatus {
  return { sizeBytes, modifiedMs };
}

function noFile(): ProtocolError {
  return new ProtocolError('ERR_USAGE_ARGUMENT', 'there is no file of this name');
}
