import type { StoreWrite } from '@uemkit/protocol';
import type { Ledger } from './ledger.ts';
import type { KnownName } from './names.ts';
import type { Place } from './remembered.ts';
import type { Space } from './rows.ts';

/** One record that a commit changes. */
export interface RecordChange {
  readonly space: Space;
  readonly name: string;
  /**
   * New content, or null to delete the record. A function is given the content that is there when the turn of the commit has come, a copy, and may add
   * writes; it may be called again only after a failed commit.
   */
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

/** A commit whose caller waits. */
export interface Member {
  readonly commit: ContainerCommit;
  readonly bytes: number;
  resolve(): void;
  reject(error: unknown): void;
}

/** A record as it will be when its group is saved; `value` and `mark` are null when it will be gone. */
export interface Staged {
  readonly known: KnownName;
  readonly value: Uint8Array | null;
  readonly mark: Uint8Array | null;
  readonly place: Place | undefined;
}

/** Commits that become one commit of the storage, with the ledger as it is after them. */
export class Group {
  readonly ledger: Ledger;
  readonly rows: Map<string, Uint8Array | null> = new Map();
  /** By row. */
  readonly staged: Map<string, Staged> = new Map();
  /** BOUNDED by MAX_GROUP_COMMITS. */
  readonly members: Member[] = [];

  /** @param under the ledger that it stands on */
  constructor(under: Ledger) {
    this.ledger = under.copy();
  }
}

export function sizeOf({ records = [], writes = [] }: ContainerCommit): number {
  let bytes = 0;
  for (const { content } of records) if (content instanceof Uint8Array) bytes += content.length;
  for (const { value } of writes) bytes += value?.length ?? 0;
  return bytes;
}

/** The same with contents of its own: the caller may change its bytes before the turn of this commit has come. */
export function detached(commit: ContainerCommit): ContainerCommit {
  const records = commit.records?.map((change) => (change.content instanceof Uint8Array ? { ...change, content: change.content.slice() } : change));
  return records === undefined ? commit : { ...commit, records };
}
