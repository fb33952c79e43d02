import type { PlainStream } from '../connections/plain-stream.ts';
import type { ByteStream } from '../connections/way.ts';

/** A stream of another maker, by its web streams, as one that Node's `Duplex` can be made of. */
export function plainOver(stream: ByteStream): Omit<PlainStream, 'cancelReading' | 'abortWriting'> {
  const reader = stream.readable.getReader();
  const writer = stream.writable.getWriter();
  // Both promises say again what `closed` says.
  for (const { closed } of [reader, writer]) closed.catch(() => {});
  let next: Uint8Array | undefined;
  let isOver = false;
  let isReading = false;
  let failure: Error | undefined;
  let wake: () => void = () => {};

  const read = async (): Promise<void> => {
    if (isReading || isOver || failure !== undefined) return;
    isReading = true;
    try {
      let read = await reader.read();
      while (!read.done && read.value.length === 0) read = await reader.read();
      next = read.value;
      isOver = read.done;
    } catch (error) {
      failure = error as Error;
    }
    isReading = false;
    wake();
  };

  return {
    take() {
      const chunk = next;
      next = undefined;
      if (chunk === undefined) void read();
      return chunk;
    },
    takenAll: () => isOver,
    onReadable(told) {
      wake = told;
    },
    write(chunk, done) {
      // The stream keeps what it is given; a caller of Node may use its memory again after the callback.
      writer.write(new Uint8Array(chunk)).then(() => done(), done);
    },
    end(done) {
      writer.close().then(() => done(), done);
    },
    get failure() {
      return failure;
    },
  };
}
