import {
  type CancelTimer,
  type Clock,
  type CryptoProvider,
  type Entropy,
  type HandshakeInitiator,
  handshakeInitiator,
  isProtocolError,
  keySchedule,
  ProtocolError,
  type SecretBytes,
  secret,
  type TraceSink,
  wipe,
} from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { LinkChannel } from '../noc/link-channel.ts';
import type { NocTransport, NocTrust } from '../noc/noc-transport.ts';

/** What an app needs for its link to the NOC (F10.2). */
export interface NocLinkOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly clock: Clock;
  readonly transport: NocTransport;
  readonly noc: { readonly address: string; readonly trust: NocTrust };
  /** 16 bytes, and the master link key, of the activation. */
  readonly linkId: Uint8Array;
  readonly masterLinkKey: Uint8Array;
  /** True: a link without channel binding is allowed where the platform gives none (docs/protocol/12). */
  readonly allowUnboundLink?: boolean | undefined;
  /** The NOC has taken a link; what ties it to its connection. */
  onLink?(binding: keySchedule.ChannelBinding['kind']): void;
  readonly trace?: TraceSink | undefined;
}

/** Where the NOC is asked to connect to. */
export type LinkTarget =
  | ({ readonly to: 'proxy' } & wire.ConnectProxy)
  | ({ readonly to: 'host' } & wire.ConnectHost)
  | ({ readonly to: 'push' } & wire.ConnectPush);

/** What comes from the other end. */
export interface LinkReceiver {
  onBytes(bytes: Uint8Array): void;
  onRoom(): void;
  onEnd(): void;
  onClose(error?: ProtocolError): void;
}

/** A connection through the NOC: every byte is for the other end. */
export type LinkConnection = Omit<LinkChannel, 'binding'>;

const { link: LINK } = keySchedule.HANDSHAKES;
/** Until the link stands: what waits for it has time left for another way then. */
const LINK_MS = 10_000;
const TRAILERS: Readonly<Partial<Record<wire.FrameName, number>>> = { alert: 0, handshakeReply: LINK.trailerBytes.reply, connected: 0, connectRefused: 0 };

/**
 * F10.2 and F10.3: TLS to the NOC, the link by its master link key, and `Connect`. Resolves when the other end is there.
 * @throws ProtocolError `ERR_CONNECTION_NOC`, `ERR_CONNECTION_LINK`, `ERR_CONNECTION_PROXY`, `ERR_CONNECTION_TARGET`, `ERR_CONNECTION_DENIED`; an abort rejects with `signal.reason`
 */
export async function connectThroughNoc(options: NocLinkOptions, target: LinkTarget, receiver: LinkReceiver, signal: AbortSignal): Promise<LinkConnection> {
  const { transport, noc } = options;
  const { openLink } = transport;
  if (openLink === undefined) throw new ProtocolError('ERR_CONNECTION_NOC', 'this transport of the NOC has no links', { step: 'F10.2' });
  let opening: Opening | undefined;
  let channel: LinkChannel;
  try {
    channel = await openLink.call(transport, {
      ...noc,
      signal,
      onBytes: (bytes) => opening?.received(bytes),
      onRoom: () => receiver.onRoom(),
      onEnd: () => opening?.ended(),
      onClose: (error) => opening?.closed(error),
    });
  } catch (cause) {
    signal.throwIfAborted();
    if (!isProtocolError(cause)) throw cause;
    throw new ProtocolError('ERR_CONNECTION_NOC', 'the NOC was not reached', { cause, step: 'F10.2', details: { cause: cause.code } });
  }
  opening = new Opening(options, channel, target, receiver);
  return opening.run(signal);
}

/** The handshake and `Connect` on one connection; then it only passes on. */
class Opening {
  readonly #options: NocLinkOptions;
  readonly #channel: LinkChannel;
  readonly #target: LinkTarget;
  readonly #receiver: LinkReceiver;
  /** Of the handshake and `Connect`; what is through needs none. */
  #parser: wire.FrameParser | undefined = wire.frameParser({ maxBodyBytes: wire.LIMITS.unauthenticatedBodyBytes, trailerBytes });
  #machine: HandshakeInitiator | undefined;
  #phase: 'link' | 'connecting' | 'through' | 'over' = 'link';
  #resolve: (connection: LinkConnection) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #cancel: CancelTimer = () => {};

  constructor(options: NocLinkOptions, channel: LinkChannel, target: LinkTarget, receiver: LinkReceiver) {
    const { crypto, entropy, linkId, masterLinkKey, allowUnboundLink = false } = options;
    this.#options = options;
    this.#channel = channel;
    this.#target = target;
    this.#receiver = receiver;
    const { binding } = channel;
    // check: F10.2 a link without channel binding only where policy allows it
    if (binding.kind === 'none' && !allowUnboundLink) {
      channel.close();
      throw new ProtocolError('ERR_CONNECTION_LINK', 'this platform gives no channel binding, and a link without one is not allowed', { step: 'F10.2' });
    }
    const psk: SecretBytes<'psk'> = secret(masterLinkKey.slice());
    this.#machine = handshakeInitiator({ crypto, entropy, binding: { name: 'link', prologue: { binding, linkId } }, start: { pskId: linkId }, psk });
    wipe(psk);
  }

