import { type CryptoProvider, type Entropy, isProtocolError, ProtocolError } from '@uemkit/protocol';
import { type ContainerCommit, detached, Group, type Member, sizeOf } from './group.ts';
import type { ContainerKeys } from './keys.ts';
import { Ledger } from './ledger.ts';
import { LIST_PAGE_KEYS, MAX_GROUP_COMMITS, MAX_WAITING_BYTES, MAX_WAITING_COMMITS } from './limits.ts';
import { type KnownName, KnownNames } from './names.ts';
import { closedError, openFailed } from './open-failed.ts';
import type { ContainerStorage } from './ports.ts';
import { openNamed } from './record.ts';
import { RememberedContents } from './remembered.ts';
import { BUCKETS, bucketOf, bucketPrefix, LEDGER_ROW, SPACES, type Space } from './rows.ts';
import { versionOf } from './sealed-row.ts';
import { Stager } from './stager.ts';

interface CommitterPorts {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly storage: ContainerStorage;
}

/** Turns of promises in which a caller that was answered comes to its next commit. */
const GATHERING_TURNS = 6;

/**
 * The one writer of a container. While one group of commits is on its way to the disk, the next is sealed on top of it; when the first cannot be written,
 * the one that stands on it fails with it. It checks each bucket against the ledger before the first use of a record in it.
 */
export class Committer {
  readonly #ports: CommitterPorts;
  readonly #keys: ContainerKeys;
  readonly #names: KnownNames;
  readonly #contents = new RememberedContents();
  readonly #stager: Stager;
  /** What is in the storage. */
  #ledger: Ledger;
  readonly #checked = new Uint8Array(BUCKETS);
  #commits = 0;
  #saving: Group | undefined;
  #open: Group | undefined;
  /** Commits that could not be sealed when they came. BOUNDED by MAX_WAITING_COMMITS and MAX_WAITING_BYTES, together with those of the open group. */
  #waiting: Member[] = [];
  #unsaved = 0;
  #unsavedBytes = 0;
  #filling = false;
  #working = false;
  /** Who waits for a moment without commits, or has it. */
  #others = 0;
  #tail: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(ports: CommitterPorts, keys: ContainerKeys, ledger: Ledger) {
    this.#ports = ports;
    this.#keys = keys;
    this.#ledger = ledger;
    this.#names = new KnownNames(keys);
    this.#stager = new Stager({ entropy: ports.entropy, keys, names: this.#names, contents: this.#contents });
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

  /** Content of a record, a copy. @throws ProtocolError `ERR_CRYPTO_OPEN`, `ERR_STORE_READ`, `ERR_USAGE_STATE`, `ERR_USAGE_ARGUMENT` */
  async read(space: Space, name: string): Promise<Uint8Array | undefined> {
    this.requireOpen();
    this.#names.trim();
    const known = this.#names.of(space, name);
    return this.#contents.read(known.place) ?? this.#readStored(known);
  }

