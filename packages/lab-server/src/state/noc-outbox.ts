import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type PageQuery, type Row, type Table, table } from './table.ts';

/** What the NOC is still to be told of an access key; the newest message about a key takes the place of the one before. */
export type NocMessage = { readonly kind: 'register' | 'withdraw' } | { readonly kind: 'used'; readonly linkId: string };

const outbox: Table<NocMessage> = table('noc-outbox');

/** Remembers what the NOC has to hear; a restarted server finds it again. `keyId` in hex. */
export function putNocMessage(tx: WriteView, keyId: string, message: NocMessage): void {
  outbox.put(tx, keyId, message);
}

export function nocMessage(view: ReadView, keyId: string): NocMessage | undefined {
  return outbox.get(view, keyId);
}

/** The NOC has heard it; a newer message about the key stays. */
export function deleteNocMessage(tx: WriteView, keyId: string, kind: NocMessage['kind']): void {
  if (outbox.get(tx, keyId)?.kind === kind) outbox.delete(tx, keyId);
}

/** What waits; row ids are key ids. */
export function listNocMessages(view: ReadView, query: PageQuery): readonly Row<NocMessage>[] {
  return outbox.page(view, query);
}
