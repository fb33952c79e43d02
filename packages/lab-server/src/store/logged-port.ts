import type { CommitLog, OpenedLog, Writes } from './commit-log.ts';
import type { CommitPort } from './group-commit.ts';
import type { ReadView } from './lab-store.ts';
import { OverlayView } from './overlay-view.ts';

/** Where the state is kept in order, slower than a log is written. */
export interface OrderedStore {
  /** What it holds. */
  readonly view: ReadView;
  /** Makes writes durable in one step. `through`: with these it holds everything up to the commit of this number. */
  write(writes: Writes, through?: number): Promise<void>;
  close(): Promise<void>;
}

export interface LoggedPortOptions extends OpenedLog {
  readonly store: OrderedStore;
  readonly gather?: () => Promise<void>;
  readonly limits?: Partial<LogLimits>;
}

/** When the log is carried over into the ordered store. */
export interface LogLimits {
  /** From this length of its file on, bytes. */
  readonly carryBytes: number;
  /** From here on commits wait for it, and are refused when it fails. */
  readonly mostBytes: number;
  /** Writes that the ordered store is given in one step: bounds how long the event loop is held. */
  readonly stepWrites: number;
}

/** What is in the log only is also in memory: some 6 MB at the first limit. */
const LIMITS: LogLimits = { carryBytes: 4_194_304, mostBytes: 16_777_216, stepWrites: 1_024 };

/**
 * Commits are durable when they are in the log: one write of a few pages side by side. The ordered store, whose pages lie all over its file, is given many of them at
 * once, each key once, while the next ones go into the log. Until then they are read from memory, and after a crash from the log.
 */
export function createLoggedPort({ log, commits, store, gather, limits }: LoggedPortOptions): CommitPort {
  const { carryBytes, mostBytes, stepWrites } = { ...LIMITS, ...limits };
  /** In the log, and not in the ordered store. BOUNDED by mostBytes. */
  let recent = new OverlayView(store.view);
  /** The part of it that is being carried over; `recent` stands on it. */
  let carried: { readonly overlay: OverlayView; readonly through: number } | undefined;
  let carrying: Promise<unknown> | undefined;
  /** After a failure: length of the log at which it is tried again. */
  let againAt = 0;
  for (const { writes } of commits) takeIn(recent, writes);

  /** @throws what the ordered store throws; everything is as before then */
  const carry = async (): Promise<void> => {
    if (carried === undefined) {
      carried = { overlay: recent, through: log.last };
      recent = new OverlayView(recent);
      log.cut();
    }
    const { overlay, through } = carried;
    // In order, so that a page is written by few steps. What a crash leaves of them is written once more from the log.
    const keys = [...overlay.writes.keys()].sort();
    for (let at = 0; at < keys.length; at += stepWrites) {
      const step = new Map(keys.slice(at, at + stepWrites).map((key) => [key, overlay.writes.get(key) ?? null]));
      await store.write(step, at + stepWrites < keys.length ? undefined : through);
    }
    recent.rebase(store.view);
    carried = undefined;
    againAt = 0;
    await forget(log, through);
  };

  const start = (): Promise<unknown> => {
    carrying ??= carry().finally(() => {
      carrying = undefined;
    });
    return carrying;
  };

  const startWhenDue = (): void => {
    if (carrying !== undefined || log.lengthBytes < Math.max(againAt, carryBytes)) return;
    // The commits are in the log: that they cannot be carried over now is nobody's error yet.
    start().catch(() => {
      againAt = log.lengthBytes + carryBytes / 4;
    });
  };

  return {
    view: { get: (key, often) => recent.get(key, often), range: (query) => recent.range(query) },
    async apply(writes) {
      if (log.lengthBytes >= mostBytes) await start();
      await log.append(writes);
      takeIn(recent, writes);
      startWhenDue();
    },
    async close() {
      await carrying?.catch(() => {});
      // What cannot be carried over is found in the log by whoever opens it next.
      while (carried !== undefined || recent.writes.size > 0) if (!(await succeeds(start()))) break;
      await log.close();
      await store.close();
    },
    ...(gather === undefined ? {} : { gather }),
  };
}

function takeIn(overlay: OverlayView, writes: Writes): void {
  for (const [key, value] of writes) overlay.set(key, value);
}

/** Files that cannot be deleted now are deleted with the next ones: their commits are known to be old. */
async function forget(log: CommitLog, through: number): Promise<void> {
  await log.forget(through).catch(() => {});
}

function succeeds(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}
