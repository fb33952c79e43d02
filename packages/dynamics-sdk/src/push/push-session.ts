import { type CancelTimer, isProtocolError, ProtocolError, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { LinkConnection, LinkReceiver } from '../connections/noc-link.ts';
import type { PushHost } from './push-port.ts';

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

type State =
  // BOUNDED by what comes in the turn of the event loop in which the connection opens.
  { readonly name: 'opening'; readonly early: Uint8Array[] } | { readonly name: 'open'; readonly connection: LinkConnection } | { readonly name: 'closed' };

/** One connection. It is `opening` until `begin`, and what comes back from the NOC meanwhile waits, or ends it. */
export class PushSession implements LinkReceiver {
  readonly #host: PushHost;
  readonly #client: PushClient;
  readonly #ended: () => void;
  readonly #parser = wire.frameParser({
    maxBodyBytes: BODY_BYTES,
    trailerBytes: () => 0,
  });
  #state: State = { name: 'opening', early: [] };
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
    // It is lost already: nothing would be heard of it.
    if (this.#state.name !== 'opening') return this.#over(connection);
    const { early } = this.#state;
    this.#state = { name: 'open', connection };
    this.#known = hexOf(channelIds);
    this.#listen();
    this.#client.opened(this.#known);
    for (const bytes of early) this.onBytes(bytes);
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
    const state = this.#state;
    this.#state = { name: 'closed' };
    this.#cancelQuiet();
    if (state.name === 'open') this.#over(state.connection);
  }

  onBytes(bytes: Uint8Array): void {
    if (this.#state.name === 'opening') return void this.#state.early.push(bytes.slice());
    if (this.#state.name === 'closed') return;
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
    if (this.#state.name !== 'open') return;
    this.#trace(frame, 'app');
    this.#state.connection.send(frame);
  }

  #over(connection: LinkConnection): void {
    connection.close();
    this.#ended();
  }

  /** Nothing for a while: a ping; nothing after that: the connection is lost. */
  #listen(): void {
    this.#cancelQuiet();
    const { clock } = this.#host.ports;
    this.#cancelQuiet = clock.setTimer(wire.LIMITS.streamQuietMs, () => {
      if (this.#state.name === 'open') this.#state.connection.send(wire.streamPing.encode({ number: 0 }));
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
