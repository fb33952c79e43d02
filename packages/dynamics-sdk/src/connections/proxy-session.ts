import {
  keySchedule,
  ProtocolError,
  proxySessionInitiator,
  type RunningSession,
  runProxySession,
  type SecretBytes,
  type SessionEvent,
  secret,
  wipe,
} from '@uemkit/protocol';
import type { ProxyInstance, StreamRefusal } from '@uemkit/protocol/wire';
import { connectThroughNoc, type LinkConnection, type NocLinkOptions } from './noc-link.ts';
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

/** One session of `px` with one Proxy, and its streams (F10.3, F10.4). */
export interface AppProxySession {
  /** False once it is over, or takes no more streams. */
  readonly usable: boolean;
  readonly openStreams: number;
  /** @throws ProtocolError `ERR_CONNECTION_TARGET`, `ERR_CONNECTION_DENIED`, `ERR_CONNECTION_PROXY`, `ERR_CONNECTION_LOST`; an abort rejects with `signal.reason` */
  open(target: ConnectTarget, signal: AbortSignal): Promise<ByteStream>;
  /** Ends it; its streams break. */
  close(): void;
}

/** @throws ProtocolError `ERR_CONNECTION_*`; an abort rejects with `signal.reason` */
export async function openProxySession(options: ProxySessionOptions, proxy: ProxyInstance, signal: AbortSignal, over: () => void): Promise<AppProxySession> {
  const session = new Session(over);
  const connection = await connectThroughNoc(options, { to: 'proxy', proxyId: proxy.id }, session, signal);
  await session.begin(options, proxy, connection, signal);
  return session;
}

/** A stream of a session. */
interface Stream {
  readonly pipe: Pipe;
  /** Until the Proxy has answered. */
  settle: { resolve(stream: ByteStream): void; reject(error: unknown): void } | undefined;
}

class Session implements AppProxySession {
  readonly #over: () => void;
  // BOUNDED by LIMITS.openStreams.
  readonly #streams = new Map<number, Stream>();
  #running: RunningSession | undefined;
  #connection: LinkConnection | undefined;
  #established: { resolve(): void; reject(error: Error): void } | undefined;
  #nextId = 0;
  #isFull = false;
  #isOver = false;

  constructor(over: () => void) {
    this.#over = over;
  }

  get usable(): boolean {
    return !this.#isOver && this.#running?.state === 'established';
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  async begin(options: ProxySessionOptions, proxy: ProxyInstance, connection: LinkConnection, signal: AbortSignal): Promise<void> {
    const { crypto, entropy, clock, tenantId, instanceId, sessionKeyId, trace } = options;
    this.#connection = connection;
    const masterSessionKey: SecretBytes<'master-session'> = secret(options.masterSessionKey.slice());
    const psk = keySchedule.proxyPsk(crypto, masterSessionKey, proxy.id);
    wipe(masterSessionKey);
    const prologue = { tenantId, proxyId: proxy.id, instanceId, keyExchangeKey: proxy.keyExchangeKey };
    const machine = proxySessionInitiator({
      ...{ crypto, entropy, sessionKeyId, psk, responderStaticKey: proxy.keyExchangeKey },
      binding: { name: 'px', prologue },
    });
    const aborted = (): void => this.#end(signal.reason);
    signal.addEventListener('abort', aborted, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        this.#established = { resolve, reject };
        if (signal.aborted) return aborted();
        this.#running = runProxySession(machine, 'initiator', {
          clock,
          send: (bytes, step) => {
            if (step === 'F10.3') trace?.({ step, from: 'app', to: 'proxy', frame: bytes, timeMs: clock.nowMs() });
            this.#isFull = !connection.send(bytes) || this.#isFull;
          },
          onEvent: (event) => this.#event(event as SessionEvent),
          ended: (error) => this.#end(lostError(error, this.#established !== undefined)),
        });
      });
    } finally {
      signal.removeEventListener('abort', aborted);
    }
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
    if (!this.usable || running === undefined) throw lostError(undefined, false);
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
    return new Promise<ByteStream>((resolve, reject) => {
      const aborted = (): void => {
        const stream = this.#streams.get(streamId);
        if (stream?.settle === undefined) return;
        pipe.stream.destroy();
        reject(signal.reason);
      };
      const end = <T>(settle: (value: T) => void) => {
        return (value: T): void => {
          signal.removeEventListener('abort', aborted);
          settle(value);
        };
      };
      running.call({ type: 'open', streamId, host, port });
      this.#nextId += 1;
      this.#streams.set(streamId, { pipe, settle: { resolve: end(resolve), reject: end(reject) } });
      signal.addEventListener('abort', aborted, { once: true });
      // Who asks how the stream ended is not to be kept by the session.
      const forget = (): void => void this.#streams.delete(streamId);
      pipe.stream.closed.then(forget, forget);
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
        return settle?.reject(refusedError(event.reason));
      case 'data':
        return pipe.received(event.bytes);
      case 'ended':
        return pipe.ended();
      case 'credit':
        return pipe.room();
      case 'reset':
        this.#streams.delete(event.streamId);
        settle?.reject(lostError(undefined, false));
        return pipe.broken(
          new ProtocolError('ERR_CONNECTION_LOST', 'the connection to the server broke', { step: 'F10.4', details: { reason: event.reason } }),
        );
      default:
    }
  }

  #end(error: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connection?.close();
    const lost = error ?? lostError(undefined, false);
    this.#established?.reject(lost);
    for (const { pipe, settle } of [...this.#streams.values()]) {
      settle?.reject(lost);
      pipe.broken(lost);
    }
    this.#streams.clear();
    this.#over();
  }
}

/** How a session ended, as the app sees it: while it began the Proxy was not there, later the connection is lost. */
function lostError(cause: ProtocolError | undefined, isBeginning: boolean): ProtocolError {
  const more = { step: isBeginning ? 'F10.3' : 'F10.4', ...(cause === undefined ? {} : { cause, details: { cause: cause.code } }) };
  if (isBeginning) return new ProtocolError('ERR_CONNECTION_PROXY', 'the Proxy did not take the session', more);
  return new ProtocolError('ERR_CONNECTION_LOST', 'the connection through the Proxy broke', more);
}

function refusedError(reason: StreamRefusal): ProtocolError {
  const more = { step: 'F10.4', details: { reason } };
  if (reason === 'denied') return new ProtocolError('ERR_CONNECTION_DENIED', 'the Proxy allows no connection to this server', more);
  if (reason === 'busy') return new ProtocolError('ERR_CONNECTION_PROXY', 'the Proxy has too many streams of this app', more);
  return new ProtocolError('ERR_CONNECTION_TARGET', 'the Proxy did not reach the server', more);
}
