import { ProtocolError, type Store, type StoreWrite, utf8 } from '@uemkit/protocol';
import { NEW_RUNTIME_RECORD, type RuntimeRecord } from '../runtime/runtime-machine.ts';

/** Reasons to lock, and how far a wipe has come. Not sealed: it has no secret, and has to be readable when the device key is gone. */
const RUNTIME_KEY = 'dynamics/runtime';
const FORMAT = 1;

export function writeRuntime(record: RuntimeRecord): StoreWrite {
  return { key: RUNTIME_KEY, value: utf8(JSON.stringify({ format: FORMAT, record })) };
}

/** @throws ProtocolError `ERR_STORE_READ` when it is damaged, `ERR_STORE_VERSION` when a later version wrote it */
export async function loadRuntime(store: Store): Promise<RuntimeRecord> {
  const value = await store.get(RUNTIME_KEY);
  if (value === undefined) return NEW_RUNTIME_RECORD;
  const { format, record } = parsed(value);
  if (format !== FORMAT) throw new ProtocolError('ERR_STORE_VERSION', 'the state of the runtime is of another version');
  if (record === undefined || !isRecord(record)) throw damaged();
  return record;
}

function parsed(value: Uint8Array): { readonly format?: unknown; readonly record?: Partial<RuntimeRecord> } {
  try {
    const content: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value));
    if (typeof content === 'object' && content !== null) return content;
  } catch {
    // Said below.
  }
  throw damaged();
}

function isRecord(record: Partial<RuntimeRecord>): record is RuntimeRecord {
  const { reasons, wiped, wipedBy, contactMs, latestMs } = record;
  return (
    (wiped === 'no' || wiped === 'wiping' || wiped === 'done') &&
    (wipedBy === 'GDErrorWiped' || wipedBy === 'GDErrorAppDenied') &&
    Number.isSafeInteger(contactMs) &&
    Number.isSafeInteger(latestMs) &&
    typeof reasons === 'object' &&
    Array.isArray(reasons?.blocks)
  );
}

function damaged(): ProtocolError {
  return new ProtocolError('ERR_STORE_READ', 'the state of the runtime is damaged');
}