  run(signal: AbortSignal): Promise<LinkConnection> {
    const aborted = (): void => this.#fail(signal.reason);
    return new Promise<LinkConnection>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      signal.addEventListener('abort', aborted, { once: true });
      if (signal.aborted) return aborted();
      this.#wait(LINK_MS, 'F10.2');
      this.#handshake({ type: 'start' });
    }).finally(() => {
      signal.removeEventListener('abort', aborted);
      this.#cancel();
    });
  }

  received(bytes: Uint8Array): void {
    try {
      for (let rest = bytes; rest.length > 0 && this.#phase !== 'over'; ) {
        if (this.#phase === 'through') return this.#receiver.onBytes(rest);
        const cut = (this.#parser as wire.FrameParser).next(rest);
        rest = cut.rest;
        if (cut.frame !== undefined) this.#frame(cut.frame);
      }
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      this.#fail(this.#refused(error));
    }
  }

  ended(): void {
    if (this.#phase === 'through') this.#receiver.onEnd();
  }

  closed(error: ProtocolError | undefined): void {
    if (this.#phase === 'through') {
      this.#phase = 'over';
      this.#receiver.onClose(error);
    } else this.#fail(this.#refused(error ?? new ProtocolError('ERR_TRANSPORT_CLOSED', 'the NOC closed the connection')));
  }

  #frame(bytes: Uint8Array): void {
    const name = wire.peekFrameName(bytes);
    this.#trace('received', bytes, name === 'connected' || name === 'connectRefused' ? 'F10.3' : 'F10.2');
    if (this.#phase === 'link') return this.#handshake({ type: 'received', frame: bytes });
    const frame = wire.parseFrame(bytes);
    if (name === 'connectRefused') return this.#fail(refusalError(wire.connectRefused.decode(frame).reason, this.#target));
    // check: F10.3 the NOC has connected what was asked for
    if (wire.connected.decode(frame).to !== this.#target.to) throw new ProtocolError('ERR_PEER_MISMATCH', 'the NOC has connected something else');
    this.#phase = 'through';
    this.#parser = undefined;
    const { canPause, send, pause, resume, end, close } = this.#channel;
    this.#resolve({
      canPause,
      send,
      pause,
      resume,
      end,
      close: () => {
        this.#phase = 'over';
        close();
      },
    });
  }

  #handshake(input: Parameters<HandshakeInitiator['handle']>[0]): void {
    for (const effect of (this.#machine as HandshakeInitiator).handle(input, this.#options.clock.nowMs())) {
      if (effect.type === 'send') this.#send(effect.frame, effect.step);
      if (effect.type === 'fail') throw effect.error;
      if (effect.type === 'done') {
        effect.output.wipe();
        this.#machine = undefined;
        this.#options.onLink?.(this.#channel.binding.kind);
        this.#phase = 'connecting';
        this.#wait(wire.LIMITS.handshakeMs, 'F10.3');
        this.#send(connectFrame(this.#target), 'F10.3');
      }
    }
  }

  #send(frame: Uint8Array, step: string): void {
    this.#trace('sent', frame, step);
    this.#channel.send(frame);
  }

  #trace(direction: 'sent' | 'received', frame: Uint8Array, step: string): void {
    const isSent = direction === 'sent';
    this.#options.trace?.({ step, from: isSent ? 'app' : 'noc', to: isSent ? 'noc' : 'app', frame, timeMs: this.#options.clock.nowMs() });
  }

  /** A link that was not taken, whatever is wrong with it: a broken network looks the same as a NOC that closes. */
  #refused(cause: ProtocolError): ProtocolError {
    const code = this.#phase === 'link' ? (cause.kind === 'transport' ? 'ERR_CONNECTION_NOC' : 'ERR_CONNECTION_LINK') : 'ERR_CONNECTION_NOC';
    return new ProtocolError(code, 'the NOC did not take the link', { cause, step: 'F10.2', details: { cause: cause.code } });
  }

  #wait(forMs: number, step: string): void {
    this.#cancel();
    this.#cancel = this.#options.clock.setTimer(forMs, () => this.#fail(new ProtocolError('ERR_CONNECTION_NOC', 'the NOC does not answer', { step })));
  }

  #fail(error: unknown): void {
    if (this.#phase === 'over' || this.#phase === 'through') return;
    this.#phase = 'over';
    // Its keys go with it.
    this.#machine?.handle({ type: 'closed' }, this.#options.clock.nowMs());
    this.#channel.close();
    this.#reject(error);
  }
}

function connectFrame({ to, ...asked }: LinkTarget): Uint8Array {
  if (to === 'proxy') return wire.connectProxy.encode(asked as wire.ConnectProxy);
  return to === 'host' ? wire.connectHost.encode(asked as wire.ConnectHost) : wire.connectPush.encode(asked as wire.ConnectPush);
}

function refusalError(reason: wire.ConnectRefusal, { to }: LinkTarget): ProtocolError {
  const details = { reason };
  const step = 'F10.3';
  if (reason === 'denied') return new ProtocolError('ERR_CONNECTION_DENIED', 'the organisation allows no connection to this server', { details, step });
  if (reason === 'unreachable' && to === 'host') return new ProtocolError('ERR_CONNECTION_TARGET', 'the NOC did not reach the server', { details, step });
  return new ProtocolError('ERR_CONNECTION_PROXY', 'the Proxy is not there', { details, step });
}

function trailerBytes(name: wire.FrameName): number {
  const bytes = TRAILERS[name];
  if (bytes === undefined) throw new ProtocolError('ERR_WIRE_TYPE', `the NOC does not send ${name}`);
  return bytes;
}
