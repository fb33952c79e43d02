import { type CryptoProvider, type Entropy, isProtocolError, ProtocolError, type StoreWrite } from '@uemkit/protocol';
import type { ContainerKeys } from './keys.ts';
import { Ledger } from './ledger.ts';
import { LIST_PAGE_KEYS, MAX_GROUP_COMMITS, MAX_WAITING_BYTES, MAX_WAITING_COMMITS } from './limits.ts';
import { closedError, openFailed } from './open-failed.ts';
import type { ContainerStorage } from './ports.ts';
import { openNamed, sealRecord } from './record.ts';
import { type RememberedRecord, RememberedRecords } from './remembered.ts';
import { BUCKETS, bucketOf, bucketPrefix, LEDGER_ROW, SPACES, type Space } from './rows.ts';
import { versionBytes } from './sealed-row.ts';

/** One record that a commit changes. */
export interface RecordChange {
  readonly space: Space;
  readonly name: string;
  /** New content, or null to delete the record. A function is given the content that is there when the turn of the commit has come, and may add writes. */
  readonly content: Uint8Array | null | ((current: Uint8Array | undefined) => ChangedContent);
}

export interface ChangedContent {
  readonly content: Uint8Array | null;
  readonly writes?: readonly StoreWrite[];
}

/** All of it or nothing. `writes` are rows outside the ledger: chunks, marks of pending files, slots. */
export interface ContainerCommit {
  readonly records?: readonly RecordChange[];
  readonly writes?: readonly StoreWrite[];
}

type Rows = Map<string, Uint8Array | null>;

/** What becomes of a record when the commit has succeeded. */
interface Fresh {
  readonly space: Space;
  readonly name: string;
  readonly record: RememberedRecord | null;
}

interface Group {
  readonly ledger: Ledger;
  readonly rows: Rows;
  readonly fresh: Fresh[];
}

interface Waiting {
  readonly commit: ContainerCommit;
  readonly bytes: number;
  resolve(): void;
  reject(error: unknown): void;
}

interface CommitterPorts {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly storage: ContainerStorage;
}

/**
 * The one writer of a container. Commits run one after the other; those that come while one is on its way to the disk share the next commit of the storage.
 * It checks each bucket against the ledger before the first use of a record in it.
 */
export class Committer {
  readonly #ports: CommitterPorts;
  readonly #keys: ContainerKeys;
  #ledger: Ledger;
  readonly #checked = new Uint8Array(BUCKETS);
  readonly #remembered = new RememberedRecords();
  #commits = 0;
  /** BOUNDED by MAX_WAITING_COMMITS and MAX_WAITING_BYTES. */
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #tail: Promise<void> = Promise.resolve();
  #working = false;
  #closed = false;

  constructor(ports: CommitterPorts, keys: ContainerKeys, ledger: Ledger) {
    this.#ports = ports;
    this.#keys = keys;
    this.#ledger = ledger;
  }

