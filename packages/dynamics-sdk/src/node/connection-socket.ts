import { Duplex } from 'node:stream';
import type { CancelTimer, Clock } from '@uemkit/protocol';
import type { ByteStream } from '../connections/way.ts';

/**
 * A connection to a server as Node's `Duplex`, so that `tls.connect({ socket })` and clients that take a socket work over it. Half-close, back-pressure and `destroy` go
 * through to the far end. The methods that only a TCP socket has do nothing.
 */
export class ConnectionSocket extends Duplex {
  /** For clients that ask before they write: it is connected. */
  readonly connecting = false;
  readonly #stream: ByteStream;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #clock: Clock;
  #idleMs = 0;
  #cancelIdle: CancelTimer = () => {};

  constructor(stream: ByteStream, clock: Clock) {
    super({ allowHalfOpen: true, decodeStrings: true });
    this.#stream = stream;
    this.#clock = clock;
    this.#reader = stream.readable.getReader();
    this.#writer = stream.writable.getWriter();
    // Both promises say again what `closed` says.
    for (const { closed } of [this.#reader, this.#writer]) closed.catch(() => {});
    stream.closed.catch((error) => this.destroy(error));
  }

  /** Emits `timeout` after so long without a byte, as of `net.Socket`; 0: never. */
  setTimeout(idleMs: number, callback?: () => void): this {
    this.#idleMs = idleMs;
    if (callback !== undefined && idleMs > 0) this.once('timeout', callback);
    else if (callback !== undefined) this.off('timeout', callback);
    this.#used();
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {
    this.#readOne().catch((error) => this.destroy(error));
  }

  async #readOne(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (this.destroyed) return;
      this.#used();
      if (done) {
        this.push(null);
        return;
      }
      if (value.length === 0) continue;
      this.push(value);
      return;
    }
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#used();
    // The stream keeps what it is given; a caller of Node may use its memory again after the callback.
    this.#writer.write(new Uint8Array(chunk)).then(() => callback(), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#writer.close().then(() => callback(), callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#idleMs = 0;
    this.#used();
    this.#stream.destroy(error ?? undefined);
    callback(error);
  }

  #used(): void {
    this.#cancelIdle();
    this.#cancelIdle = this.#idleMs > 0 ? this.#clock.setTimer(this.#idleMs, () => void this.emit('timeout')) : () => {};
  }
}
