import { type Duplex, duplexPair } from 'node:stream';
import type { NocConnection, NocInterceptor, NocSocket, NocToUem } from '@uemkit/lab-server';
import { sameBytes } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { cutter } from './cutter.ts';
import { type Beside, type Deed, type Ends, Lane, type WayToUem } from './lane.ts';

/** Bytes of what passed that are kept, to look for what the NOC must not see. */
const SEEN_BYTES = 16_777_216;

type RoleAnswer = Awaited<ReturnType<WayToUem>>;

const NO_LINK: Pick<Ends, 'lead' | 'take'> = {
  lead() {
    throw new Error('not a link');
  },
  take() {
    throw new Error('not a link');
  },
};

/** Of an activation, before the NOC passes it on. */
const ON_ITS_WAY = 'on its way';

/** A connection for an activation. */
interface Run {
  readonly socket: NocSocket;
  /** Last frame of the app. */
  last: Uint8Array;
  /** What was handed on to UEM before. */
  before: Uint8Array;
}

/**
 * The NOC of a lab, and what it does to one kind of message. It stands inside of its TLS with apps and on its way to UEM, so it has in clear all that a NOC has; what it does
 * not touch the NOC of the lab handles as always.
 */
export class WrongNoc implements NocInterceptor {
  /** The last one of each kind that passed. */
  readonly past = new Map<string, Uint8Array>();
  /** Kinds that passed, in order of first appearance. */
  readonly kinds = new Set<string>();
  readonly #seen: Uint8Array[] = [];
  readonly #runs = new Set<Run>();
  readonly #links = new Set<Duplex>();
  #armed: { readonly message: string; readonly deed: Deed; left: number } | undefined;
  #seenBytes = 0;
  /** Messages that something was done to. */
  touched = 0;
  /** To UEM, once the NOC has asked it for anything. */
  wayToUem: WayToUem | undefined;

  /** From here on `deed` is done to the first `times` messages of this kind, and to no other. */
  arm(message: string, deed: Deed, times = 1): void {
    this.#armed = { message, deed, left: times };
    this.touched = 0;
  }

  /** Honest again. */
  disarm(): void {
    this.#armed = undefined;
  }

  /** Ends all connections of apps. */
  breakAll(): void {
    for (const { socket } of [...this.#runs]) socket.cutOff();
    for (const link of [...this.#links]) link.destroy();
  }

  /** All that passed. */
  seen(): Buffer {
    return Buffer.concat(this.#seen);
  }

  connectApp(socket: NocSocket, source: string, next: (socket: NocSocket, source: string) => NocConnection | undefined): NocConnection | undefined {
    let connection: NocConnection | undefined;
    const end = (): void => socket.close();
    const down = this.#lane({ pass: (bytes) => socket.send(bytes), answer: () => {}, end });
    const run: Run = { socket, last: new Uint8Array(0), before: new Uint8Array(0) };
    // What goes on to UEM from here is looked at there (`askUem`).
    const up = this.#lane({
      pass: (bytes) => {
        run.last = bytes;
        connection?.received(bytes);
      },
      answer: (bytes) => socket.send(bytes),
      end,
    });
    const wrapped: NocSocket = {
      send: (bytes) => down.push(answerName(bytes, run.last), bytes),
      close: () => down.atEnd(() => socket.close()),
      cutOff: () => socket.cutOff(),
    };
    connection = next(wrapped, source);
    if (connection === undefined) return undefined;
    const opened = connection;
    this.#runs.add(run);
    return {
      received: (bytes) => up.push(wire.peekFrameName(bytes) === 'nocVerify' ? 'verify' : ON_ITS_WAY, bytes),
      broken: () => opened.broken(),
      closed: () => {
        this.#runs.delete(run);
        opened.closed();
      },
    };
  }

  async askUem(request: NocToUem, next: WayToUem): Promise<RoleAnswer> {
    this.wayToUem = next;
    const { bytes, wrap } = passedOn(request);
    const run = [...this.#runs].find(({ last }) => sameBytes(last, bytes));
    const message = requestName(request);
    this.#note(message, bytes);
    const deed = this.#deedOf(message);
    const before = run?.before ?? bytes;
    if (run !== undefined) run.before = bytes;
    if (deed === undefined) return next(request);
    const answers: Promise<RoleAnswer>[] = [];
    const pass = (given: Uint8Array, beside?: Beside): void => void answers.push((beside?.at ?? next)(wrap(given, beside?.told)));
    const end = (): void => run?.socket.cutOff();
    await deed({ ...NO_LINK, message, bytes, before, pass, answer: (given) => run?.socket.send(given), end, next: () => new Promise(() => {}) });
    return answers.at(-1) ?? new Promise(() => {});
  }

  link(stream: Duplex, next: (stream: Duplex) => void): void {
    const [inner, outer] = duplexPair({ allowHalfOpen: true });
    this.#links.add(stream);
    let isCore = false;
    let far: Duplex = outer;
    const cut = (): void => {
      far.end();
      stream.end();
    };
    const isCoreLink = (): boolean => isCore;
    const down = this.#lane({
      pass(bytes) {
        if (stream.writable) stream.write(bytes);
      },
      answer: (bytes) => void far.write(bytes),
      end: cut,
      take() {
        outer.removeAllListeners('data');
        stream.removeAllListeners('close').destroy();
        return outer;
      },
    });
    const up = this.#lane({
      pass(bytes) {
        if (far.writable) far.write(bytes);
      },
      answer: (bytes) => void stream.write(bytes),
      end: cut,
      lead(other) {
        far = other;
        inner.removeAllListeners('close').destroy();
        far.on('data', (chunk: Uint8Array) => void stream.write(chunk));
        far.once('end', () => stream.end());
      },
    });
    const cutUp = cutter('up', isCoreLink, (message, bytes) => {
      if (message === 'connect') isCore = wire.connectProxy.decode(wire.parseFrame(bytes)).proxyId === this.coreId;
      up.push(message, bytes);
    });
    stream.on('data', cutUp);
    outer.on(
      'data',
      cutter('down', isCoreLink, (message, bytes) => down.push(message, bytes)),
    );
    stream.once('end', () => up.atEnd(() => far.end()));
    outer.once('end', () => down.atEnd(() => stream.end()));
    stream.on('error', () => stream.destroy());
    stream.once('close', () => {
      this.#links.delete(stream);
      // What the app has sent before it closed is on its way all the same.
      up.atEnd(() => {
        if (!stream.readableEnded) inner.destroy();
        far.end();
      });
    });
    inner.once('close', () => {
      // A side that broke has no end to pass on; one that ended has passed it on.
      if (!inner.writableFinished) down.atEnd(() => stream.destroy());
    });
    next(inner);
  }

