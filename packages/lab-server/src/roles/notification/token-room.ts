import type { WriteView } from '../../store/lab-store.ts';
import { deleteToken, gone, renewUnnamed, tokens, unnamed } from './push-tokens.ts';

/** Tokens that one registration looks at when all places are taken. */
const ROOM_ROWS = 64;
/** Tokens that the last resort looks at. */
const SWEEP_ROWS = 1_000;

export interface RoomOptions {
  readonly nowMs: number;
  /** A token that its device did not use for so long makes room. */
  readonly tokenLifeMs: number;
  /** A token that no notification has ever named makes room after this time. */
  readonly unnamedLifeMs: number;
  /** Where the last resort begins; chance chooses it. */
  readonly start: string;
  /** True while the device of this token is connected. */
  isConnected(key: string): boolean;
}

/**
 * Makes room for a new token, by a bounded amount of work: those that are gone first, then those that no notification has ever named, oldest first, then those
 * that their devices left long ago. Anybody may register, so without the second a stranger could hold all places for a month. True when there is room now.
 */
export function makeRoom(tx: WriteView, options: RoomOptions): boolean {
  return forgetGone(tx) || forgetUnnamed(tx, options) || forgetUnused(tx, options);
}

function forgetGone(tx: WriteView): boolean {
  const rows = gone.page(tx, { limit: ROOM_ROWS });
  for (const { record } of rows) forget(tx, record.key);
  return rows.length > 0;
}

function forgetUnnamed(tx: WriteView, { nowMs, unnamedLifeMs, isConnected }: RoomOptions): boolean {
  let freed = false;
  for (const { record: reference } of unnamed.page(tx, { limit: ROOM_ROWS })) {
    const record = tokens.get(tx, reference.key);
    if (record?.unnamedSinceMs === undefined || nowMs - record.unnamedSinceMs < unnamedLifeMs) break;
    // Moved to the end of the list: connected devices at its head would hide the others behind them from every later look.
    if (isConnected(reference.key)) renewUnnamed(tx, reference.key, record, nowMs);
    else {
      deleteToken(tx, reference.key, record);
      freed = true;
    }
  }
  return freed;
}

function forgetUnused(tx: WriteView, { nowMs, tokenLifeMs, start, isConnected }: RoomOptions): boolean {
  const rows = tokens.page(tx, { after: start, limit: SWEEP_ROWS }).filter(({ id, record }) => record.seenAtMs < nowMs - tokenLifeMs && !isConnected(id));
  for (const { id, record } of rows) deleteToken(tx, id, record);
  return rows.length > 0;
}

function forget(tx: WriteView, key: string): void {
  const record = tokens.get(tx, key);
  if (record !== undefined) deleteToken(tx, key, record);
}
