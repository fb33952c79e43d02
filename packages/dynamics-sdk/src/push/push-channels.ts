import { EventEmitterTarget, isProtocolError, keySchedule, ProtocolError, toHex, wipe } from '@uemkit/protocol';
import { LIMITS, type PushContent, type PushMessage } from '@uemkit/protocol/wire';
import { PushConnection } from './push-connection.ts';
import type { AttachedPushChannels, PushChannel, PushChannelEvents, PushChannelState, PushChannels, PushHost } from './push-port.ts';

const RANDOM_BYTES = 48;
const MAX_NAME_CHARACTERS = 64;
/** Message ids that a channel remembers; older messages than the oldest of them are refused. */
const REMEMBERED = 1_024;

/** Option `pushChannels` of `openDynamicsRuntime`: `runtime.pushChannel(name)` is there then. */
export function pushChannels(): PushChannels {
  return { attach: (host) => new AppPushChannels(host) };
}

/** The channels of one app, over one connection to the NOC. */
class AppPushChannels implements AttachedPushChannels {
  readonly #host: PushHost;
  readonly #connection: PushConnection;
  // BOUNDED: those that are not open go with the next one beyond the limit.
  readonly #channels = new Map<string, AppPushChannel>();

  constructor(host: PushHost) {
    this.#host = host;
    this.#connection = new PushConnection(host, {
      channelIds: () => this.#live().flatMap(({ keys }) => (keys === undefined ? [] : [keys.channelId])),
      opened: (ids) => {
        for (const channel of this.#live()) if (channel.keys !== undefined && ids.has(toHex(channel.keys.channelId))) channel.opened();
      },
      message: (message) => {
        const id = toHex(message.channelId);
        this.#live()
          .find(({ keys }) => keys !== undefined && toHex(keys.channelId) === id)
          ?.received(message);
      },
    });
  }

  channel(name: string): PushChannel {
    if (typeof name !== 'string' || name.length < 1 || name.length > MAX_NAME_CHARACTERS) {
      throw new ProtocolError('ERR_USAGE_ARGUMENT', `the name of a push channel has 1 to ${MAX_NAME_CHARACTERS} characters`);
    }
    const known = this.#channels.get(name);
    if (known !== undefined) return known;
    const made = new AppPushChannel(name, { host: this.#host, admit: () => this.#admit(), changed: () => this.#connection.changed() });
    this.#channels.set(name, made);
    return made;
  }

  review(): void {
    const reason = this.#host.closedBy();
    if (reason === undefined) return;
    for (const channel of this.#live()) channel.end(reason);
    this.#connection.close();
  }

  #live(): readonly AppPushChannel[] {
    return [...this.#channels.values()].filter(({ keys }) => keys !== undefined);
  }

  /** @throws ProtocolError as `closedBy`; `ERR_REJECTED_BUSY` with too many channels */
  #admit(): void {
    const closed = this.#host.closedBy();
    // check: the app may use the network
    if (closed !== undefined) throw closed;
    // check: number of push channels
    if (this.#live().length >= LIMITS.pushChannels)
      throw new ProtocolError('ERR_REJECTED_BUSY', `an app has at most ${LIMITS.pushChannels} push channels open`);
  }
}

interface ChannelOwner {
  readonly host: PushHost;
  admit(): void;
  /** The list of open channels is another one. */
  changed(): void;
}

class AppPushChannel extends EventEmitterTarget<PushChannelEvents> implements PushChannel {
  readonly name: string;
  readonly #owner: ChannelOwner;
  /** From `connect` on, until it ends. */
  keys: keySchedule.PushChannelKeys | undefined;
  #state: PushChannelState = 'none';
  // BOUNDED by REMEMBERED; id to time, oldest first.
  readonly #seen = new Map<string, number>();
  #floorMs = -1;

  constructor(name: string, owner: ChannelOwner) {
    super();
    this.name = name;
    this.#owner = owner;
  }

  get state(): PushChannelState {
    return this.#state;
  }

  connect(): void {
    if (this.keys !== undefined) return;
    try {
      this.#owner.admit();
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return this.#fail(error);
    }
    this.keys = keySchedule.newPushChannel(this.#owner.host.ports.entropy.randomBytes(RANDOM_BYTES));
    this.#seen.clear();
    this.#floorMs = -1;
    this.#state = 'none';
    this.#owner.changed();
  }

  disconnect(): void {
    if (this.keys === undefined) return;
    this.end();
    this.#owner.changed();
  }

  opened(): void {
    if (this.#state === 'open' || this.keys === undefined) return;
    this.#state = 'open';
    const { address } = this.#owner.host.ports.noc;
    this.emit('open', { token: keySchedule.pushToken(this.keys), pushChannelHost: address.replace(/:\d+$/, '') });
  }

  end(reason?: ProtocolError): void {
    this.#forget();
    this.#state = 'closed';
    this.emit('close', reason === undefined ? {} : { reason });
  }

  /** What does not open was made by somebody who has not the token: the NOC, for example. The channel is of no use any more. */
  received({ sealed }: PushMessage): void {
    if (this.keys === undefined) return;
    let content: PushContent;
    let data: string;
    try {
      content = keySchedule.openPush(this.#owner.host.ports.crypto, this.keys, sealed);
      data = textOf(content.body);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      this.#forget();
      this.#fail(error);
      return this.#owner.changed();
    }
    if (this.#isNew(content)) this.emit('message', { data });
  }

  /** check: no message twice; the NOC sends again what it has heard no acknowledgement of, and may do so on purpose */
  #isNew({ messageId, sentAtEpochMs }: PushContent): boolean {
    const id = toHex(messageId);
    if (this.#seen.has(id) || sentAtEpochMs <= this.#floorMs) return false;
    this.#seen.set(id, sentAtEpochMs);
    if (this.#seen.size > REMEMBERED) {
      const [oldest, sentMs] = this.#seen.entries().next().value as [string, number];
      this.#seen.delete(oldest);
      this.#floorMs = Math.max(this.#floorMs, sentMs);
    }
    return true;
  }

  #fail(error: ProtocolError): void {
    this.#state = 'error';
    this.emit('error', { error });
  }

  #forget(): void {
    wipe(this.keys?.key);
    this.keys = undefined;
  }
}

function textOf(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (cause) {
    throw new ProtocolError('ERR_WIRE_FIELD', 'pushContent.body: is no text', { cause });
  }
}
