import { ProtocolError, type Store, type StoreWrite, toHex, utf8 } from '@uemkit/protocol';
import * as v from 'valibot';

/** What a device carried out, in order; written in the transaction that changes its state, so the audit can count executions. */
export interface Execution {
  readonly commandId: string;
  readonly type: string;
  readonly status: 'done' | 'failed';
  /** The device is another one since: a command that ends well may have had nothing to do. Entries of an older version do not say. */
  readonly changed?: boolean | undefined;
  readonly atMs: number;
}

/** Executions that a device keeps: the oldest go first. */
export const MAX_EXECUTIONS = 4_096;

/** Executions that GET_DEVICE_LOGS tells. */
export const MAX_LOGGED_EXECUTIONS = 64;

/** Keys of the log inside the store of a device. */
export const EXECUTION_PREFIX = 'os/executed/';

const stored = v.strictObject({
  commandId: v.string(),
  type: v.string(),
  status: v.picklist(['done', 'failed']),
  changed: v.optional(v.boolean()),
  atMs: v.number(),
});

function executionKey(ordinal: number): string {
  return EXECUTION_PREFIX + ordinal.toString(16).padStart(8, '0');
}

/** Writes that append the `ordinal`th execution (from 0) and drop the one that falls out of the bound. */
export function appendExecution(ordinal: number, commandId: Uint8Array, entry: Omit<Execution, 'commandId'>): readonly StoreWrite[] {
  const value = utf8(JSON.stringify({ ...entry, commandId: toHex(commandId) }));
  const write: StoreWrite = { key: executionKey(ordinal), value };
  return ordinal < MAX_EXECUTIONS ? [write] : [write, { key: executionKey(ordinal - MAX_EXECUTIONS), value: null }];
}

/** The newest executions of a device that has carried out `count`, oldest first. @throws ProtocolError `ERR_STORE_READ` */
export async function newestExecutions(store: Store, count: number): Promise<readonly Execution[]> {
  const first = Math.max(0, count - MAX_LOGGED_EXECUTIONS);
  const entries = await Promise.all(Array.from({ length: count - first }, (_, place) => store.get(executionKey(first + place))));
  return entries.flatMap((entry) => (entry === undefined ? [] : [decodeExecution(entry)]));
}

/** @throws ProtocolError `ERR_STORE_READ` */
export function decodeExecution(bytes: Uint8Array): Execution {
  try {
    return v.parse(stored, JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new ProtocolError('ERR_STORE_READ', 'an entry of the execution log is damaged', { cause });
  }
}
