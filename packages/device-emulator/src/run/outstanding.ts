/** Waits for a condition that events make true; checked after each event, so a wait costs nothing while nothing happens. */
export class Condition {
  readonly #waiting: Set<() => void> = new Set();

  /** Something happened that may have made a condition true. */
  changed(): void {
    for (const check of this.#waiting) check();
  }

  /** Resolves when `holds` is true; false when the signal is aborted first. */
  until(holds: () => boolean, signal: AbortSignal): Promise<boolean> {
    if (holds()) return Promise.resolve(true);
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (value: boolean): void => {
        this.#waiting.delete(check);
        signal.removeEventListener('abort', abort);
        resolve(value);
      };
      const check = (): void => {
        if (holds()) end(true);
      };
      const abort = (): void => end(false);
      this.#waiting.add(check);
      signal.addEventListener('abort', abort, { once: true });
    });
  }
}

/** Commands that were sent and that the server has no status of yet, per device. */
export class OutstandingCommands {
  // BOUNDED by the commands of the run.
  readonly #open: Map<number, Set<string>> = new Map();
  readonly #answered: Set<string> = new Set();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  of(index: number): number {
    return this.#open.get(index)?.size ?? 0;
  }

  sent(index: number, commandId: string): void {
    // The device may have been faster than the answer to the administrator.
    if (this.#answered.has(commandId)) return;
    const open = this.#open.get(index) ?? new Set<string>();
    this.#open.set(index, open);
    if (!open.has(commandId)) this.#count++;
    open.add(commandId);
  }

  answered(index: number, commandId: string): void {
    this.#answered.add(commandId);
    if (this.#open.get(index)?.delete(commandId) === true) this.#count--;
  }

  /** The device is not managed any more: nothing reaches it. */
  gone(index: number): void {
    this.#count -= this.of(index);
    this.#open.delete(index);
  }
}
