import { ProtocolError } from '@uemkit/protocol';
import type { LabStore, ReadView, WriteView } from './lab-store.ts';
import { OverlayView } from './overlay-view.ts';

/** Transactions that share one commit. Bounds how long the event loop is held. */
const GROUP_TRANSACTIONS = 256;
/** Transactions that wait; more are refused at once, so that an overloaded server says so. */
export const MAX_WAITING_TRANSACTIONS = 10_000;

/** Resolved: what hangs on it runs when the caller has gone on. */
const TURN: Promise<void> = Promise.resolve();

/** What a store brings along; the rest is the same for all. */
export interface CommitPort {
  /** The committed state. */
  readonly view: ReadView;
  /** Makes all writes durable in one step, or none. */
  apply(writes: ReadonlyMap<string, Uint8Array | null>): Promise<void>;
  close(): Promise<void>;
  /** Waits for what is about to come in and can share the commit; absent: nothing is waited for. */
  gather?(): Promise<void>;
}

/** A transaction from the call to its result. */
class Transaction<T = unknown> {
  private readonly fn: (tx: WriteView) => T;
  private readonly resolve: (result: T) => void;
  private readonly reject: (error: unknown) => void;
  private result: T | undefined;
  private error: unknown;
  private hasFailed = false;

  constructor(fn: (tx: WriteView) => T, resolve: (result: T) => void, reject: (error: unknown) => void) {
    this.fn = fn;
    this.resolve = resolve;
    this.reject = reject;
  }

  run(group: OverlayView): void {
    try {
      this.result = group.run((own) => synchronous(this.fn, own));
    } catch (error) {
      this.hasFailed = true;
      this.error = error;
    }
  }

  settle(commitError: ProtocolError | undefined): void {
    // A refusal, too, may rest on what was not written.
    if (commitError !== undefined) this.reject(commitError);
    else if (this.hasFailed) this.reject(this.error);
    else this.resolve(this.result as T);
  }
}

/** Transactions that were run one after the other, in memory, and share a commit. */
interface Group {
  readonly overlay: OverlayView;
  readonly transactions: Transaction[];
}

/**
 * A `LabStore` that commits in groups. While one group is on its way to the disk, the next one runs in memory on top of it; no result leaves before the flush of
 * its own group. One flush serves many requests, and neither the disk nor the processor waits for the other. A group that could not be written takes the one that
 * stands on it along.
 */
export function createGroupCommit(port: CommitPort): LabStore {
  const groupOn = (base: ReadView): Group => ({ overlay: new OverlayView(base), transactions: [] });
  // BOUNDED by MAX_WAITING_TRANSACTIONS.
  let waiting: Transaction[] = [];
  // BOUNDED by GROUP_TRANSACTIONS.
  let ahead = groupOn(port.view);
  let working: Promise<void> | undefined;
  /** Once for all who call in one turn. */
  let isRunPlanned = false;
  let state: 'open' | 'in-function' | 'closed' = 'open';

  const call = <T>(fn: () => T): T => {
    state = 'in-function';
    try {
      return fn();
    } finally {
      state = 'open';
    }
  };

  const checkOpen = (): void => {
    if (state !== 'open') throw new ProtocolError('ERR_USAGE_STATE', 'the store is closed, or a store function calls the store');
  };

  const runWaiting = (): void => {
    const room = GROUP_TRANSACTIONS - ahead.transactions.length;
    if (room === 0 || waiting.length === 0) return;
    const running = waiting;
    waiting = running.length > room ? running.splice(room) : [];
    for (const transaction of running) {
      call(() => transaction.run(ahead.overlay));
      ahead.transactions.push(transaction);
    }
  };

  const runPlanned = (): void => {
    isRunPlanned = false;
    runWaiting();
  };

  /** Resolves with why the writes could not be made durable. */
  const commit = async ({ overlay }: Group): Promise<ProtocolError | undefined> => {
    if (overlay.writes.size === 0) return undefined;
    try {
      await port.apply(overlay.writes);
      return undefined;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : 'unknown';
      return new ProtocolError('ERR_STORE_WRITE', 'the state could not be saved', { cause, details: { reason } });
    }
  };

  const settle = ({ transactions }: Group, commitError: ProtocolError | undefined): void => {
    for (const transaction of transactions) transaction.settle(commitError);
  };

  const work = async (): Promise<void> => {
    // Whoever calls in this turn is still part of the first group.
    await Promise.resolve();
    for (runWaiting(); ahead.transactions.length > 0; runWaiting()) {
      if (port.gather !== undefined && ahead.transactions.length < GROUP_TRANSACTIONS) {
        await port.gather();
        runWaiting();
      }
      const group = ahead;
      ahead = groupOn(group.overlay);
      const commitError = await commit(group);
      settle(group, commitError);
      if (commitError === undefined) ahead.overlay.rebase(port.view);
      else {
        settle(ahead, commitError);
        ahead = groupOn(port.view);
      }
    }
    working = undefined;
  };

  return {
    read(fn) {
      checkOpen();
      return call(() => synchronous(fn, port.view));
    },
    transaction<T>(fn: (tx: WriteView) => T): Promise<T> {
      try {
        checkOpen();
        if (waiting.length >= MAX_WAITING_TRANSACTIONS) throw new ProtocolError('ERR_REJECTED_BUSY', 'too many transactions are waiting');
      } catch (error) {
        return Promise.reject(error);
      }
      return new Promise<T>((resolve, reject) => {
        waiting.push(new Transaction(fn, resolve, reject) as Transaction);
        if (working === undefined) working = work();
        else if (!isRunPlanned) {
          isRunPlanned = true;
          void TURN.then(runPlanned);
        }
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

/** @throws ProtocolError `ERR_USAGE_ARGUMENT` for a function that goes on after it has returned */
function synchronous<T, V>(fn: (view: V) => T, view: V): T {
  const result = fn(view);
  if (!(result instanceof Promise)) return result;
  result.catch(() => {});
  throw new ProtocolError('ERR_USAGE_ARGUMENT', 'a store function must be synchronous');
}
