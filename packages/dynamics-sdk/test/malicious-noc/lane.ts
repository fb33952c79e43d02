import type { Duplex } from 'node:stream';
import type { NocInterceptor } from '@uemkit/lab-server';
import type { NocSetUp } from '@uemkit/protocol/wire';

/** What the NOC says beside a set-up message, and whom it asks. */
export interface Beside {
  readonly told?: Partial<NocSetUp>;
  /** The NOC of another lab asks its UEM. */
  readonly at?: WayToUem;
}

export type WayToUem = Parameters<NonNullable<NocInterceptor['askUem']>>[1];

/** A message that the NOC has in its hands. */
export interface Held {
  readonly message: string;
  readonly bytes: Uint8Array;
  /** The one before it, of the same direction. */
  readonly before: Uint8Array | undefined;
  /** Hands something on in its place; may be called more than once. */
  pass(bytes: Uint8Array, beside?: Beside): void;
  /** Says something to the one who sent it. */
  answer(bytes: Uint8Array): void;
  /** The end of the connection, behind what was handed on. */
  end(): void;
  /** The next message of this direction, which is in the hands of the same deed then. */
  next(): Promise<Uint8Array>;
  /** Of a link: from here on the app is led there. */
  lead(far: Duplex): void;
  /** Of a link: what it led to, without the app. */
  take(): Duplex;
}

export type Deed = (held: Held) => void | Promise<void>;

/** What a lane is between. */
export type Ends = Omit<Held, 'message' | 'bytes' | 'before' | 'next'>;

export interface LaneOptions extends Ends {
  /** What is to be done to this message; undefined: it is handed on. */
  deedOf(message: string): Deed | undefined;
  passed(message: string, bytes: Uint8Array): void;
}

/** One direction of one connection: messages are handed on in order, and while something is done to one, those behind it wait. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #waiting: { readonly message: string; readonly bytes: Uint8Array }[] = [];
  #wanted: ((bytes: Uint8Array) => void) | undefined;
  #before: Uint8Array | undefined;
  #isBusy = false;
  #atEnd: (() => void) | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  push(message: string, bytes: Uint8Array): void {
    this.#options.passed(message, bytes);
    const wanted = this.#wanted;
    this.#wanted = undefined;
    if (wanted !== undefined) return wanted(bytes);
    this.#waiting.push({ message, bytes });
    this.#run();
  }

  /** Called behind everything that was pushed. */
  atEnd(ended: () => void): void {
    this.#atEnd = ended;
    this.#run();
  }

  #run(): void {
    if (this.#isBusy) return;
    for (let held = this.#waiting.shift(); held !== undefined; held = this.#waiting.shift()) {
      const { message, bytes } = held;
      const { deedOf, passed: _passed, ...ends } = this.#options;
      const deed = deedOf(message);
      const before = this.#before;
      this.#before = bytes;
      if (deed === undefined) {
        ends.pass(bytes);
        continue;
      }
      this.#isBusy = true;
      void Promise.resolve(deed({ ...ends, message, bytes, before, next: () => this.#next() })).then(() => {
        this.#isBusy = false;
        this.#run();
      });
      return;
    }
    this.#atEnd?.();
    this.#atEnd = undefined;
  }

  #next(): Promise<Uint8Array> {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) return Promise.resolve(waiting.bytes);
    return new Promise((resolve) => {
      this.#wanted = resolve;
    });
  }
}