  async #readStored(known: KnownName): Promise<Uint8Array | undefined> {
    const { row, name } = known;
    if (this.#checked[known.bucket] === 0) await this.requireChecked(row);
    const commits = this.#commits;
    const value = await this.#ports.storage.get(row);
    this.requireOpen();
    if (value === undefined) return undefined;
    const content = openNamed(this.#keys, row, name, value);
    // What was read before a commit must not be remembered after it.
    if (commits === this.#commits && !this.#contents.has(known.place)) known.place = this.#contents.add(content);
    return content;
  }

  /** The same for all buckets: a list tells also what is missing. */
  async requireAllChecked(): Promise<void> {
    for (let bucket = 0; bucket < BUCKETS; bucket++) await this.requireChecked(bucketPrefix('v', bucket));
  }

  /**
   * Resolves when it survives a crash.
   * @throws ProtocolError `ERR_STORE_WRITE`: then nothing was written. `ERR_REJECTED_BUSY`, `ERR_CRYPTO_OPEN`, `ERR_USAGE_STATE`, `ERR_USAGE_ARGUMENT`
   */
  commit(commit: ContainerCommit): Promise<void> {
    return new Promise((resolve, reject) => {
      this.requireOpen();
      const bytes = sizeOf(commit);
      // check: commits that wait are bounded
      if (this.#unsaved >= MAX_WAITING_COMMITS || this.#unsavedBytes + bytes > MAX_WAITING_BYTES) {
        throw new ProtocolError('ERR_REJECTED_BUSY', 'too many changes of the container wait');
      }
      this.#names.trim();
      if (!this.#stageNow({ commit, bytes, resolve, reject })) this.#waiting.push({ commit: detached(commit), bytes, resolve, reject });
      this.#unsaved += 1;
      this.#unsavedBytes += bytes;
      if (this.#working) return;
      this.#working = true;
      this.#queueWork();
    });
  }

  /** Refuses what comes from now on and waits for what has begun. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(closedError());
    if (!this.#filling) this.#dropOpen(closedError());
    await this.#tail;
    this.#contents.wipe();
    this.#names.wipe();
    this.#ledger.wipe();
  }

  /** Runs while nothing is being committed, and nothing is sealed that has yet to be. `work` must not wait for a commit. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#others += 1;
    return this.#chain(async () => {
      try {
        return await work();
      } finally {
        this.#others -= 1;
      }
    });
  }

  #chain<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.then(
      () => {},
      () => {},
    );
    return result;
  }

  #queueWork(): void {
    void this.#chain(() => this.#work()).catch(() => {});
  }

  /** Until nothing waits any more, or somebody else does. */
  async #work(): Promise<void> {
    for (;;) {
      if (this.#open === undefined) {
        if (this.#waiting.length === 0) break;
        if (this.#others > 0) return this.#queueWork();
        await this.#fill();
      }
      await this.#gather();
      const group = this.#open;
      this.#open = undefined;
      if (group !== undefined) await this.#save(group);
    }
    this.#working = false;
  }

  /** Callers whose commits are done go on first: what they commit next may share this commit. */
  async #gather(): Promise<void> {
    for (let members = -1; this.#open !== undefined && members !== this.#open.members.length; ) {
      members = this.#open.members.length;
      for (let turn = 0; turn < GATHERING_TURNS; turn++) await undefined;
    }
  }

  /** Seals a commit as soon as it comes, when nothing has to be read for it and nobody waits before it. */
  #stageNow(member: Member): boolean {
    if (this.#waiting.length > 0 || this.#filling || this.#others > 0) return false;
    if (this.#open !== undefined && this.#open.members.length >= MAX_GROUP_COMMITS) return false;
    if (this.#stager.lacking(member.commit, [this.#open, this.#saving], this.#checked) !== undefined) return false;
    this.#open ??= new Group(this.#saving?.ledger ?? this.#ledger);
    this.#stager.stage(member.commit, this.#open, this.#saving);
    this.#open.members.push(member);
    return true;
  }

  /** Makes a group of commits that wait. Nothing is being committed, so storage and ledger are of one moment. */
  async #fill(): Promise<void> {
    const group = new Group(this.#ledger);
    this.#open = group;
    this.#filling = true;
    for (const member of this.#waiting.splice(0, MAX_GROUP_COMMITS)) {
      try {
        await this.#stageLoaded(member.commit, group);
        group.members.push(member);
      } catch (error) {
        this.#noLongerUnsaved([member]);
        member.reject(error);
      }
    }
    this.#filling = false;
  }

  async #stageLoaded(commit: ContainerCommit, group: Group): Promise<void> {
    const loaded = new Map<string, Uint8Array>();
    for (;;) {
      const known = this.#stager.lacking(commit, [group], this.#checked, loaded);
      if (known === undefined) break;
      await this.#checkBucket(known.bucket);
      const value = await this.#ports.storage.get(known.row);
      if (value !== undefined) loaded.set(known.row, value);
      known.mark = value === undefined ? null : this.#keys.mark(known.row, versionOf(value));
    }
    this.#stager.stage(commit, group, undefined, loaded);
  }

  async #save(group: Group): Promise<void> {
    const { ledger, rows, members } = group;
    this.#noLongerUnsaved(members);
    this.#saving = group;
    try {
      if (ledger.sequence !== this.#ledger.sequence) rows.set(LEDGER_ROW, ledger.seal(this.#keys, this.#ports.entropy.randomBytes(12)));
      if (rows.size > 0) await this.#ports.storage.commit(Array.from(rows, ([key, value]) => ({ key, value })));
    } catch (cause) {
      const error = isProtocolError(cause) ? cause : new ProtocolError('ERR_STORE_WRITE', 'the container could not be saved', { cause });
      this.#saving = undefined;
      this.#drop(group, error);
      this.#dropOpen(error);
      return;
    }
    this.#saving = undefined;
    this.#ledger.wipe();
    this.#ledger = ledger;
    this.#commits += 1;
    this.#stager.settle(group);
    for (const { resolve } of members) resolve();
  }

  /** The group that is being sealed, when there is one. */
  #dropOpen(error: unknown): void {
    const group = this.#open;
    this.#open = undefined;
    if (group === undefined) return;
    this.#noLongerUnsaved(group.members);
    this.#drop(group, error);
  }

  #drop(group: Group, error: unknown): void {
    this.#stager.drop(group);
    group.ledger.wipe();
    for (const { reject } of group.members) reject(error);
  }

  #noLongerUnsaved(members: readonly Member[]): void {
    this.#unsaved -= members.length;
    for (const { bytes } of members) this.#unsavedBytes -= bytes;
  }

  /** Only while nothing is being committed. */
  async #checkBucket(bucket: number): Promise<void> {
    if (this.#checked[bucket] === 1) return;
    const found = new Ledger();
    for (const space of SPACES) {
      for await (const [row, value] of rowsOf(this.#ports.storage, bucketPrefix(space, bucket))) {
        found.toggle(bucket, this.#keys.mark(row, versionOf(value)));
      }
    }
    // check: sum of the bucket
    if (!this.#ports.crypto.equal(found.sum(bucket), this.#ledger.sum(bucket))) throw openFailed();
    this.#checked[bucket] = 1;
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
