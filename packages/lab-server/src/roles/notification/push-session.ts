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

/** A wake-up that was sent and that the device has not taken yet. */
export interface Untaken {
  readonly wakeUpId: Uint8Array;
  /** It waits in the store, too. */
  stored: boolean;
  /** Its sender waits to hear whether the device took it. */
  settle?(taken: boolean): void;
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
 * `key` names its token from the moment that it is registered. Times are those of the monotonic clock, milliseconds.
 */
export class PushSession implements PushConnection {
  readonly socket: PushSocket;
  /** Address of the peer, for the journal. */
  readonly source: string;
  readonly #owner: SessionOwner;
  state: 'opened' | 'registering' | 'registered' | 'closed' = 'opened';
  key: string | undefined;
  token: SessionToken | undefined;
  readonly openedMs: number;
  heardMs: number;
  pingedMs: number;
  /** Since when it has been silent about wake-ups that were sent; meaningless while there is none. */
  untakenSinceMs = 0;
  /** BOUNDED by MAX_UNTAKEN. */
  untaken: Untaken[] | undefined;

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
}
