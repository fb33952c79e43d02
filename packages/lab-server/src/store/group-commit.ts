import { ProtocolError } from '@uemkit/protocol';
import type { LabStore, ReadView, WriteView } from './lab-store.ts';
import { OverlayView } from './overlay-view.ts';

/** Transactions that share one commit. Bounds how long the event loop is held. */
const GROUP_TRANSACTIONS = 256;
/** Transactions that wait; more are refused at once, so that an overloaded server says so. */
export const MAX_WAITING_TRANSACTIONS = 10_000;

/** What a store brings along; the rest is the same for all. */
export interface CommitPort {
  /** The committed state. */
  readonly view: ReadView;
  /** Makes all writes durable in one step, or none. */
  apply(writes: ReadonlyMap<string, Uint8Array | null>): Promise<void>;
  close(): Promise<void>;
}

interface Waiting {
  run(group: OverlayView): void;
  settle(commitError: ProtocolError | undefined): void;
}

/**
 * A `LabStore` that commits in groups: transactions that come in while a commit is on its way to the disk run together afterwards, one after
 * the other in memory, and share the next commit. One disk flush serves many requests, and no result leaves before its own flush.
 */
export function createGroupCommit(port: CommitPort): LabStore {
  // BOUNDED by MAX_WAITING_TRANSACTIONS.
  let waiting: Waiting[] = [];
  let working: Promise<void> | undefined;
  let state: 'open' | 'in-function' | 'closed' = 'open';

  const call = <T, V>(fn: (view: V) => T, view: V): T => {
    state = 'in-function';
    try {
      const result = fn(view);
      if (!(result instanceof Promise)) return result;
      result.catch(() => {});
      throw new ProtocolError('ERR_USAGE_ARGUMENT', 'a store function must be synchronous');
    } finally {
      state = 'open';
    }
  };

  const checkOpen = (): void => {
    if (state !== 'open') throw new ProtocolError('ERR_USAGE_STATE', 'the store is closed, or a store function calls the store');
  };

  const commitGroup = async (group: readonly Waiting[]): Promise<void> => {
    const overlay = new OverlayView(port.view);
    for (const transaction of group) transaction.run(overlay);
    let commitError: ProtocolError | undefined;
    if (overlay.writes.size > 0) {
      await port.apply(overlay.writes).catch((cause: unknown) => {
        const reason = cause instanceof Error ? cause.message : 'unknown';
        commitError = new ProtocolError('ERR_STORE_WRITE', 'the state could not be saved', { cause, details: { reason } });
      });
    }
    for (const transaction of group) transaction.settle(commitError);
  };

  const work = async (): Promise<void> => {
    // Whoever calls in this turn is still part of the first group.
    await Promise.resolve();
    while (waiting.length > 0) {
      const group = waiting.slice(0, GROUP_TRANSACTIONS);
      waiting = waiting.slice(GROUP_TRANSACTIONS);
      await commitGroup(group);
    }
    working = undefined;
  };

  return {
    read(fn) {
      checkOpen();
      return call(fn, port.view);
    },
    async transaction<T>(fn: (tx: WriteView) => T): Promise<T> {
      checkOpen();
      if (waiting.length >= MAX_WAITING_TRANSACTIONS) throw new ProtocolError('ERR_REJECTED_BUSY', 'too many transactions are waiting');
      return new Promise<T>((resolve, reject) => {
        let outcome: { readonly ok: true; readonly result: T } | { readonly ok: false; readonly error: unknown } | undefined;
        waiting.push({
          run(group) {
            const own = new OverlayView(group);
            try {
              outcome = { ok: true, result: call<T, WriteView>(fn, own) };
              for (const [key, value] of own.writes) group.writes.set(key, value);
            } catch (error) {
              outcome = { ok: false, error };
            }
          },
          settle(commitError) {
            if (outcome?.ok === false) reject(outcome.error);
            else if (commitError !== undefined || outcome === undefined) reject(commitError);
            else resolve(outcome.result);
          },
        });
        working ??= work();
      });
    },
    async close() {
      if (state === 'closed') return;
      while (working !== undefined) await working;
      state = 'closed';
      await port.close();
    },
  };
}
