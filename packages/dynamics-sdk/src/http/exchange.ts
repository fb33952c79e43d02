import { type Clock, ProtocolError } from '@uemkit/protocol';
import type { ByteStream } from '../connections/way.ts';
import { type AnswerEvent, AnswerParser } from './answer-parser.ts';
import type { AnswerHead } from './head.ts';
import type { RequestBody } from './request.ts';
import { type Upload, upload } from './upload.ts';

/** From the request to the head of its answer, milliseconds; as undici has it. */
const HEAD_MS = 300_000;

export interface Answer {
  readonly head: AnswerHead;
  /** Null: there is none. Errors with a `TypeError` whose `cause` says why, or with the reason of an abort. */
  readonly body: ReadableStream<Uint8Array> | null;
}

/** What is sent. */
export interface Sent {
  readonly method: string;
  /** Of `requestHead`. */
  readonly head: Uint8Array;
  readonly body: RequestBody | undefined;
}

export interface ExchangeOptions {
  readonly clock: Clock;
  /** Ends request and body. */
  readonly signal: AbortSignal;
}

/**
 * One request and its answer over one stream, which is theirs alone. Back-pressure goes through both ways: a body of which nobody reads is not read from the stream.
 * @throws ProtocolError what has ended the stream, `ERR_WIRE_*` for an answer that is none, `ERR_TRANSPORT_TIMEOUT`; what the body of the request failed with; `signal.reason`
 */
export async function exchange(stream: ByteStream, sent: Sent, options: ExchangeOptions): Promise<Answer> {
  const running = new Exchange(stream, sent, options);
  return running.answer();
}

class Exchange {
  readonly #stream: ByteStream;
  readonly #signal: AbortSignal;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #parser: AnswerParser;
  readonly #upload: Upload;
  readonly #cancelTimer: () => void;
  readonly #aborted = (): void => void this.#fail(this.#signal.reason);
  #failure: { readonly error: unknown } | undefined;
  /** Parts of the body that came with the head. */
  #waiting: AnswerEvent[] = [];

  constructor(stream: ByteStream, { method, head, body }: Sent, { clock, signal }: ExchangeOptions) {
    this.#stream = stream;
    this.#signal = signal;
    this.#parser = new AnswerParser(method);
    this.#reader = stream.readable.getReader();
    // Both say again what `read` says.
    for (const { closed } of [stream, this.#reader]) closed.catch(() => {});
    this.#cancelTimer = clock.setTimer(HEAD_MS, () => this.#fail(new ProtocolError('ERR_TRANSPORT_TIMEOUT', 'the server does not answer')));
    signal.addEventListener('abort', this.#aborted, { once: true });
    this.#upload = upload(stream.writable, head, body);
    this.#upload.done.catch((error: unknown) => this.#fail(error));
  }

  async answer(): Promise<Answer> {
    try {
      for (;;) {
        const events = await this.#read();
        const at = events.findIndex(({ type }) => type === 'head');
        if (at === -1) continue;
        const { head, hasBody } = events[at] as AnswerEvent & { readonly type: 'head' };
        this.#cancelTimer();
        if (!hasBody) {
          this.#over();
          return { head, body: null };
        }
        this.#waiting = events.slice(at + 1);
        return { head, body: this.#body() };
      }
    } catch (error) {
      throw this.#fail(error);
    }
  }

  #body(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          try {
            for (let isGiven = false; !isGiven; ) {
              if (this.#failure !== undefined) throw this.#failure.error;
              const events = this.#waiting.length > 0 ? this.#waiting.splice(0) : await this.#read();
              for (const event of events) {
                if (event.type === 'data') controller.enqueue(event.bytes);
                else {
                  this.#over();
                  controller.close();
                }
                isGiven = true;
              }
            }
          } catch (cause) {
            const error = this.#fail(cause);
            throw this.#signal.aborted && error === this.#signal.reason ? error : new TypeError('terminated', { cause: error });
          }
        },
        cancel: () => this.#over(),
      },
      { highWaterMark: 0 },
    );
  }

  async #read(): Promise<AnswerEvent[]> {
    const { done, value } = await this.#reader.read();
    return done ? this.#parser.end() : this.#parser.push(value);
  }

  /** The first reason is the one that counts. @returns it */
  #fail(error: unknown): unknown {
    if (this.#failure === undefined) {
      this.#failure = { error };
      this.#over(error instanceof Error ? error : new ProtocolError('ERR_USAGE_STATE', 'the request was given up', { cause: error }));
    }
    return this.#failure.error;
  }

  /** The answer is whole, or nobody wants the rest; also a request that is still being sent ends. */
  #over(error?: Error): void {
    this.#failure ??= { error: undefined };
    this.#signal.removeEventListener('abort', this.#aborted);
    this.#cancelTimer();
    this.#upload.stop();
    this.#stream.destroy(error);
  }
}
