import { backoff, type CancelTimer, type Clock, type Entropy, isProtocolError, ProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { UemClientLimits } from '../client-ports.ts';
import type { PushService } from '../operating-system.ts';
import type { PushConnection, PushRequest, Trust, UemTransport } from '../transport.ts';

/** A connection that lived shorter counts as a failure, so that a service which closes at once does not make the device come back at once. */
const STABLE_MS = 60_000;

/** What the loop tells its owner. None of it may throw. */
export interface PushLoopOwner {
  trace(step: string, direction: 'sent' | 'received', frame: Uint8Array, peer: 'notification'): void;
  /** The service knows the device by this token from now on. */
  registered(token: Uint8Array): void;
  wokenUp(wakeUp: wire.WakeUp): void;
  disconnected(error: ProtocolError | undefined, retryInMs: number): void;
}

export interface PushLoopOptions {
  readonly transport: UemTransport;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly limits: UemClientLimits;
  readonly address: string;
  readonly trust: Trust;
  readonly service: PushService;
  readonly owner: PushLoopOwner;
}

/** One try at a connection, from opening to end. What one says that does not count any more is ignored. */
class PushAttempt implements PushRequest {
  readonly #loop: PushLoop;
  readonly address: string;
  readonly trust: Trust;
  /** Only needed to open, so a device at rest does not keep it. */
  opening: AbortController | undefined = new AbortController();

  constructor(loop: PushLoop, { address, trust }: PushLoopOptions) {
    this.#loop = loop;
    this.address = address;
    this.trust = trust;
  }

  get signal(): AbortSignal | undefined {
    return this.opening?.signal;
  }

  onFrame(frame: Uint8Array): void {
    this.#loop.received(this, frame);
  }

  onClose(error?: ProtocolError): void {
    this.#loop.closed(this, error);
  }
}

/** Keeps the push connection of one device (F5.2): registers, acknowledges wake-ups, notices silence, comes back with bounded pauses. */
export class PushLoop {
  readonly #options: PushLoopOptions;
  /** The try that counts. */
  #attempt: PushAttempt | undefined;
  #connection: PushConnection | undefined;
  /** One at a time: the pause before the next try, or the next check for signs of life. */
  #cancelTimer: CancelTimer | undefined;
  #pauses: Iterator<number> | undefined;
  #token: Uint8Array | undefined;
  #openedAtMs = 0;
  /** The service has registered the device on this connection. */
  #registeredOnce = false;
  #silentChecks = 0;

  constructor(options: PushLoopOptions) {
    this.#options = options;
  }

  /** `token`: by which the service knew the device the last time. */
  start(token: Uint8Array | undefined): void {
    this.#token = token;
    void this.#connect();
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#drop();
  }

  /** A frame on the connection of `attempt`. */
  received(attempt: PushAttempt, frame: Uint8Array): void {
    if (attempt === this.#attempt) this.#received(frame);
  }

  /** The connection of `attempt` is gone. */
  closed(attempt: PushAttempt, error: ProtocolError | undefined): void {
    if (attempt === this.#attempt) this.#retry(error);
  }

  async #connect(): Promise<void> {
    const { transport, clock, limits } = this.#options;
    const attempt = new PushAttempt(this, this.#options);
    this.#attempt = attempt;
    this.#registeredOnce = false;
    // Runs until the service has registered the device.
    this.#cancelTimer = clock.setTimer(limits.requestTimeoutMs, () => this.#retry(new ProtocolError('ERR_TRANSPORT_TIMEOUT', 'no push connection in time')));
    try {
      const connection = await transport.openPush(attempt);
      attempt.opening = undefined;
      if (attempt !== this.#attempt) return connection.close();
      this.#connection = connection;
      this.#openedAtMs = clock.monotonicMs();
      this.#send(wire.pushRegister.encode({ service: this.#options.service, token: this.#token }));
    } catch (error) {
      if (attempt === this.#attempt) this.#retry(asProtocolError(error));
    }
  }

  /** Nothing of the current connection counts any more. A dead peer does not answer the close, so nobody waits for it. */
  #drop(): void {
    const [attempt, connection] = [this.#attempt, this.#connection];
    this.#attempt = undefined;
    this.#connection = undefined;
    attempt?.opening?.abort(new ProtocolError('ERR_TRANSPORT_CLOSED', 'the push connection is not wanted any more'));
    connection?.close();
  }

  #send(frame: Uint8Array): void {
    this.#options.owner.trace('F5.2', 'sent', frame, 'notification');
    this.#connection?.send(frame);
  }

  #received(bytes: Uint8Array): void {
    this.#options.owner.trace('F5.2', 'received', bytes, 'notification');
    try {
      const frame = wire.parseFrame(bytes, { maxBodyBytes: wire.LIMITS.unauthenticatedBodyBytes });
      // A service that registers a device again and again would make it write and poll each time.
      if (frame.name !== 'pushClose' && (frame.name === 'pushRegistered') === this.#registeredOnce) throw unexpected();
      switch (frame.name) {
        case 'pushRegistered':
          return this.#registered(wire.pushRegistered.decode(frame));
        case 'wakeUp':
          return this.#wokenUp(wire.wakeUp.decode(frame));
        case 'pushClose':
          return this.#dismissed(wire.pushClose.decode(frame));
        default:
          throw unexpected();
      }
    } catch (error) {
      this.#retry(asProtocolError(error));
    }
  }

  #registered({ token, pingIntervalS }: wire.PushRegistered): void {
    this.#cancelTimer?.();
    this.#token = token;
    this.#registeredOnce = true;
    this.#silentChecks = 0;
    this.#watch(pingIntervalS * 1000);
    this.#options.owner.registered(token);
  }

  #wokenUp(wakeUp: wire.WakeUp): void {
    // A crash between here and the poll loses nothing: a device polls when it starts.
    this.#options.owner.wokenUp(wakeUp);
    this.#send(wire.pushAck.encode({ wakeUpId: wakeUp.wakeUpId }));
  }

  #dismissed({ reason }: wire.PushClose): void {
    if (reason === 'revoked') this.#token = undefined;
    this.#retry(undefined);
  }

  /** Asks after one interval of silence and gives up after the next. One timer that is not touched by traffic. */
  #watch(intervalMs: number): void {
    this.#cancelTimer = this.#options.clock.setTimer(intervalMs, () => {
      const connection = this.#connection;
      if (connection === undefined) return;
      this.#silentChecks = (connection.heard?.() ?? true) ? 0 : this.#silentChecks + 1;
      if (this.#silentChecks === 1) connection.ping?.();
      if (this.#silentChecks > 1) this.#retry(new ProtocolError('ERR_TRANSPORT_TIMEOUT', 'the notification service fell silent'));
      else this.#watch(intervalMs);
    });
  }

  #retry(error: ProtocolError | undefined): void {
    this.#cancelTimer?.();
    const { clock, entropy, limits, owner } = this.#options;
    if (this.#connection !== undefined && clock.monotonicMs() - this.#openedAtMs >= STABLE_MS) this.#pauses = undefined;
    this.#drop();
    this.#pauses ??= backoff({ minMs: 0, baseMs: limits.backoffBaseMs, maxMs: limits.backoffMaxMs }, entropy)[Symbol.iterator]();
    const pauseMs = this.#pauses.next().value as number;
    this.#cancelTimer = clock.setTimer(pauseMs, () => void this.#connect());
    owner.disconnected(error?.at('F5.2'), pauseMs);
  }
}

function unexpected(): ProtocolError {
  return new ProtocolError('ERR_PEER_UNEXPECTED', 'the notification service sent a frame that does not belong here');
}

function asProtocolError(error: unknown): ProtocolError {
  return isProtocolError(error) ? error : new ProtocolError('ERR_INTERNAL', 'the push connection failed', { cause: error });
}
