import * as wire from '@uemkit/protocol/wire';
import { Agent, WebSocket } from 'undici';
import { Mismatch } from './mismatch.ts';

/** Subprotocol of the push connection (10.1). */
export const PUSH_SUBPROTOCOL = 'uemkit.push.1';
/** Bounds a server that stays silent. */
export const PATIENCE_MS = 10_000;

/** Where a push connection leads, and how long silence is borne. */
export interface PushPlace {
  readonly address: string;
  /** PEM. */
  readonly ca: string;
  readonly patienceMs: number;
}

/** One push connection of a case (F5.2). */
export class PushWire {
  readonly #agent: Agent;
  readonly #socket: WebSocket;
  readonly #patienceMs: number;
  // BOUNDED by what one case provokes.
  readonly #frames: wire.Frame[] = [];
  readonly #waiting: Set<() => void> = new Set();
  /** Close code, once it is closed; 1006 without one. */
  closeCode: number | undefined;

  private constructor({ address, ca, patienceMs }: PushPlace, subprotocols: readonly string[]) {
    this.#patienceMs = patienceMs;
    this.#agent = new Agent({ connect: { ca, minVersion: 'TLSv1.3' } });
    this.#socket = new WebSocket(`wss://${address}/uemkit/1/push`, { protocols: [...subprotocols], dispatcher: this.#agent });
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.addEventListener('message', ({ data }) => {
      if (data instanceof ArrayBuffer) this.#frames.push(wire.parseFrame(new Uint8Array(data)));
      this.#wake();
    });
    this.#socket.addEventListener('close', ({ code }) => {
      this.closeCode = code;
      this.#wake();
    });
    this.#socket.addEventListener('open', () => this.#wake());
    // `close` follows and says the same.
    this.#socket.addEventListener('error', () => undefined);
  }

  /** The open connection; undefined when the server does not take it. */
  static async open(place: PushPlace, subprotocols: readonly string[] = [PUSH_SUBPROTOCOL]): Promise<PushWire | undefined> {
    const push = new PushWire(place, subprotocols);
    await push.#until(() => push.#socket.readyState !== WebSocket.CONNECTING, 'a push connection');
    if (push.closeCode === undefined && push.#socket.readyState === WebSocket.OPEN) return push;
    await push.close();
    return undefined;
  }

  send(data: Uint8Array | string): void {
    this.#socket.send(data);
  }

  register(token?: Uint8Array, service = 'fcm'): void {
    this.send(wire.pushRegister.encode({ service, token }));
  }

  acknowledge(wakeUpId: Uint8Array): void {
    this.send(wire.pushAck.encode({ wakeUpId }));
  }

  /** The next frame, which has to be this message. */
  async next<T>(codec: wire.MessageCodec<T>): Promise<T> {
    await this.#until(() => this.#frames.length > 0 || this.closeCode !== undefined, `frame ${codec.name}`);
    const frame = this.#frames.shift();
    if (frame?.name !== codec.name) throw new Mismatch(`frame ${codec.name}`, frame === undefined ? `close code ${this.closeCode}` : `frame ${frame.name}`);
    return codec.decode(frame);
  }

  /** The close code, when the server ends the connection. */
  async closed(): Promise<number> {
    await this.#until(() => this.closeCode !== undefined, 'a connection that the server closes');
    return this.closeCode as number;
  }

  async close(): Promise<void> {
    if (this.closeCode === undefined && this.#socket.readyState === WebSocket.OPEN) this.#socket.close(1000);
    await this.#agent.destroy();
  }

  #wake(): void {
    for (const waiting of this.#waiting) waiting();
  }

  #until(condition: () => boolean, expected: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Mismatch(expected, `nothing in ${this.#patienceMs / 1_000} s`));
      }, this.#patienceMs);
      const look = (): void => {
        if (!condition()) return;
        clearTimeout(late);
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

/** A push connection that has to open. @throws Mismatch */
export async function openPush(place: PushPlace): Promise<PushWire> {
  const push = await PushWire.open(place);
  if (push === undefined) throw new Mismatch('a push connection', 'none');
  return push;
}
