import type { WriteView } from '../store/lab-store.ts';

/** A change that is checked as far as it can be without the state, and made in a transaction of the caller: what goes with it shares the transaction. */
export interface PlannedChange<T> {
  /** Makes it. What it throws undoes the transaction. @throws AdminProblem */
  make(tx: WriteView): T;
  /** To be called once, when the transaction is durable: wakes devices, sends mails, tells other roles. Neither throws nor rejects; the answer waits for it. */
  durable(made: T): void | Promise<void>;
}

/** The same change with something else to show for it. */
export function mapChange<T, U>({ make, durable }: PlannedChange<T>, map: (made: T) => U): PlannedChange<U> {
  let kept: T;
  return {
    make(tx) {
      kept = make(tx);
      return map(kept);
    },
    durable: () => durable(kept),
  };
}

/** Makes a change in a transaction of its own. */
export async function carryOut<T>(store: { transaction<R>(fn: (tx: WriteView) => R): Promise<R> }, { make, durable }: PlannedChange<T>): Promise<T> {
  const made = await store.transaction(make);
  await durable(made);
  return made;
}
