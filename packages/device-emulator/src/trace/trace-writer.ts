import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { Hash } from './redact.ts';
import type { StepSink } from './step-sink.ts';
import { noteLine, type TraceLine, traceLine } from './trace-line.ts';

/** Bound on what waits for a slow disk; beyond it lines are left out and counted. */
const MAX_WAITING_BYTES = 64 * 2 ** 20;

/** Writes a trace as NDJSON (docs/trace.md). A disk that is too slow costs lines, not memory and not the run; the trace says how many are missing. */
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

  /** Takes the steps of one device. */
  device(index: number): StepSink {
    return {
      message: (event) => this.#write(() => traceLine(index, event, this.#hash)),
      noted: (note) => this.#write(() => noteLine(index, note)),
    };
  }

  /** A line that somebody else has made. Never throws. */
  line(line: TraceLine): void {
    this.#write(() => line);
  }

  /** Lines are missing that nobody can write any more. */
  leftOut(count: number): void {
    this.#left += count;
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

  /** The line is made only when it is written. */
  #write(make: () => TraceLine): void {
    if (this.#error !== undefined) return;
    if (this.#stream.writableLength > this.#maxWaitingBytes) {
      this.#left++;
      return;
    }
    this.#reportLeft();
    this.#stream.write(`${JSON.stringify(make())}\n`);
  }

  #reportLeft(): void {
    if (this.#left === 0 || this.#error !== undefined) return;
    this.#stream.write(`${JSON.stringify({ leftOut: this.#left })}\n`);
    this.#left = 0;
  }
}
