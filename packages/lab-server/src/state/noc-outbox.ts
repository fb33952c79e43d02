import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type PageQuery, type Row, type Table, table } from './table.ts';

/**
 * What the NOC is still to be told of an access key or (`endLink`, `narrowLink`) of a link; the newest message about one takes the place of the one before. Both are named by 16 random
 * bytes, so that none has the name of another.
 */
export type NocMessage = { readonly kind: 'register' | 'withdraw' | 'endLink' | 'narrowLink' } | { readonly kind: 'used'; readonly linkId: string };

const NAME = 'noc-outbox';
const outbox: Table<NocMessage> = table(NAME);

/** Keys of the store under which messages wait, each followed by the id of what it is about. */
export const NOC_OUTBOX_PREFIX: string = `${NAME}/`;

/** Remembers what the NOC has to hear; a restarted server finds it again. `id` in hex. */
export function putNocMessage(tx: WriteView, id: string, message: NocMessage): void {
  outbox.put(tx, id, message);
}

export function nocMessage(view: ReadView, id: string): NocMessage | undefined {
  return outbox.get(view, id);
}

/** The NOC has heard it; a newer message about the same stays. */
export function deleteNocMessage(tx: WriteView, id: string, kind: NocMessage['kind']): void {
  if (outbox.get(tx, id)?.kind === kind) outbox.delete(tx, id);
}

/** What waits; row ids are ids of keys and links. */
export function listNocMessages(view: ReadView, query: PageQuery): readonly Row<NocMessage>[] {
  return outbox.page(view, query);
}
