import { utf8 } from '@uemkit/protocol';
import type { RequestBody } from './request.ts';

/** A body of bytes is written in pieces of this size: each is a copy, since a redirect may need the bytes again. */
const PIECE_BYTES = 65_536;

/** A request that is being sent. */
export interface Upload {
  /** Rejects with what the body of the app failed with, or the stream. */
  readonly done: Promise<void>;
  /** Nobody needs the rest. */
  stop(): void;
}

/** Writes head and body at the pace of the stream. Its half stays open behind them: servers take its end for a client that has gone. */
export function upload(writable: WritableStream<Uint8Array>, head: Uint8Array, body: RequestBody | undefined): Upload {
  const writer = writable.getWriter();
  // It says again what a write says.
  writer.closed.catch(() => {});
  const stopped = new AbortController();
  const send = async (): Promise<void> => {
    await writer.write(head);
    if (body?.kind === 'bytes') await sendBytes(writer, body.bytes, stopped.signal);
    if (body?.kind === 'stream') await sendStream(writer, body, stopped.signal);
  };
  return { done: send(), stop: () => stopped.abort() };
}

type Writer = WritableStreamDefaultWriter<Uint8Array>;

async function sendBytes(writer: Writer, bytes: Uint8Array, { aborted }: AbortSignal): Promise<void> {
  for (let at = 0; at < bytes.length && !aborted; at += PIECE_BYTES) await writer.write(bytes.slice(at, at + PIECE_BYTES));
}

async function sendStream(writer: Writer, { stream, lengthBytes }: RequestBody & { readonly kind: 'stream' }, signal: AbortSignal): Promise<void> {
  const reader = stream.getReader();
  const stop = (): void => void reader.cancel().catch(() => {});
  signal.addEventListener('abort', stop, { once: true });
  let sentBytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (signal.aborted) return;
      if (done) break;
      // check: a body is bytes
      if (!(value instanceof Uint8Array)) throw new TypeError('a body that is a stream gives bytes as Uint8Array');
      sentBytes += value.length;
      // A chunk of no bytes would be the end of the body.
      if (value.length > 0) await writer.write(lengthBytes === undefined ? chunk(value) : value.slice());
    }
    // check: the body is as long as the head says
    if (lengthBytes !== undefined && sentBytes !== lengthBytes) throw new TypeError('the body has another length than it had');
    if (lengthBytes === undefined) await writer.write(utf8('0\r\n\r\n'));
  } catch (error) {
    await reader.cancel(error).catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function chunk(bytes: Uint8Array): Uint8Array {
  const size = utf8(`${bytes.length.toString(16)}\r\n`);
  const whole = new Uint8Array(size.length + bytes.length + 2);
  whole.set(size);
  whole.set(bytes, size.length);
  whole.set([13, 10], size.length + bytes.length);
  return whole;
}
