import type { Entropy, StoreWrite } from '@uemkit/protocol';
import type { ContainerCommit, Group, Staged } from './group.ts';
import type { ContainerKeys } from './keys.ts';
import type { KnownName, KnownNames } from './names.ts';
import { openFailed } from './open-failed.ts';
import { openNamed, sealRecord } from './record.ts';
import type { RememberedContents } from './remembered.ts';

/** Rows that were read for a commit, by their key; those that are not there are left out. */
export type LoadedRows = ReadonlyMap<string, Uint8Array>;

interface StagerPorts {
  readonly entropy: Entropy;
  readonly keys: ContainerKeys;
  readonly names: KnownNames;
  readonly contents: RememberedContents;
}

/** Seals the records of a commit into a group: without waiting, all of it or nothing. */
export class Stager {
  readonly #ports: StagerPorts;

  constructor(ports: StagerPorts) {
    this.#ports = ports;
  }

  /** The first name of which something has to be read before the commit can be staged. @throws ProtocolError `ERR_USAGE_ARGUMENT` */
  lacking({ records = [] }: ContainerCommit, on: readonly (Group | undefined)[], checked: Uint8Array, loaded?: LoadedRows): KnownName | undefined {
    const { names, contents } = this.#ports;
    for (const { space, name, content } of records) {
      const known = names.of(space, name);
      if (checked[known.bucket] === 0) return known;
      if (known.mark === null || stagedOn(on, known.row) !== undefined) continue;
      if (known.mark === undefined) return known;
      if (typeof content === 'function' && !contents.has(known.place) && loaded?.has(known.row) !== true) return known;
    }
    return undefined;
  }

  /** @param under what `group` stands on */
  stage({ records = [], writes = [] }: ContainerCommit, group: Group, under: Group | undefined, loaded?: LoadedRows): void {
    const { keys, names, contents, entropy } = this.#ports;
    const on = [group, under];
    const own: (Staged & { readonly content: Uint8Array | null })[] = [];
    const further: StoreWrite[] = [];
    let { sequence } = group.ledger;
    for (const { space, name, content } of records) {
      const known = names.of(space, name);
      const staged = own.findLast((earlier) => earlier.known === known) ?? stagedOn(on, known.row);
      // The caller has looked; a mark that is not known would make the ledger wrong for good.
      if (staged === undefined && known.mark === undefined) throw openFailed();
      const changed = typeof content === 'function' ? content(this.#contentOf(known, staged, loaded)) : { content };
      if (changed.writes !== undefined) further.push(...changed.writes);
      sequence += 1;
      // Remembered below: it may overwrite what a later record of this commit stands on.
      if (changed.content === null) own.push({ known, value: null, mark: null, place: undefined, content: null });
      else {
        const value = sealRecord(keys, entropy.randomBytes(12), known.row, sequence, { name, content: changed.content });
        own.push({ known, value, mark: keys.mark(known.row, sequence), place: undefined, content: changed.content });
      }
    }
    group.ledger.sequence = sequence;
    for (const { key, value } of writes) group.rows.set(key, value);
    for (const { key, value } of further) group.rows.set(key, value);
    for (const { content, ...staged } of own) {
      const { known, value, mark } = staged;
      const before = stagedOn(on, known.row) ?? known;
      if (before.mark) group.ledger.toggle(known.bucket, before.mark);
      if (mark) group.ledger.toggle(known.bucket, mark);
      contents.forget(group.staged.get(known.row)?.place);
      group.staged.set(known.row, { ...staged, place: content === null ? undefined : contents.add(content) });
      group.rows.set(known.row, value);
    }
  }

  /** The group was saved: what it staged is what is committed. */
  settle(group: Group): void {
    const { names, contents } = this.#ports;
    for (const { known: staged, mark, place } of group.staged.values()) {
      const known = staged.dropped ? names.of(staged.space, staged.name) : staged;
      contents.forget(known.place);
      known.mark = mark;
      known.place = place;
    }
  }

  /** It was not. */
  drop(group: Group): void {
    for (const { place } of group.staged.values()) this.#ports.contents.forget(place);
  }

  #contentOf({ name, row, mark, place }: KnownName, staged: Staged | undefined, loaded: LoadedRows | undefined): Uint8Array | undefined {
    const value = staged === undefined ? loaded?.get(row) : staged.value;
    if ((staged ?? { mark }).mark === null) return undefined;
    return this.#ports.contents.peek((staged ?? { place }).place) ?? openNamed(this.#ports.keys, row, name, value as Uint8Array);
  }
}

function stagedOn(groups: readonly (Group | undefined)[], row: string): Staged | undefined {
  for (const group of groups) {
    const staged = group?.staged.get(row);
    if (staged !== undefined) return staged;
  }
  return undefined;
}
