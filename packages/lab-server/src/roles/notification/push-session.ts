import { sameBytes } from '@uemkit/protocol';
import type { Untaken } from './offer.ts';
import { MAX_UNTAKEN } from './push-limits.ts';
import type { TokenRecord } from './push-tokens.ts';

/** One push connection as the transport offers it: frames go out, and it can be closed. Must not throw. */
export interface PushSocket {
  /** One whole frame; nothing happens on a closed socket. */
  send(frame: Uint8Array): void;
  /** Asks the peer for a sign of life; the transport reports it through `PushConnection.alive`. */
  ping(): void;
  /** Ends the connection after what was sent; `refused`: because of what the peer did. `PushConnection.closed` follows. */
  close(why: 'ended' | 'refused'): void;
  /** Ends the connection at once. `PushConnection.closed` follows. */
  cutOff(): void;
  /** Bytes that were sent and have not left yet. */
  readonly unreadBytes: number;
}

/** What the transport tells the role about one push connection. Must not throw. */
export interface PushConnection {
  /** One whole frame as received. */
  received(frame: Uint8Array): void;
  /** A sign of life that is no frame. */
  alive(): void;
  /** The connection is gone; nothing follows. */
  closed(): void;
}

/** The part of a token's record that a connection needs for each wake-up. */
export type SessionToken = Pick<TokenRecord, 'service' | 'application' | 'expiresAtMs' | 'unnamedSinceMs'>;

/** What a session tells its role. */
export interface SessionOwner {
  nowMs(): number;
  received(session: PushSession, frame: Uint8Array): void;
  closed(session: PushSession): void;
}

/**
 * One push connection. A class without closures of its own: there are as many of them as devices, and at rest each is little more than its socket.
 * `key` and `address` name its token from the moment that it is registered. Times are those of the monotonic clock, milliseconds.
 */
export class PushSession implements PushConnection {
  readonly socket: PushSocket;
  /** Address of the peer, for the journal. */
  readonly source: string;
  readonly #owner: SessionOwner;
  state: 'opened' | 'registering' | 'registered' | 'closed' = 'opened';
  key: string | undefined;
  address: string | undefined;
  token: SessionToken | undefined;
  readonly openedMs: number;
  heardMs: number;
  pingedMs: number;
  /** Since when it has been silent about wake-ups that were sent; meaningless while there is none. */
  untakenSinceMs = 0;
  /** Wake-ups that were sent and not taken, in the order in which they left; each knows the next. BOUNDED by MAX_UNTAKEN. */
  #firstUntaken: Untaken | undefined;
  #lastUntaken: Untaken | undefined;
  #untakenCount = 0;

  constructor(socket: PushSocket, source: string, owner: SessionOwner) {
    this.socket = socket;
    this.source = source;
    this.#owner = owner;
    this.openedMs = this.heardMs = this.pingedMs = owner.nowMs();
  }

  received(frame: Uint8Array): void {
    this.#owner.received(this, frame);
  }

  alive(): void {
    this.heardMs = this.#owner.nowMs();
  }

  closed(): void {
    this.#owner.closed(this);
  }

  get hasUntaken(): boolean {
    return this.#firstUntaken !== undefined;
  }

  /** False when the device has as many to take as it may. */
  addUntaken(untaken: Untaken): boolean {
    if (this.#untakenCount >= MAX_UNTAKEN) return false;
    this.#untakenCount += 1;
    if (this.#lastUntaken === undefined) this.#firstUntaken = untaken;
    else this.#lastUntaken.nextUntaken = untaken;
    this.#lastUntaken = untaken;
    return true;
  }

  findUntaken(wakeUpId: Uint8Array): Untaken | undefined {
    let one = this.#firstUntaken;
    while (one !== undefined && !sameBytes(one.wakeUpId, wakeUpId)) one = one.nextUntaken;
    return one;
  }

  /** The first one of this id, which is not among them any more. */
  takeUntaken(wakeUpId: Uint8Array): Untaken | undefined {
    let before: Untaken | undefined;
    let one = this.#firstUntaken;
    while (one !== undefined && !sameBytes(one.wakeUpId, wakeUpId)) {
      before = one;
      one = one.nextUntaken;
    }
    if (one === undefined) return undefined;
    if (before === undefined) this.#firstUntaken = one.nextUntaken;
    else before.nextUntaken = one.nextUntaken;
    if (this.#lastUntaken === one) this.#lastUntaken = before;
    one.nextUntaken = undefined;
    this.#untakenCount -= 1;
    return one;
  }

  /** All of them; there are none afterwards. */
  takeAllUntaken(): readonly Untaken[] {
    const all: Untaken[] = [];
    for (let one = this.#firstUntaken; one !== undefined; one = one.nextUntaken) all.push(one);
    for (const one of all) one.nextUntaken = undefined;
    this.#firstUntaken = this.#lastUntaken = undefined;
    this.#untakenCount = 0;
    return all;
  }
}
