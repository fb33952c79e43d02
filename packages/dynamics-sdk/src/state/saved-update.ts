import { ProtocolError, type Store, type StoreWrite } from '@uemkit/protocol';
import { type AppConsole, decodeCborRecord, encodeCborRecord } from '@uemkit/protocol/wire';

const UPDATE_KEY = 'dynamics/update';
const FORMAT = 1;

/** What UEM has said of this app since its activation, beside the documents that took the place of those in the activation itself. Sealed, since it holds the unlock key. */
export interface SavedUpdate {
  readonly console?: AppConsole | undefined;
  /** False: durable, and not carried out yet, or not all of it. */
  readonly isApplied: boolean;
  /** The last lock that was carried out. */
  readonly lockId?: Uint8Array | undefined;
  /** The unlock key of UEM that was set last, and what the container tells it by. */
  readonly unlockKeyId?: Uint8Array | undefined;
  readonly unlockKeyTag?: Uint8Array | undefined;
}

export const NO_UPDATE: SavedUpdate = { isApplied: true };

/** What a wipe deletes of it. */
export const FORGET_UPDATE: StoreWrite = { key: UPDATE_KEY, value: null };

export function writeUpdate({ console, isApplied, lockId, unlockKeyId, unlockKeyTag }: SavedUpdate): StoreWrite {
  const record = { format: FORMAT, console: console && { ...console }, isApplied, lockId, unlockKeyId, unlockKeyTag };
  return { key: UPDATE_KEY, value: encodeCborRecord(record as unknown as Parameters<typeof encodeCborRecord>[0]) };
}

/** @throws ProtocolError `ERR_STORE_READ` when it is damaged, `ERR_STORE_VERSION` when a later version wrote it, `ERR_CRYPTO_OPEN` */
export async function loadUpdate(store: Store): Promise<SavedUpdate> {
  const value = await store.get(UPDATE_KEY);
  if (value === undefined) return NO_UPDATE;
  // What is sealed is what this app wrote: only its version has to be looked at.
  const { format, ...record } = decodeCborRecord(value);
  // check: version of what was saved
  if (format !== FORMAT) throw new ProtocolError('ERR_STORE_VERSION', 'what UEM has said since the activation was saved by another version');
  return record as unknown as SavedUpdate;
}
