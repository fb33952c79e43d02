/** The part of `EventTarget` that users of a client need, typed by a map from event name to `detail`. */
export interface TypedEventTarget<Events extends object> {
  addEventListener<Name extends keyof Events & string>(
    name: Name,
    listener: (event: CustomEvent<Events[Name]>) => void,
    options?: { readonly once?: boolean; readonly signal?: AbortSignal },
  ): void;
  removeEventListener<Name extends keyof Events & string>(name: Name, listener: (event: CustomEvent<Events[Name]>) => void): void;
}

interface Listener {
  readonly name: string;
  readonly listener: (event: CustomEvent) => void;
  readonly once: boolean;
}

const NOBODY: readonly Listener[] = [];

/**
 * Typed events with the rules of the platform's `EventTarget`, in one list: thousands of clients share one process, and the maps and records of a platform
 * target are half a kilobyte for each. A target that nobody listens to builds no event objects. `target` of an event is null.
 */
export class EventEmitterTarget<Events extends object> implements TypedEventTarget<Events> {
  /** Replaced, never changed: a running `emit` goes over those who listened when it began. */
  #listeners: readonly Listener[] = NOBODY;

  addEventListener<Name extends keyof Events & string>(
    name: Name,
    listener: (event: CustomEvent<Events[Name]>) => void,
    { once = false, signal }: { readonly once?: boolean; readonly signal?: AbortSignal } = {},
  ): void {
    if (signal?.aborted || this.#listeners.some((known) => known.name === name && known.listener === listener)) return;
    this.#listeners = [...this.#listeners, { name, listener, once }];
    signal?.addEventListener('abort', () => this.removeEventListener(name, listener), { once: true });
  }

  removeEventListener<Name extends keyof Events & string>(name: Name, listener: (event: CustomEvent<Events[Name]>) => void): void {
    const left = this.#listeners.filter((known) => known.name !== name || known.listener !== listener);
    this.#listeners = left.length === 0 ? NOBODY : left;
  }

  /** Tells the listeners. An exception of a listener is reported by the platform and does not come back here. */
  protected emit<Name extends keyof Events & string>(name: Name, detail: Events[Name]): void {
    let event: CustomEvent<Events[Name]> | undefined;
    for (const known of this.#listeners) {
      // Not one that an earlier listener has removed.
      if (known.name !== name || !this.#listeners.includes(known)) continue;
      event ??= new CustomEvent(name, { detail });
      if (known.once) this.removeEventListener(name, known.listener);
      try {
        known.listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
