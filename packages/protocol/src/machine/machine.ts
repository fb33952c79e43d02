import type { ProtocolError } from '../errors/protocol-error.ts';
import type { StoreWrite } from '../ports/store.ts';

/**
 * A protocol role as pure code: bytes and time in, effects out. No promise, no timer, no socket.
 * `Request` is what it asks its driver to do (sign, stretch, execute), `Result` what comes back, `Event` what it tells, `Output` how it ends well.
 */
export interface Machine<Request, Result, Event, Output> {
  /** Name of the state, as in the transition table. */
  readonly state: string;
  /** Effects are carried out in order; `persist` comes before the `send` that depends on it. */
  handle(input: Input<Result>, nowMs: number): readonly Effect<Request, Event, Output>[];
}

export type Input<Result> =
  | { readonly type: 'start' }
  /** One whole frame. */
  | { readonly type: 'received'; readonly frame: Uint8Array }
  | { readonly type: 'timer'; readonly timer: string }
  /** The connection is gone; `error` says why when it did not end cleanly. */
  | { readonly type: 'closed'; readonly error?: ProtocolError }
  /** Answer to the one outstanding request. */
  | { readonly type: 'result'; readonly result: Result }
  | { readonly type: 'failed'; readonly error: ProtocolError };

export type Effect<Request, Event, Output> =
  | { readonly type: 'persist'; readonly writes: readonly StoreWrite[] }
  | { readonly type: 'send'; readonly frame: Uint8Array; readonly step: string }
  | { readonly type: 'arm-timer'; readonly timer: string; readonly afterMs: number }
  | { readonly type: 'cancel-timer'; readonly timer: string }
  /** At most one is outstanding; answered by `result` or `failed`. */
  | { readonly type: 'request'; readonly request: Request; readonly step: string }
  | { readonly type: 'emit'; readonly event: Event }
  | { readonly type: 'done'; readonly output: Output }
  | { readonly type: 'fail'; readonly error: ProtocolError };
