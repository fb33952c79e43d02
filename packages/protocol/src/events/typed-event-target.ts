/** The part of `EventTarget` that users of a client need, typed by a map from event name to `detail`. */
export interface TypedEventTarget<Events extends object> {
  addEventListener<Name extends keyof Events & string>(
    name: Name,
    listener: (event: CustomEvent<Events[Name]>) => void,
    options?: { readonly once?: boolean; readonly signal?: AbortSignal },
  ): void;
  removeEventListener<Name extends keyof Events & string>(name: Name, listener: (event: CustomEvent<Events[Name]>) => void): void;
}

/**
 * Typed events over the platform's own `EventTarget`. A target that nobody listens to costs one empty field and builds no event objects,
 * because thousands of clients share one process.
 */
export class EventEmitterTarget<Events extends object> implements TypedEventTarget<Events> {
  #target: EventTarget | undefined;

  addEventListener<Name extends keyof Events & string>(
    name: Name,
    listener: (event: CustomEvent<Events[Name]>) => void,
    options: { readonly once?: boolean; readonly signal?: AbortSignal } = {},
  ): void {
    this.#target ??= new EventTarget();
    this.#target.addEventListener(name, listener as (event: Event) => void, options);
  }

  removeEventListener<Name extends keyof Events & string>(name: Name, listener: (event: CustomEvent<Events[Name]>) => void): void {
    this.#target?.removeEventListener(name, listener as (event: Event) => void);
  }

  /** Tells the listeners. An exception of a listener is reported by the platform and does not come back here. */
  protected emit<Name extends keyof Events & string>(name: Name, detail: Events[Name]): void {
    this.#target?.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
