/** Resident memory stays when it changes by less than this from one collection to the next. */
const STABLE_KIB = 64;
const MAX_COLLECTIONS = 40;

/** Resident memory, KiB, collected until three collections in a row change nothing: native memory goes some turns after the objects that hold it. */
export async function settledRss(): Promise<number> {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error('run with --expose-gc');
  let last = Number.NaN;
  for (let same = 0, done = 0; same < 3 && done < MAX_COLLECTIONS; done++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = process.memoryUsage.rss() / 1_024;
    same = Math.abs(now - last) < STABLE_KIB ? same + 1 : 0;
    last = now;
  }
  return last;
}

/** Waits until the number of timers stays: polls are released and nothing else is under way. */
export async function atRest(count: () => number): Promise<void> {
  for (let same = 0, last = -1; same < 5; ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    same = count() === last ? same + 1 : 0;
    last = count();
  }
}
