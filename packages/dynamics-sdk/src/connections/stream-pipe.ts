import { ProtocolError } from '@uemkit/protocol';
import type { PlainStream } from './plain-stream.ts';
import type { ByteStream } from './way.ts';
import { type WebHalves, webHalves } from './web-halves.ts';

/** What a stream of bytes asks of whatever carries it. Must not throw. */
export interface PipePorts {
  /** Bytes that may be sent now; 0: wait for `room`. */
  credit(): number;
  /** The bytes are the caller's again when it returns. */
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
const MAX_PIECE_BYTES = 65_536;

// An entry goes with its stream.
const PLAIN = new WeakMap<ByteStream, PlainStream>();

/** The plain form of a stream that `createPipe` has made; undefined for any other. */
export function plainStream(stream: ByteStream): PlainStream | undefined {
  return PLAIN.get(stream);
}

/** One stream of bytes: what was received waits here until it is read, and `credit` bounds how much that can be. */
export function createPipe(ports: PipePorts): Pipe {
  // BOUNDED by the window of the carrier.
  const waiting: Uint8Array[] = [];
  let wake: () => void = () => {};
  let writing: { readonly chunk: Uint8Array; at: number; readonly done: (error?: Error) => void } | undefined;
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
    halves?.broken(error, { reading: !isReadDone, writing: !isWriteDone });
    wake();
    advance();
    settle?.reject(error);
  };
  const givenUp = (): void => {
    if (failure !== undefined) return;
    ports.cancel();
    broken(new ProtocolError('ERR_USAGE_STATE', 'the stream was given up'));
  };

  /** Sends what is being written, as far as there is room. */
  const advance = (): void => {
    for (let now = writing; now !== undefined; now = writing) {
      const { chunk, at, done } = now;
      if (failure !== undefined || at === chunk.length) {
        writing = undefined;
        done(failure);
        continue;
      }
      const piece = Math.min(ports.credit(), chunk.length - at, MAX_PIECE_BYTES);
      if (piece <= 0) return;
      now.at += piece;
      ports.send(chunk.subarray(at, at + piece));
    }
  };

  const plain: PlainStream = {
    take() {
      const chunk = waiting.shift();
      if (chunk !== undefined) ports.consumed(chunk.length);
      return chunk;
    },
    takenAll() {
      if (isReadDone || failure !== undefined || !hasEnded || waiting.length > 0) return isReadDone;
      isReadDone = true;
      maybeClosed();
      return true;
    },
    onReadable(told) {
      wake = told;
    },
    cancelReading() {
      givenUp();
      isReadDone = true;
    },
    write(chunk, done) {
      writing = { chunk, at: 0, done };
      advance();
    },
    end(done) {
      if (failure === undefined) {
        isWriteDone = true;
        ports.end();
        maybeClosed();
      }
      done(failure);
    },
    abortWriting() {
      givenUp();
      isWriteDone = true;
    },
    get failure() {
      return failure;
    },
  };
  let halves: WebHalves | undefined;
  const web = (): WebHalves => {
    halves ??= webHalves(plain);
    return halves;
  };

  const stream: ByteStream = {
    get readable() {
      return web().readable;
    },
    get writable() {
      return web().writable;
    },
    closed,
    destroy(error) {
      if (failure !== undefined || (isReadDone && isWriteDone)) return;
      ports.cancel();
      broken(error ?? new ProtocolError('ERR_USAGE_STATE', 'the stream was given up'));
    },
  };
  PLAIN.set(stream, plain);
  return {
    stream,
    room: advance,
    received(bytes) {
      if (failure !== undefined || isReadDone) return;
      waiting.push(bytes);
      wake();
    },
    ended() {
      hasEnded = true;
      wake();
    },
    broken,
  };
}
