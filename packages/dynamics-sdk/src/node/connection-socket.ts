import type { AddressInfo, Socket, SocketReadyState } from 'node:net';
import { Duplex } from 'node:stream';
import { type CancelTimer, type Clock, ProtocolError } from '@uemkit/protocol';
import type { PlainStream } from '../connections/plain-stream.ts';
import { plainStream } from '../connections/stream-pipe.ts';
import type { ByteStream } from '../connections/way.ts';
import { plainOver } from './plain-over.ts';

/**
 * A connection to a server as Node's `Duplex`, so that `tls.connect({ socket })` and clients that take a socket work over it. Half-close, back-pressure and `destroy` go
 * through to the far end. The methods that only a TCP socket has do nothing, and its addresses are not known: this device has no socket to the server.
 */
export class ConnectionSocket extends Duplex implements Socket {
  /** For clients that ask before they write: it is connected. */
  readonly connecting = false;
  readonly #stream: ByteStream;
  readonly #plain: Omit<PlainStream, 'cancelReading' | 'abortWriting'>;
  readonly #clock: Clock;
  #wants = false;
  #bytesRead = 0;
  #bytesWritten = 0;
  #idleMs = 0;
  #cancelIdle: CancelTimer = () => {};

  constructor(stream: ByteStream, clock: Clock) {
    super({ allowHalfOpen: true, decodeStrings: true });
    this.#stream = stream;
    this.#clock = clock;
    this.#plain = plainStream(stream) ?? plainOver(stream);
    this.#plain.onReadable(() => {
      if (this.#wants) this._read();
    });
    stream.closed.catch((error) => this.destroy(error));
  }

  get pending(): boolean {
    return false;
  }

  get remoteAddress(): undefined {
    return undefined;
  }

  get remoteFamily(): undefined {
    return undefined;
  }

  get remotePort(): undefined {
    return undefined;
  }

  get autoSelectFamilyAttemptedAddresses(): string[] {
    return [];
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  get bufferSize(): number {
    return this.writableLength;
  }

  /** Milliseconds; 0: never. */
  get timeout(): number {
    return this.#idleMs;
  }

  get readyState(): SocketReadyState {
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  address(): AddressInfo | Record<string, never> {
    return {};
  }

  /** @throws ProtocolError `ERR_USAGE_STATE`: it is connected by the runtime, once */
  connect(): this {
    throw new ProtocolError('ERR_USAGE_STATE', 'this connection is there already; ask the runtime for another one');
  }

  /** Ends it, and destroys it behind what was written. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  resetAndDestroy(): this {
    return this.destroy();
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
    this.#wants = false;
    for (let chunk = this.#plain.take(); chunk !== undefined; chunk = this.#plain.take()) {
      this.#used();
      this.#bytesRead += chunk.length;
      if (!this.push(chunk)) return;
    }
    const { failure } = this.#plain;
    if (failure !== undefined) this.destroy(failure);
    else if (this.#plain.takenAll()) this.push(null);
    else this.#wants = true;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#used();
    this.#bytesWritten += chunk.length;
    this.#plain.write(chunk, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#plain.end(callback);
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
