import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fromBase64url, ProtocolError, type Store, type StoreWrite, toBase64url } from '@uemkit/protocol';

const FORMAT = 1;

/**
 * Durable state of one device in one file (mode 0600), for a device of its own; a fleet keeps its devices in a database.
 * Each commit writes the whole state beside the file, flushes it and renames it, so a crash leaves the state before or after, never between.
 */
export function fileStore(path: string): Store {
  return new FileStore(path);
}

class FileStore implements Store {
  readonly #path: string;
  #loaded: Promise<Map<string, Uint8Array>> | undefined;
  /** Commits run one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return (await this.#values()).get(key)?.slice();
  }

  commit(writes: readonly StoreWrite[]): Promise<void> {
    const copies = writes.map(({ key, value }) => ({ key, value: value === null ? null : value.slice() }));
    const commit = this.#last.then(() => this.#commit(copies));
    this.#last = commit.catch(() => undefined);
    return commit;
  }

  async #commit(writes: readonly StoreWrite[]): Promise<void> {
    const values = new Map(await this.#values());
    for (const { key, value } of writes) {
      if (value === null) values.delete(key);
      else values.set(key, value);
    }
    try {
      await writeDurably(this.#path, encode(values));
    } catch (error) {
      throw new ProtocolError('ERR_STORE_WRITE', 'the state of the device could not be saved', { cause: error });
    }
    this.#loaded = Promise.resolve(values);
  }

  #values(): Promise<Map<string, Uint8Array>> {
    this.#loaded ??= load(this.#path);
    return this.#loaded;
  }
}

function encode(values: ReadonlyMap<string, Uint8Array>): string {
  const entries = [...values].map(([key, value]) => [key, toBase64url(value)] as const);
  return JSON.stringify({ format: FORMAT, values: Object.fromEntries(entries) });
}

async function load(path: string): Promise<Map<string, Uint8Array>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return new Map();
    throw new ProtocolError('ERR_STORE_READ', 'the state of the device could not be read', { cause: error });
  }
  try {
    const saved = JSON.parse(text) as { format: number; values: Record<string, string> };
    if (saved.format > FORMAT) throw new ProtocolError('ERR_STORE_VERSION', 'the state of the device was written by a newer version');
    return new Map(Object.entries(saved.values).map(([key, value]) => [key, fromBase64url(value)]));
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'ERR_STORE_VERSION') throw error;
    throw new ProtocolError('ERR_STORE_READ', 'the state of the device is damaged', { cause: error });
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fresh = `${path}.new`;
  const file = await open(fresh, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
  // The rename itself is durable when the folder is.
  const handle = await open(join(folder, '.'), 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
