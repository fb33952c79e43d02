import { ProtocolError } from '@uemkit/protocol';
import type { ByteStream } from './way.ts';

/** What a stream of bytes asks of whatever carries it. Must not throw. */
export interface PipePorts {
  /** Bytes that may be sent now; 0: wait for `room`. */
  credit(): number;
  send(bytes: Uint8Array): void;
  /** Everything was sent. */
  end(): void;
  /** Nobody wants the stream any more. */
  cancel(): void;
  /** So many received bytes were taken by the reader. */
  consumed(bytes: number): void;
}

/** The carrier's end of one stream of bytes. */
export interface Pipe {
  readonly stream: ByteStream;
  /** More may be sent. */
  room(): void;
  received(bytes: Uint8Array): void;
  /** The other end sends no more. */
  ended(): void;
  /** Both halves break; the error is what the app sees. */
  broken(error: Error): void;
}

/** A chunk of the app is cut into pieces of this size at most, so that others have their turn. */
const MAX_PIECE_BYTES = 16_352;

/** One stream of bytes as web streams: what was received waits here until it is read, and `credit` bounds how much that can be. */
export function createPipe(ports: PipePorts): Pipe {
  let reader: ReadableStreamDefaultController<Uint8Array> | undefined;
  let writer: WritableStreamDefaultController | undefined;
  // BOUNDED by the window of the carrier.
  const waiting: Uint8Array[] = [];
  let wanted: (() => void) | undefined;
  let roomFor: (() => void) | undefined;
  let failure: Error | undefined;
  let hasEnded = false;
  let isReadDone = false;
  let isWriteDone = false;
  let settle: { resolve(): void; reject(error: Error): void } | undefined;
  const closed = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Who does not ask how it ended is not to be told by a crash.
  closed.catch(() => {});

  const maybeClosed = (): void => {
    if (isReadDone && isWriteDone) settle?.resolve();
  };
  const broken = (error: Error): void => {
    if (failure !== undefined || (isReadDone && isWriteDone)) return;
    failure = error;
    waiting.length = 0;
    if (!isReadDone) reader?.error(error);
    if (!isWriteDone) writer?.error(error);
    wanted?.();
    roomFor?.();
    settle?.reject(error);
  };
  const readDone = (): void => {
    isReadDone = true;
    maybeClosed();
  };

  /** Gives the reader one piece; false: there is none. */
  const give = (): boolean => {
    const chunk = waiting.shift();
    if (chunk !== undefined) {
      reader?.enqueue(chunk);
      ports.consumed(chunk.length);
      return true;
    }
    if (!hasEnded || isReadDone) return isReadDone;
    reader?.close();
    readDone();
    return true;
  };

  const readable = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        reader = controller;
      },
      async pull() {
        while (failure === undefined && !give()) {
          await new Promise<void>((resolve) => {
            wanted = resolve;
          });
        }
      },
      cancel() {
        isReadDone = true;
        if (failure !== undefined) return;
        // Nobody reads any more: what still comes cannot be refused apart from what is sent, so both halves end.
        ports.cancel();
        broken(new ProtocolError('ERR_USAGE_STATE', 'the stream was given up'));
      },
    },
    { highWaterMark: 0 },
  );

  const writable = new WritableStream<Uint8Array>(
    {
      start(controller) {
        writer = controller;
      },
      async write(chunk) {
        for (let at = 0; at < chunk.length; ) {
          if (failure !== undefined) throw failure;
          const piece = Math.min(ports.credit(), chunk.length - at, MAX_PIECE_BYTES);
          if (piece > 0) ports.send(chunk.subarray(at, at + piece));
          else {
            await new Promise<void>((resolve) => {
              roomFor = resolve;
            });
          }
          at += piece;
        }
      },
      close() {
        if (failure !== undefined) throw failure;
        isWriteDone = true;
        ports.end();
        maybeClosed();
      },
      abort() {
        isWriteDone = true;
        if (failure !== undefined) return;
        ports.cancel();
        broken(new ProtocolError('ERR_USAGE_STATE', 'the stream was given up'));
      },
    },
    { highWaterMark: 1 },
  );

  return {
    stream: {
      readable,
      writable,
      closed,
      destroy(error) {
        if (failure !== undefined || (isReadDone && isWriteDone)) return;
        ports.cancel();
        broken(error ?? new ProtocolError('ERR_USAGE_STATE', 'the stream was given up'));
      },
    },
    room: () => roomFor?.(),
    received(bytes) {
      if (failure !== undefined || isReadDone) return;
      waiting.push(bytes);
      wanted?.();
    },
    ended() {
      hasEnded = true;
      wanted?.();
    },
    broken,
  };
}
