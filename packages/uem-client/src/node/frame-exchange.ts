import type { Dispatcher } from 'undici';
import type { ExchangeRequest } from '../transport.ts';
import { answerTooLong, checkAnswerHead, FRAME_MEDIA_TYPE, MAX_ANSWER_BYTES, servicePath } from '../transports/binding.ts';
import { transportError } from './transport-error.ts';

const HEADERS: Readonly<Record<string, string>> = { 'content-type': FRAME_MEDIA_TYPE, accept: FRAME_MEDIA_TYPE };

/**
 * Sends one frame and takes one. Uses `dispatch`, undici's lowest level: no streams, no promises but one.
 * @throws `ERR_TRANSPORT_*`, `ERR_REJECTED_BUSY`, `ERR_WIRE_LIMIT`; `signal.reason` after an abort
 */
export function exchangeFrame(dispatcher: Dispatcher, request: ExchangeRequest): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(
      {
        origin: `https://${request.address}`,
        path: servicePath(request.service),
        method: 'POST',
        headers: HEADERS,
        body: request.frame,
      },
      new FrameHandler(request.signal, resolve, reject),
    );
  });
}

class FrameHandler implements Dispatcher.DispatchHandler {
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (frame: Uint8Array) => void;
  readonly #reject: (error: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #first: Uint8Array | undefined;
  /** Bounded by `MAX_ANSWER_BYTES` in total; unused when the answer comes in one piece. */
  #more: Uint8Array[] | undefined;
  #lengthBytes = 0;

  constructor(signal: AbortSignal | undefined, resolve: (frame: Uint8Array) => void, reject: (error: unknown) => void) {
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    signal?.addEventListener('abort', this, { once: true });
  }

  /** The caller aborts: the connection is in an unknown state and goes, too. */
  handleEvent(): void {
    this.#end();
    this.#reject(this.#signal?.reason);
    this.#controller?.abort(asError(this.#signal?.reason));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#signal?.aborted) controller.abort(asError(this.#signal.reason));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return;
    try {
      checkAnswerHead(status, single(headers['content-type']), single(headers['retry-after']));
    } catch (error) {
      this.#refuse(controller, error);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#lengthBytes += chunk.length;
    if (this.#lengthBytes > MAX_ANSWER_BYTES) this.#refuse(controller, answerTooLong());
    // A copy, because the parser reuses its memory (and `slice` of a Buffer is a view).
    else if (this.#first === undefined) this.#first = new Uint8Array(chunk);
    else {
      this.#more ??= [];
      this.#more.push(new Uint8Array(chunk));
    }
  }

  onResponseEnd(): void {
    this.#end();
    const first = this.#first ?? new Uint8Array(0);
    this.#resolve(this.#more === undefined ? first : joined(first, this.#more, this.#lengthBytes));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end();
    this.#reject(this.#signal?.aborted ? this.#signal.reason : transportError(error));
  }

  #refuse(controller: Dispatcher.DispatchController, error: unknown): void {
    this.#end();
    this.#reject(error);
    controller.abort(asError(error));
  }

  #end(): void {
    this.#signal?.removeEventListener('abort', this);
  }
}

function joined(first: Uint8Array, more: readonly Uint8Array[], lengthBytes: number): Uint8Array {
  const whole = new Uint8Array(lengthBytes);
  whole.set(first);
  let at = first.length;
  for (const chunk of more) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}
