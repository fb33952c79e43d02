import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { TraceEvent } from '@uemkit/protocol';
import type { Hash } from './redact.ts';
import { traceLine } from './trace-line.ts';

/** Bound on what waits for a slow disk; beyond it lines are left out and counted. */
const MAX_WAITING_BYTES = 64 * 2 ** 20;

/** Writes a trace as NDJSON. A disk that is too slow costs lines, not memory and not the run; the trace says how many are missing. */
export class TraceWriter {
  readonly #stream: Writable;
  readonly #hash: Hash;
  readonly #maxWaitingBytes: number;
  #left = 0;
  #error: Error | undefined;

  constructor(stream: Writable, hash: Hash, maxWaitingBytes: number = MAX_WAITING_BYTES) {
    this.#stream = stream;
    this.#maxWaitingBytes = maxWaitingBytes;
    this.#hash = hash;
    stream.on('error', (error) => {
      this.#error = error;
    });
  }

  /** Never throws, as a `TraceSink` must not. */
  write(device: number, event: TraceEvent): void {
    if (this.#error !== undefined) return;
    if (this.#stream.writableLength > this.#maxWaitingBytes) {
      this.#left++;
      return;
    }
    this.#reportLeft();
    this.#stream.write(`${JSON.stringify(traceLine(device, event, this.#hash))}\n`);
  }

  /** Resolves when everything is written. @throws the error of the stream, when there was one */
  async close(): Promise<void> {
    this.#reportLeft();
    if (this.#error === undefined) {
      this.#stream.end();
      await Promise.race([once(this.#stream, 'finish'), once(this.#stream, 'error').then(([error]) => Promise.reject(error))]);
    }
    if (this.#error !== undefined) throw this.#error;
  }

  #reportLeft(): void {
    if (this.#left === 0 || this.#error !== undefined) return;
    this.#stream.write(`${JSON.stringify({ leftOut: this.#left })}\n`);
    this.#left = 0;
  }
}
