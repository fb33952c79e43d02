import type { PlainStream } from './plain-stream.ts';

/** The web streams over a plain one. */
export interface WebHalves {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  /** Breaks the halves that are not over. */
  broken(error: Error, which: { readonly reading: boolean; readonly writing: boolean }): void;
}

/** Makes web streams over a plain one, which is theirs from here on. */
export function webHalves(plain: PlainStream): WebHalves {
  let reader: ReadableStreamDefaultController<Uint8Array> | undefined;
  let writer: WritableStreamDefaultController | undefined;
  let wanted: (() => void) | undefined;
  plain.onReadable(() => wanted?.());

  /** Gives the reader one piece, or the end; false: there is none. */
  const give = (): boolean => {
    const chunk = plain.take();
    if (chunk !== undefined) {
      reader?.enqueue(chunk);
      return true;
    }
    if (!plain.takenAll()) return false;
    reader?.close();
    return true;
  };

  const readable = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        reader = controller;
        if (plain.failure !== undefined) controller.error(plain.failure);
      },
      async pull() {
        while (plain.failure === undefined && !give()) {
          await new Promise<void>((resolve) => {
            wanted = resolve;
          });
        }
      },
      cancel: () => plain.cancelReading(),
    },
    { highWaterMark: 0 },
  );

  const writable = new WritableStream<Uint8Array>(
    {
      start(controller) {
        writer = controller;
        if (plain.failure !== undefined) controller.error(plain.failure);
      },
      write: (chunk) => told((done) => plain.write(chunk, done)),
      close: () => told((done) => plain.end(done)),
      abort: () => plain.abortWriting(),
    },
    { highWaterMark: 1 },
  );

  return {
    readable,
    writable,
    broken(error, { reading, writing }) {
      if (reading) reader?.error(error);
      if (writing) writer?.error(error);
    },
  };
}

function told(work: (done: (error?: Error) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => work((error) => (error === undefined ? resolve() : reject(error))));
}
