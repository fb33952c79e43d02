import { backoff, type CancelTimer, isProtocolError, ProtocolError, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { connectThroughNoc, type LinkConnection, type LinkReceiver } from '../connections/noc-link.ts';
import type { PushHost } from './push-port.ts';

/** Until the NOC is tried again. */
const RETRY = { minMs: 250, baseMs: 1_000, maxMs: 60_000 };
/** Largest message of the NOC. */
const BODY_BYTES = wire.LIMITS.certificateBodyBytes;

/** What a connection for push channels works for. */
export interface PushClient {
  /** Those that are to be open. */
  channelIds(): readonly Uint8Array[];
  /** The NOC knows these, in hex. */
  opened(ids: ReadonlySet<string>): void;
  message(message: wire.PushMessage): void;
}

/** Keeps a connection to the NOC for as long as there are push channels, and comes back to it (docs/protocol/13-services-of-the-proxy.md, 13.5). */
export class PushConnection {
  readonly #host: PushHost;
  readonly #client: PushClient;
  #session: Session | undefined;
  #opening: AbortController | undefined;
  #cancelRetry: CancelTimer = () => {};
  #pauses: Iterator<number> | undefined;

  constructor(host: PushHost, client: PushClient) {
    this.#host = host;
    this.#client = client;
  }

  /** Other channels are to be open now. */
  changed(): void {
    if (this.#session !== undefined) return this.#session.tell(this.#client.channelIds());
    // One that is being opened tells the new list when it is there.
    if (this.#opening === undefined && this.#client.channelIds().length > 0) void this.#open();
  }

  close(): void {
    this.#cancelRetry();
    this.#opening?.abort(new ProtocolError('ERR_USAGE_STATE', 'there are no push channels any more'));
    this.#session?.close();
  }

  async #open(): Promise<void> {
    this.#cancelRetry();
    const { ports, activated } = this.#host;
    const { link } = activated() ?? {};
    if (link === undefined) return;
    const opening = new AbortController();
    this.#opening = opening;
    const channelIds = this.#client.channelIds();
    const session = new Session(this.#host, this.#client, () => {
      this.#session = undefined;
      this.#again();
    });
    try {
      const { linkId, masterLinkKey } = link;
      const connection = await connectThroughNoc({ ...ports, linkId, masterLinkKey }, { to: 'push', channelIds }, session, opening.signal);
      this.#opening = undefined;
      if (opening.signal.aborted) {
        connection.close();
        return this.#again();
      }
      this.#pauses = undefined;
      this.#session = session;
      session.begin(connection, channelIds);
      session.tell(this.#client.channelIds());
    } catch (error) {
      this.#opening = undefined;
      if (!isProtocolError(error)) throw error;
      // A refusal of the NOC proves nothing: only the app itself ends a channel.
      this.#again();
    }
  }

  /** As long as there are channels. */
  #again(): void {
    if (this.#client.channelIds().length === 0) return;
    const { clock, entropy } = this.#host.ports;
    this.#pauses ??= backoff(RETRY, entropy)[Symbol.iterator]();
    this.#cancelRetry = clock.setTimer(this.#pauses.next().value as number, () => void this.#open());
  }
}

/** One connection. */
class Session implements LinkReceiver {
  readonly #host: PushHost;
  readonly #client: PushClient;
  readonly #ended: () => void;
  readonly #parser = wire.frameParser({
    maxBodyBytes: BODY_BYTES,
    trailerBytes: () => 0,
  });
  /** What came before `begin`. */
  readonly #early: Uint8Array[] = [];
  #connection: LinkConnection | undefined;
  /** Lists that the NOC has not confirmed yet. BOUNDED by what the app does within an answer. */
  readonly #asked = new Map<number, ReadonlySet<string>>();
  #known: ReadonlySet<string> = new Set();
  #number = 0;
  #cancelQuiet: CancelTimer = () => {};

  constructor(host: PushHost, client: PushClient, ended: () => void) {
    this.#host = host;
    this.#client = client;
    this.#ended = ended;
  }

  begin(connection: LinkConnection, channelIds: readonly Uint8Array[]): void {
    this.#connection = connection;
    this.#known = hexOf(channelIds);
    this.#listen();
    this.#client.opened(this.#known);
    for (const bytes of this.#early.splice(0)) this.onBytes(bytes);
  }

  /** Tells the NOC which channels are open, if that is news to it. */
  tell(channelIds: readonly Uint8Array[]): void {
    const ids = hexOf(channelIds);
    if (ids.size === this.#known.size && [...ids].every((id) => this.#known.has(id))) return;
    this.#known = ids;
    this.#number += 1;
    this.#asked.set(this.#number, ids);
    this.#send(wire.pushChannels.encode({ number: this.#number, channelIds }));
  }

  close(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#cancelQuiet();
    connection.close();
    this.#ended();
  }

  onBytes(bytes: Uint8Array): void {
    if (this.#connection === undefined) return void this.#early.push(bytes.slice());
    this.#listen();
    try {
      for (const frame of this.#parser.push(bytes)) this.#frame(frame);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      this.close();
    }
  }

  onRoom(): void {}

  onEnd(): void {
    this.close();
  }

  onClose(): void {
    this.close();
  }

  #frame(bytes: Uint8Array): void {
    const frame = wire.parseFrame(bytes, { maxBodyBytes: BODY_BYTES });
    if (frame.name === 'streamPong') return;
    this.#trace(bytes, 'noc');
    if (frame.name === 'pushMessage') {
      const message = wire.pushMessage.decode(frame);
      this.#client.message(message);
      // Listeners have had it: the NOC may forget it.
      return this.#send(wire.pushMessageAck.encode({ number: message.number }));
    }
    // check: no other frame belongs here
    const { number } = wire.pushChannelsSet.decode(frame);
    const ids = this.#asked.get(number);
    // check: only what was asked for is confirmed
    if (ids === undefined) throw new ProtocolError('ERR_PEER_UNEXPECTED', 'the NOC confirms what nobody has told it');
    this.#asked.delete(number);
    this.#client.opened(ids);
    if (this.#known.size === 0 && this.#asked.size === 0) this.close();
  }

  #send(frame: Uint8Array): void {
    if (this.#connection === undefined) return;
    this.#trace(frame, 'app');
    this.#connection.send(frame);
  }

  /** Nothing for a while: a ping; nothing after that: the connection is lost. */
  #listen(): void {
    this.#cancelQuiet();
    const { clock } = this.#host.ports;
    this.#cancelQuiet = clock.setTimer(wire.LIMITS.streamQuietMs, () => {
      this.#connection?.send(wire.streamPing.encode({ number: 0 }));
      this.#cancelQuiet = clock.setTimer(wire.LIMITS.streamPongMs, () => this.close());
    });
  }

  #trace(frame: Uint8Array, from: 'app' | 'noc'): void {
    const { trace, clock } = this.#host.ports;
    trace?.({ step: 'F10.4', from, to: from === 'app' ? 'noc' : 'app', frame, timeMs: clock.nowMs() });
  }
}

function hexOf(ids: readonly Uint8Array[]): ReadonlySet<string> {
  return new Set(ids.map(toHex));
}
