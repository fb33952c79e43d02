import {
  isProtocolError,
  keySchedule,
  ProtocolError,
  type ProxySession,
  type ProxySessionInitiatorOptions,
  proxySessionInitiator,
  type RunningSession,
  runProxySession,
  type SecretBytes,
  type SessionEvent,
  secret,
  wipe,
} from '@uemkit/protocol';
import { LIMITS, type ProxyInstance, type StreamRefusal } from '@uemkit/protocol/wire';
import type { DirectChannel } from '../noc/link-channel.ts';
import { connectThroughNoc, type LinkConnection, type LinkReceiver, type NocLinkOptions } from './noc-link.ts';
import { createPipe, type Pipe } from './stream-pipe.ts';
import type { ByteStream, ConnectTarget } from './way.ts';

/** What an app needs for its sessions with Proxies. */
export interface ProxySessionOptions extends NocLinkOptions {
  readonly tenantId: string;
  /** 16 bytes each. */
  readonly instanceId: Uint8Array;
  readonly sessionKeyId: Uint8Array;
  readonly masterSessionKey: Uint8Array;
}

/** One session of `px` or `dc` with one Proxy, and its streams (F10.3, F10.4, F11.3, F11.4). */
export interface AppProxySession {
  /** False once it is over. */
  readonly usable: boolean;
  /** True while it takes no more streams. */
  readonly full: boolean;
  readonly openStreams: number;
  /** @throws ProtocolError `ERR_CONNECTION_TARGET`, `ERR_CONNECTION_DENIED`, `ERR_CONNECTION_PROXY`, `ERR_CONNECTION_LOST`; an abort rejects with `signal.reason` */
  open(target: ConnectTarget, signal: AbortSignal): Promise<ByteStream>;
  /** Ends it; its streams break. */
  close(): void;
}

/** @throws ProtocolError `ERR_CONNECTION_*`; an abort rejects with `signal.reason` */
export type OpenProxySession = (options: ProxySessionOptions, proxy: ProxyInstance, signal: AbortSignal, over: () => void) => Promise<AppProxySession>;

/** Through the NOC (F10.3). */
export const openProxySession: OpenProxySession = async (options, proxy, signal, over) => {
  const session = new Session(over, 'px');
  const connection = await connectThroughNoc(options, { to: 'proxy', proxyId: proxy.id }, session, signal);
  await session.begin(options, proxy, { connection, binding: { name: 'px', prologue: prologueOf(options, proxy) } }, signal);
  return session;
};

/** By TLS to the Proxy itself (F11): its certificate one way, a MAC under the session key the other. */
export const openDirectSession: OpenProxySession = async (options, proxy, signal, over) => {
  const session = new Session(over, 'dc');
  const { binding, serverKeyHash, ...connection } = await dialled(options, proxy, session, signal);
  // check: F11.3 the proof is bound to this TLS connection
  if (binding.kind === 'none') {
    connection.close();
    throw new ProtocolError('ERR_CONNECTION_PROXY', 'Direct Connect needs a channel binding', { step: 'F11.3' });
  }
  await session.begin(options, proxy, { connection, binding: { name: 'dc', prologue: { ...prologueOf(options, proxy), binding, serverKeyHash } } }, signal);
  return session;
};

async function dialled(options: ProxySessionOptions, proxy: ProxyInstance, receiver: LinkReceiver, signal: AbortSignal): Promise<DirectChannel> {
  const { transport } = options;
  const { host, port, roots, spkiPins } = proxy;
  if (transport.openDirect === undefined) throw new ProtocolError('ERR_CONNECTION_DENIED', 'this platform has no Direct Connect', { step: 'F11.2' });
  try {
    return await transport.openDirect({
      address: `${host.includes(':') ? `[${host}]` : host}:${port}`,
      trust: { roots, spkiPins },
      signal,
      onBytes: (bytes) => receiver.onBytes(bytes),
      onRoom: () => receiver.onRoom(),
      onEnd: () => receiver.onEnd(),
      onClose: (error) => receiver.onClose(error),
    });
  } catch (cause) {
    signal.throwIfAborted();
    if (!isProtocolError(cause)) throw cause;
    throw new ProtocolError('ERR_CONNECTION_PROXY', 'the Proxy was not reached, or is another one', { cause, step: 'F11.2', details: { cause: cause.code } });
  }
}