  /** @throws ProtocolError `ERR_USAGE_STATE` after `close` */
  requireOpen(): void {
    // check: the container is open
    if (this.#closed) throw closedError();
  }

  /** @throws ProtocolError `ERR_CRYPTO_OPEN` when the storage does not hold the records of this row's bucket that were committed last */
  async requireChecked(row: string): Promise<void> {
    this.requireOpen();
    const bucket = bucketOf(row);
    if (this.#checked[bucket] === 0) await this.inTurn(() => this.#checkBucket(bucket));
  }

  /** Content of a record, a copy. @throws ProtocolError `ERR_CRYPTO_OPEN`, `ERR_STORE_READ`, `ERR_USAGE_STATE` */
  async read(space: Space, name: string): Promise<Uint8Array | undefined> {
    this.requireOpen();
    const remembered = this.#remembered.get(space, name);
    if (remembered !== undefined) return remembered.content.slice();
    const row = this.#keys.rowOf(space, name);
    await this.requireChecked(row);
    const commits = this.#commits;
    const value = await this.#ports.storage.get(row);
    this.requireOpen();
    if (value === undefined) return undefined;
    const content = openNamed(this.#keys, row, name, value);
    // What was read before a commit must not be remembered after it.
    if (commits === this.#commits) this.#remembered.set(space, name, { version: versionBytes(value).slice(), content: content.slice() });
    return content;
  }

  /** The same for all buckets: a list tells also what is missing. */
  async requireAllChecked(): Promise<void> {
    for (let bucket = 0; bucket < BUCKETS; bucket++) await this.requireChecked(bucketPrefix('v', bucket));
  }

  /**
   * Resolves when it survives a crash.
   * @throws ProtocolError `ERR_STORE_WRITE`: then nothing was written. `ERR_REJECTED_BUSY`, `ERR_CRYPTO_OPEN`, `ERR_USAGE_STATE`
   */
  commit(commit: ContainerCommit): Promise<void> {
    this.requireOpen();
    const bytes = sizeOf(commit);
    // check: commits that wait are bounded
    if (this.#waiting.length >= MAX_WAITING_COMMITS || this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      return Promise.reject(new ProtocolError('ERR_REJECTED_BUSY', 'too many changes of the container wait'));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ commit, bytes, resolve, reject });
      this.#waitingBytes += bytes;
      if (this.#working) return;
      this.#working = true;
      void this.inTurn(() => this.#work()).catch(() => {});
    });
  }

  /** Refuses what comes from now on and waits for what has begun. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(closedError());
    await this.#tail;
    this.#remembered.wipe();
    this.#ledger.wipe();
  }

  /** Runs while nothing is being committed. `work` must not wait for a commit. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.then(
      () => {},
      () => {},
    );
    return result;
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, MAX_GROUP_COMMITS);
      for (const { bytes } of group) this.#waitingBytes -= bytes;
      await this.#commitGroup(group);
    }
    this.#working = false;
  }

  async #commitGroup(group: readonly Waiting[]): Promise<void> {
    const next: Group = { ledger: this.#ledger.copy(), rows: new Map(), fresh: [] };
    const { ledger, rows } = next;
    const prepared: Waiting[] = [];
    for (const waiting of group) {
      try {
        await this.#prepare(waiting.commit, next);
        prepared.push(waiting);
      } catch (error) {
        waiting.reject(error);
      }
    }
    try {
      if (ledger.sequence !== this.#ledger.sequence) rows.set(LEDGER_ROW, ledger.seal(this.#keys, this.#nonce()));
      if (rows.size > 0) await this.#ports.storage.commit([...rows].map(([key, value]) => ({ key, value })));
    } catch (cause) {
      const error = isProtocolError(cause) ? cause : new ProtocolError('ERR_STORE_WRITE', 'the container could not be saved', { cause });
      ledger.wipe();
      for (const { reject } of prepared) reject(error);
      return;
    }
    this.#ledger.wipe();
    this.#ledger = ledger;
    this.#commits += 1;
    for (const { space, name, record } of next.fresh) {
      if (record === null) this.#remembered.forget(space, name);
      else this.#remembered.set(space, name, record);
    }
    for (const { resolve } of prepared) resolve();
  }

  /** Adds one commit to the group; when it throws, nothing of it is in the group. */
  async #prepare({ records = [], writes = [] }: ContainerCommit, group: Group): Promise<void> {
    const own: Rows = new Map();
    const fresh: Fresh[] = [];
    const marks: { readonly bucket: number; readonly mark: Uint8Array }[] = [];
    let { sequence } = group.ledger;
    for (const { space, name, content } of records) {
      const row = this.#keys.rowOf(space, name);
      const bucket = bucketOf(row);
      if (this.#checked[bucket] === 0) await this.#checkBucket(bucket);
      const staged = own.get(row) ?? (own.has(row) ? null : group.rows.get(row));
      const current = staged === undefined ? (this.#remembered.get(space, name) ?? (await this.#stored(row, name))) : staged && this.#opened(row, name, staged);
      const changed = typeof content === 'function' ? content(current?.content.slice()) : { content };
      for (const { key, value } of changed.writes ?? []) own.set(key, value);
      if (current) marks.push({ bucket, mark: this.#keys.mark(row, current.version) });
      sequence += 1;
      if (changed.content === null) {
        own.set(row, null);
        fresh.push({ space, name, record: null });
        continue;
      }
      const sealed = sealRecord(this.#keys, this.#nonce(), row, sequence, { name, content: changed.content });
      const version = versionBytes(sealed).slice();
      marks.push({ bucket, mark: this.#keys.mark(row, version) });
      own.set(row, sealed);
      fresh.push({ space, name, record: { version, content: changed.content } });
    }
    group.ledger.sequence = sequence;
    for (const { bucket, mark } of marks) group.ledger.toggle(bucket, mark);
    for (const { key, value } of writes) group.rows.set(key, value);
    for (const [row, value] of own) group.rows.set(row, value);
    group.fresh.push(...fresh);
  }

  async #stored(row: string, name: string): Promise<RememberedRecord | undefined> {
    const value = await this.#ports.storage.get(row);
    return value && this.#opened(row, name, value);
  }

  /** The content is opened when somebody asks for it: most changes replace it unseen. */
  #opened(row: string, name: string, value: Uint8Array): RememberedRecord {
    const keys = this.#keys;
    return {
      version: versionBytes(value),
      get content() {
        return openNamed(keys, row, name, value);
      },
    };
  }

  /** Only while nothing is being committed: storage and ledger have to be of one moment. */
  async #checkBucket(bucket: number): Promise<void> {
    if (this.#checked[bucket] === 1) return;
    const found = new Ledger();
    for (const space of SPACES) {
      for await (const [row, value] of rowsOf(this.#ports.storage, bucketPrefix(space, bucket))) {
        found.toggle(bucket, this.#keys.mark(row, versionBytes(value)));
      }
    }
    // check: sum of the bucket
    if (!this.#ports.crypto.equal(found.sum(bucket), this.#ledger.sum(bucket))) throw openFailed();
    this.#checked[bucket] = 1;
  }

  #nonce(): Uint8Array {
    return this.#ports.entropy.randomBytes(12);
  }
}

/** All rows with a prefix, page by page. A row that goes away meanwhile is left out. */
export async function* rowsOf(storage: ContainerStorage, prefix: string): AsyncGenerator<readonly [string, Uint8Array]> {
  for (let after: string | undefined; ; ) {
    const page = await storage.keys({ prefix, after, limit: LIST_PAGE_KEYS });
    for (const row of page) {
      const value = await storage.get(row);
      if (value !== undefined) yield [row, value];
    }
    if (page.length < LIST_PAGE_KEYS) return;
    after = page.at(-1);
  }
}

function sizeOf({ records = [], writes = [] }: ContainerCommit): number {
  let bytes = 0;
  for (const { content } of records) if (content instanceof Uint8Array) bytes += content.length;
  for (const { value } of writes) bytes += value?.length ?? 0;
  return bytes;
}
