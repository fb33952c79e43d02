import { ProtocolError } from '@uemkit/protocol';

const nothing = (): void => {};

/** One call after the other: each sees what the one before it has made durable. */
export class Turns {
  readonly #closing = new AbortController();
  #tail: Promise<unknown> = Promise.resolve();

  /** Aborts when the runtime closes. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** @throws ProtocolError `ERR_USAGE_STATE` once the runtime is closed */
  next<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(() => {
      this.#closing.signal.throwIfAborted();
      return work();
    });
    // What it came to is the caller's alone.
    this.#tail = result.then(nothing, nothing);
    return result;
  }

  /** The same for what nobody waits for: nothing is lost with one that fails, or that comes while the runtime closes. */
  nextUnheard(work: () => Promise<void>): void {
    this.next(work).catch(() => {});
  }

  /** No call begins any more, and the one under way is told to end. */
  end(): void {
    this.#closing.abort(new ProtocolError('ERR_USAGE_STATE', 'the runtime is closed'));
  }

  /** The call under way has ended. */
  async settled(): Promise<void> {
    await this.#tail;
  }
}