function prologueOf({ tenantId, instanceId }: ProxySessionOptions, { id, keyExchangeKey }: ProxyInstance): keySchedule.ProxyPrologue {
  return { tenantId, proxyId: id, instanceId, keyExchangeKey };
}

/** What a session runs on. */
interface Below {
  readonly connection: LinkConnection;
  readonly binding: ProxySessionInitiatorOptions['binding'];
}

function initiatorOf(options: ProxySessionOptions, proxy: ProxyInstance, binding: Below['binding']): ProxySession {
  const { crypto, entropy, sessionKeyId } = options;
  const masterSessionKey: SecretBytes<'master-session'> = secret(options.masterSessionKey.slice());
  const psk = keySchedule.proxyPsk(crypto, masterSessionKey, proxy.id);
  wipe(masterSessionKey);
  const machine = proxySessionInitiator({ crypto, entropy, sessionKeyId, psk, responderStaticKey: proxy.keyExchangeKey, binding });
  wipe(psk);
  return machine;
}

/** A stream of a session. */
interface Stream {
  readonly pipe: Pipe;
  /** Until the Proxy has answered. */
  settle: { resolve(stream: ByteStream): void; reject(error: unknown): void } | undefined;
}

class Session implements AppProxySession {
  readonly #over: () => void;
  readonly #flow: 'F10' | 'F11';
  // BOUNDED by LIMITS.openStreams.
  readonly #streams = new Map<number, Stream>();
  #running: RunningSession | undefined;
  #connection: LinkConnection | undefined;
  #established: { resolve(): void; reject(error: Error): void } | undefined;
  #nextId = 0;
  #isFull = false;
  #isOver = false;

  constructor(over: () => void, name: 'px' | 'dc') {
    this.#over = over;
    this.#flow = name === 'px' ? 'F10' : 'F11';
  }

  get usable(): boolean {
    return !this.#isOver && this.#running?.state === 'established';
  }

