import { type Entropy, ProtocolError, toHex } from '@uemkit/protocol';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { lastEventSequence } from './events.ts';
import { sortable, type Table, table } from './table.ts';

/** Epochs that are remembered; with a forgotten one its positions are unknown. */
export const MAX_EVENT_EPOCHS = 256;

const EPOCH_BYTES = 8;
const POSITION = new RegExp(`^([0-9a-f]{${2 * EPOCH_BYTES}})-(0|[1-9]\\d{0,14})$`);

/** One start of UEM: its random name, and the number of the first event that was written after it. */
export interface EventEpoch {
  readonly epoch: string;
  readonly first: number;
}

const epochs: Table<EventEpoch> = table('event-epoch');

/** The epochs that are remembered, the oldest first. */
export function eventEpochs(view: ReadView): readonly EventEpoch[] {
  return epochs.page(view, { limit: MAX_EVENT_EPOCHS + 1 }).map(({ record }) => record);
}

/**
 * UEM has started: events from now on are of a new epoch. A state that was put back to an earlier time goes on under a name that the one before it never had, so nobody takes its events for
 * those that were lost.
 */
export function beginEventEpoch(tx: WriteView, entropy: Entropy): void {
  const rows = epochs.page(tx, { limit: MAX_EVENT_EPOCHS + 1 });
  const first = lastEventSequence(tx) + 1;
  const newest = rows.at(-1);
  // One without an event has named no position; the oldest has named the one before the first event.
  if (newest !== undefined && rows.length > 1 && newest.record.first === first) epochs.delete(tx, newest.id);
  else if (rows.length >= MAX_EVENT_EPOCHS) epochs.delete(tx, rows[0]?.id as string);
  const next = newest === undefined ? 1 : Number(newest.id) + 1;
  epochs.put(tx, sortable(next), { epoch: toHex(entropy.randomBytes(EPOCH_BYTES)), first });
}

/** Position of an event, `<epoch>-<sequence>`: the epoch that it was written in. What is older than the oldest epoch, 0 included, is named by that one. */
export function eventPosition(known: readonly EventEpoch[], sequence: number): string {
  const { epoch } = known.findLast(({ first }) => first <= sequence) ?? known[0] ?? {};
  if (epoch === undefined) throw new ProtocolError('ERR_INTERNAL', 'no epoch of events has begun');
  return `${epoch}-${sequence}`;
}

/** The number in a position; undefined for one that this state, whose newest event is `last`, has never given out. */
export function sequenceOfPosition(known: readonly EventEpoch[], last: number, position: string): number | undefined {
  const [, epoch, digits] = POSITION.exec(position) ?? [];
  const at = known.findIndex((one) => one.epoch === epoch);
  if (at === -1) return undefined;
  const sequence = Number(digits);
  const from = at === 0 ? 0 : (known[at] as EventEpoch).first;
  const to = (known[at + 1]?.first ?? last + 1) - 1;
  return sequence >= from && sequence <= to ? sequence : undefined;
}