  /** Whose connections carry updates and no streams. */
  coreId = '';

  #lane(ends: Omit<Ends, 'lead' | 'take'> & Partial<Ends>): Lane {
    return new Lane({ ...NO_LINK, ...ends, deedOf: (message) => this.#deedOf(message), passed: (message, bytes) => this.#note(message, bytes) });
  }

  #deedOf(message: string): Deed | undefined {
    const armed = this.#armed;
    if (armed?.message !== message || armed.left === 0) return undefined;
    armed.left -= 1;
    this.touched += 1;
    return armed.deed;
  }

  #note(message: string, bytes: Uint8Array): void {
    if (this.#armed === undefined && message !== ON_ITS_WAY) this.kinds.add(message);
    if (!(this.#armed?.message === message && this.#armed.left > 0)) this.past.set(message, bytes);
    this.#seenBytes += bytes.length;
    if (this.#seenBytes <= SEEN_BYTES) this.#seen.push(bytes);
  }
}

/** What the app gets, by what it has asked for last. */
function answerName(bytes: Uint8Array, asked: Uint8Array): string {
  const name = wire.peekFrameName(bytes);
  if (name === 'nocProvision') return 'provision';
  if (name === 'handshakeReply') return 'response';
  if (name !== 'nocEnvelope') return name ?? 'unknown';
  return isFinish(asked) ? 'data' : 'done';
}

function requestName({ service, frame }: NocToUem): string {
  if (service === 'setUp') return 'setUp';
  return isFinish(frame) ? 'request' : 'ack';
}

function isFinish(envelope: Uint8Array): boolean {
  return wire.peekFrameName(wire.nocEnvelope.decode(wire.parseFrame(envelope, { maxBodyBytes: 65_536 })).frame) === 'handshakeFinish';
}

/** What of a request comes from the app, and how the NOC wraps it. */
function passedOn({ service, frame }: NocToUem): { readonly bytes: Uint8Array; wrap(bytes: Uint8Array, told?: Partial<wire.NocSetUp>): NocToUem } {
  if (service === 'envelopes') return { bytes: frame, wrap: (bytes) => ({ service, frame: bytes }) };
  const message = wire.nocSetUp.decode(wire.parseFrame(frame));
  return { bytes: message.setUp, wrap: (bytes, told) => ({ service, frame: wire.nocSetUp.encode({ ...message, ...told, setUp: bytes }) }) };
}
