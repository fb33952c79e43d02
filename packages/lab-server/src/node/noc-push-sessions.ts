import type { Duplex } from 'node:stream';
import { type CancelTimer, type Clock, fromHex, isProtocolError, ProtocolError, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { LinkRecord } from '../roles/noc/noc-links.ts';
import { endPush, notePushApp, setPushChannels, waitingPushes } from '../roles/noc/noc-push.ts';
import type { LabStore } from '../store/lab-store.ts';

/** An app that says nothing for so long is gone: it pings more often. */
const SILENCE_MS = 3 * wire.LIMITS.streamQuietMs;

/** Apps that are connected for their push channels (docs/protocol/13-services-of-the-proxy.md, 13.5). */
export interface PushSessions {
  /** An app has sent `connectPush` over its link; resolves once it was answered. Never rejects. */
  open(stream: Duplex, link: LinkRecord, channelIds: readonly Uint8Array[], rest: Uint8Array): Promise<'connected' | 'denied'>;
  /** Something waits for the app of this link (hex). */
  waits(linkId: string): void;
  isConnected(linkId: string): boolean;
}

export function createPushSessions({ clock, store }: { readonly clock: Clock; readonly store: LabStore }): PushSessions {
  // By link, hex; the newest of each. BOUNDED by the links.
  const sessions = new Map<string, PushSession>();
  return {
    async open(stream, link, channelIds, rest) {
      const { linkId } = link;
      const isTaken = await store.transaction((tx) => setPushChannels(tx, link, channelIds.map(toHex), clock.nowMs())).catch(() => false);
      if (!isTaken) return 'denied';
      sessions.get(linkId)?.end();
      if (stream.destroyed) return 'connected';
      const session = new PushSession({ clock, store, stream, link });
      sessions.set(linkId, session);
      stream.once('close', () => {
        if (sessions.get(linkId) !== session) return;
        sessions.delete(linkId);
        // Where the store is closed by now, nobody comes back to it either.
        store.transaction((tx) => notePushApp(tx, linkId, clock.nowMs())).catch(() => {});
      });
      session.begin(rest);
      return 'connected';
    },
    waits: (linkId) => sessions.get(linkId)?.deliver(),
    isConnected: (linkId) => sessions.has(linkId),
  };
}

interface SessionOptions {
  readonly clock: Clock;
  readonly store: LabStore;
  readonly stream: Duplex;
  readonly link: LinkRecord;
}

class PushSession {
  readonly #options: SessionOptions;
  readonly #parser = wire.frameParser({
    maxBodyBytes: wire.LIMITS.unauthenticatedBodyBytes,
    trailerBytes: () => 0,
  });
  /** Sent, and not acknowledged yet. BOUNDED by pushUnacknowledged. */
  readonly #sent = new Set<number>();
  #last = -1;
  /** Frames are answered one after the other. */
  #work: Promise<void> = Promise.resolve();
  #cancelSilence: CancelTimer = () => {};

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  begin(rest: Uint8Array): void {
    const { stream } = this.#options;
    stream.once('close', () => this.#cancelSilence());
    stream.on('data', (chunk: Uint8Array) => this.#received(chunk));
    stream.once('end', () => this.end());
    this.#heard();
    this.#send(wire.connected.encode({ to: 'push' }));
    if (rest.length > 0) this.#received(rest);
    stream.resume();
    this.deliver();
  }

  end(): void {
    this.#options.stream.destroy();
  }

  /** What waits, as far as the app has room for it. */
  deliver(): void {
    const { store, clock, link, stream } = this.#options;
    if (stream.destroyed) return;
    const room = wire.LIMITS.pushUnacknowledged - this.#sent.size;
    for (const { number, channelId, sealed } of store.read((view) => waitingPushes(view, link.linkId, this.#last, room, clock.nowMs()))) {
      this.#last = number;
      this.#sent.add(number);
      this.#send(wire.pushMessage.encode({ number, channelId: fromHex(channelId), sealed }));
    }
  }

  #received(chunk: Uint8Array): void {
    const { stream } = this.#options;
    this.#heard();
    // The reader rests while a frame waits for the disk: what comes is bounded.
    stream.pause();
    this.#work = this.#work.then(async () => {
      try {
        for (const bytes of this.#parser.push(chunk)) await this.#frame(wire.parseFrame(bytes));
        stream.resume();
      } catch (error) {
        if (!isProtocolError(error)) throw error;
        this.end();
      }
    });
  }

  async #frame(frame: wire.Frame): Promise<void> {
    const { store, clock, link } = this.#options;
    if (frame.name === 'streamPing') return this.#send(wire.streamPong.encode(wire.streamPing.decode(frame)));
    if (frame.name === 'pushMessageAck') {
      const { number } = wire.pushMessageAck.decode(frame);
      // check: only what was sent is acknowledged
      if (!this.#sent.delete(number)) throw new ProtocolError('ERR_PEER_UNEXPECTED', 'nobody has sent that message');
      await store.transaction((tx) => endPush(tx, link.linkId, number));
      return this.deliver();
    }
    // check: no other frame belongs here
    const { number, channelIds } = wire.pushChannels.decode(frame);
    const isTaken = await store.transaction((tx) => setPushChannels(tx, link, channelIds.map(toHex), clock.nowMs()));
    if (!isTaken) throw new ProtocolError('ERR_PEER_UNEXPECTED', 'a channel is another app’s');
    this.#send(wire.pushChannelsSet.encode({ number }));
  }

  #send(frame: Uint8Array): void {
    if (!this.#options.stream.destroyed) this.#options.stream.write(frame);
  }

  #heard(): void {
    this.#cancelSilence();
    // check: an app that is gone without a word
    this.#cancelSilence = this.#options.clock.setTimer(SILENCE_MS, () => this.end());
  }
}
