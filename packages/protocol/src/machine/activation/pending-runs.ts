/** Unfinished runs of a responder, bounded per source, in all, and in time. */
export class PendingRuns<Run extends { readonly source: string; readonly startedMs: number }> {
  readonly #limits: { readonly perSource: number; readonly inAll: number; readonly ageMs: number };
  /** In the order of their start. Bounded: `inAll`. */
  readonly #runs = new Map<string, Run>();
  /** Bounded: by the number of runs. */
  readonly #perSource = new Map<string, number>();
  readonly #forget: (run: Run) => void;

  /** `forget` wipes what a run holds; called once for each that leaves. */
  constructor(limits: { readonly perSource: number; readonly inAll: number; readonly ageMs: number }, forget: (run: Run) => void) {
    this.#limits = limits;
    this.#forget = forget;
  }

  get size(): number {
    return this.#runs.size;
  }

  /** Forgets the runs whose time is over. */
  expire(nowMs: number): void {
    for (const [id, run] of this.#runs) {
      // A clock that went back does not keep runs alive for longer than their time.
      if (Math.abs(nowMs - run.startedMs) < this.#limits.ageMs) return;
      this.delete(id);
    }
  }

  /** Whether `source` may have one more. */
  hasRoom(source: string): boolean {
    return this.#runs.size < this.#limits.inAll && (this.#perSource.get(source) ?? 0) < this.#limits.perSource;
  }

  get(id: string): Run | undefined {
    return this.#runs.get(id);
  }

  add(id: string, run: Run): void {
    this.#runs.set(id, run);
    this.#perSource.set(run.source, (this.#perSource.get(run.source) ?? 0) + 1);
  }

  delete(id: string): void {
    const run = this.#runs.get(id);
    if (run === undefined) return;
    this.#runs.delete(id);
    const left = (this.#perSource.get(run.source) as number) - 1;
    if (left === 0) this.#perSource.delete(run.source);
    else this.#perSource.set(run.source, left);
    this.#forget(run);
  }
}
