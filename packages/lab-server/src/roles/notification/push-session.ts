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

/** State of one push connection. `key` names its token from the moment that it is registered. */
export interface PushSession {
  readonly socket: PushSocket;
  /** Address of the peer, for the journal. */
  readonly source: string;
  state: 'opened' | 'registering' | 'registered' | 'closed';
  key: string | undefined;
  /** Monotonic clock, milliseconds. */
  openedMs: number;
  heardMs: number;
  pingedMs: number;
  /** The wake-up that was sent and not taken yet, and when. */
  unacknowledged: { readonly wakeUpId: Uint8Array; readonly sinceMs: number } | undefined;
}

/** A session that has just been opened. */
export function openSession(socket: PushSocket, source: string, nowMs: number): PushSession {
  return { socket, source, state: 'opened', key: undefined, openedMs: nowMs, heardMs: nowMs, pingedMs: nowMs, unacknowledged: undefined };
}
