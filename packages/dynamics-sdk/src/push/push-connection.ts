import { backoff, type CancelTimer, isProtocolError, ProtocolError } from '@uemkit/protocol';
import { connectThroughNoc } from '../connections/noc-link.ts';
import type { PushHost } from './push-port.ts';
import { type PushClient, PushSession } from './push-session.ts';

/** Until the NOC is tried again. */
const RETRY = { minMs: 250, baseMs: 1_000, maxMs: 60_000 };

/** Keeps a connection to the NOC for as long as there are push channels, and comes back to it (docs/protocol/13-services-of-the-proxy.md, 13.5). */
export class PushConnection {
  readonly #host: PushHost;
  readonly #client: PushClient;
  #session: PushSession | undefined;
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
    const session = new PushSession(this.#host, this.#client, () => {
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
