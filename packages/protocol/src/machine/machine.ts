import type { ProtocolError } from '../errors/protocol-error.ts';
import type { StoreWrite } from '../ports/store.ts';

/**
 * A protocol role as pure code: bytes and time in, effects out. No promise, no timer, no socket.
 * `Request` is what it asks its driver to do (sign, stretch, execute), `Result` what comes back, `Event` what it tells, `Output` how it ends well,
 * `Call` what its owner may ask of it while it runs.
 */
export interface Machine<Request, Result, Event, Output, Call = never> {
  /** Name of the state, as in the transition table. */
  readonly state: string;
  /**
   * Effects are carried out in order; `persist` comes before the `send` that depends on it.
   * A `persist` that fails ends the run like a crash: drop the machine and build it again from the store.
   */
  handle(input: Input<Result, Call>, nowMs: number): readonly Effect<Request, Event, Output>[];
}

export type Input<Result, Call = never> =
  | { readonly type: 'start' }
  /** One whole frame. */
  | { readonly type: 'received'; readonly frame: Uint8Array }
  | { readonly type: 'timer'; readonly timer: string }
  /** The connection is gone; `error` says why when it did not end cleanly. */
  | { readonly type: 'closed'; readonly error?: ProtocolError | undefined }
  /** Answer to the one outstanding request. */
  | { readonly type: 'result'; readonly result: Result }
  | { readonly type: 'failed'; readonly error: ProtocolError }
  /** The owner of the machine wants something, for example a poll. */
  | { readonly type: 'call'; readonly call: Call };

export type Effect<Request, Event, Output> =
  | { readonly type: 'persist'; readonly writes: readonly StoreWrite[] }
  | { readonly type: 'send'; readonly frame: Uint8Array; readonly step: string }
  /** Arming a timer that is armed already sets it anew. */
  | { readonly type: 'arm-timer'; readonly timer: string; readonly afterMs: number }
  | { readonly type: 'cancel-timer'; readonly timer: string }
  /** At most one is outstanding; answered by `result` or `failed`. */
  | { readonly type: 'request'; readonly request: Request; readonly step: string }
  | { readonly type: 'emit'; readonly event: Event }
  /** The machine has ended well and takes no further input. */
  | { readonly type: 'done'; readonly output: Output }
  /** The machine has ended and takes no further input. */
  | { readonly type: 'fail'; readonly error: ProtocolError };