  get full(): boolean {
    return (this.#running?.openStreams ?? 0) >= LIMITS.openStreams;
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  async begin(options: ProxySessionOptions, proxy: ProxyInstance, { connection, binding }: Below, signal: AbortSignal): Promise<void> {
    this.#connection = connection;
    const machine = initiatorOf(options, proxy, binding);
    const aborted = (): void => this.#end(signal.reason);
    signal.addEventListener('abort', aborted, { once: true });
    try {
      if (signal.aborted) {
        machine.handle({ type: 'closed' }, options.clock.nowMs());
        aborted();
        throw signal.reason;
      }
      await this.#run(machine, options, connection);
    } finally {
      signal.removeEventListener('abort', aborted);
    }
  }

  /** Until it stands. In a function of its own: what runs does not hold the signal of its beginning. */
  #run(machine: ProxySession, { clock, trace }: ProxySessionOptions, connection: LinkConnection): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#established = { resolve, reject };
      this.#running = runProxySession(machine, 'initiator', {
        clock,
        send: (bytes, step) => {
          if (step.endsWith('.3')) trace?.({ step, from: 'app', to: 'proxy', frame: bytes, timeMs: clock.nowMs() });
          this.#isFull = !connection.send(bytes) || this.#isFull;
        },
        onEvent: (event) => this.#event(event as SessionEvent),
        ended: (error) => this.#end(this.#lost(error, this.#established !== undefined)),
      });
    });
  }

  onBytes(bytes: Uint8Array): void {
    this.#running?.received(bytes);
  }

  onRoom(): void {
    this.#isFull = false;
    for (const { pipe } of [...this.#streams.values()]) pipe.room();
  }

  onEnd(): void {
    this.#running?.closed();
  }

  onClose(error?: ProtocolError): void {
    this.#running?.closed(error);
  }

  open({ host, port }: ConnectTarget, signal: AbortSignal): Promise<ByteStream> {
    const running = this.#running;
    if (!this.usable || running === undefined) throw this.#lost(undefined, false);
    const streamId = this.#nextId;
    const call = (call: Parameters<RunningSession['call']>[0]): void => {
      if (!this.#isOver) running.call(call);
    };
    const pipe = createPipe({
      credit: () => (this.#isFull ? 0 : running.credit(streamId)),
      send: (bytes) => call({ type: 'write', streamId, bytes }),
      end: () => call({ type: 'end', streamId }),
      cancel: () => {
        this.#streams.delete(streamId);
        call({ type: 'reset', streamId, reason: 'cancelled' });
      },
      consumed: (bytes) => call({ type: 'consumed', streamId, bytes }),
    });
    running.call({ type: 'open', streamId, host, port });
    this.#nextId += 1;
    // Who asks how the stream ended is not to be kept by the session.
    const forget = (): void => void this.#streams.delete(streamId);
    pipe.stream.closed.then(forget, forget);
    return this.#answered(streamId, pipe, signal);
  }

  /** In a function of its own: what the pipe is made of does not hold the signal as long as the stream is there. */
  #answered(streamId: number, pipe: Pipe, signal: AbortSignal): Promise<ByteStream> {
    return new Promise<ByteStream>((resolve, reject) => {
      const stream: Stream = { pipe, settle: { resolve: (opened) => end(resolve, opened), reject: (error) => end(reject, error) } };
      const aborted = (): void => {
        if (stream.settle === undefined) return;
        pipe.stream.destroy();
        reject(signal.reason);
      };
      const end = <T>(settle: (value: T) => void, value: T): void => {
        signal.removeEventListener('abort', aborted);
        settle(value);
      };
      this.#streams.set(streamId, stream);
      signal.addEventListener('abort', aborted, { once: true });
    });
  }

  close(): void {
    if (this.#isOver) return;
    this.#running?.call({ type: 'close' });
    this.#end(undefined);
  }

  #event(event: SessionEvent): void {
    if (event.type === 'established') {
      this.#established?.resolve();
      this.#established = undefined;
      return;
    }
    if (!('streamId' in event)) return;
    const stream = this.#streams.get(event.streamId);
    if (stream === undefined) return;
    const { pipe, settle } = stream;
    switch (event.type) {
      case 'opened':
        stream.settle = undefined;
        return settle?.resolve(pipe.stream);
      case 'refused':
        this.#streams.delete(event.streamId);
        return settle?.reject(refusedError(event.reason, `${this.#flow}.4`));
      case 'data':
        return pipe.received(event.bytes);
      case 'ended':
        return pipe.ended();
      case 'credit':
        return pipe.room();
      case 'reset':
        this.#streams.delete(event.streamId);
        settle?.reject(this.#lost(undefined, false));
        return pipe.broken(
          new ProtocolError('ERR_CONNECTION_LOST', 'the connection to the server broke', { step: `${this.#flow}.4`, details: { reason: event.reason } }),
        );
      default:
    }
  }

  #end(error: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connection?.close();
    // Nothing tells it any more that the connection is gone, and its keys go with it.
    this.#running?.closed();
    const lost = error ?? this.#lost(undefined, false);
    this.#established?.reject(lost);
    for (const { pipe, settle } of [...this.#streams.values()]) {
      settle?.reject(lost);
      pipe.broken(lost);
    }
    this.#streams.clear();
    this.#over();
  }

  /** How a session ended, as the app sees it: while it began the Proxy was not there, later the connection is lost. */
  #lost(cause: ProtocolError | undefined, isBeginning: boolean): ProtocolError {
    const more = { step: `${this.#flow}.${isBeginning ? 3 : 4}`, ...(cause === undefined ? {} : { cause, details: { cause: cause.code } }) };
    if (isBeginning) return new ProtocolError('ERR_CONNECTION_PROXY', 'the Proxy did not take the session', more);
    return new ProtocolError('ERR_CONNECTION_LOST', 'the connection through the Proxy broke', more);
  }
}

function refusedError(reason: StreamRefusal, step: string): ProtocolError {
  const more = { step, details: { reason } };
  if (reason === 'denied') return new ProtocolError('ERR_CONNECTION_DENIED', 'the Proxy allows no connection to this server', more);
  if (reason === 'busy') return new ProtocolError('ERR_CONNECTION_PROXY', 'the Proxy has too many streams of this app', more);
  return new ProtocolError('ERR_CONNECTION_TARGET', 'the Proxy did not reach the server', more);
}
