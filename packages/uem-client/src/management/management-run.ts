import {
  type Clock,
  type Driven,
  type DrivePorts,
  drive,
  type Entropy,
  isProtocolError,
  MANAGEMENT_KEYS,
  type ManagementCall,
  type ManagementDevice,
  type ManagementEvent,
  type ManagementOutput,
  type ManagementRequest,
  type ManagementRequestResult,
  type ManagementState,
  managementDevice,
  type PollSchedule,
  ProtocolError,
  type RequestLink,
  type Store,
  type StoreWrite,
} from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import type { UemClientLimits } from '../client-ports.ts';
import { flowStepOf } from '../flow-steps.ts';
import type { OperatingSystem } from '../operating-system.ts';
import { carryOut } from './carry-out.ts';

/** What the loop needs of the client. */
export interface ManagementOwner {
  /** Sends a frame to UEM over mutual TLS and gives the answer. */
  exchange(frame: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  trace(step: string, direction: 'sent' | 'received', frame: Uint8Array): void;
  /** What the machine tells, in order. Must not throw. */
  told(event: ManagementEvent): void;
  /** A handler of the operating system failed; the command is answered `failed`. */
  handlerFailed(command: wire.Command, error: unknown): void;
  /** Destroys the identity; gives the writes that belong to it. Idempotent. */
  leave(): Promise<readonly StoreWrite[]>;
  /** The device has left management, or the server refuses it: the loop has ended. */
  ended(refusal: ProtocolError | undefined): void;
}

export interface ManagementLoopOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly store: Store;
  readonly limits: UemClientLimits;
  readonly operatingSystem: OperatingSystem;
  readonly schedule: PollSchedule;
  readonly owner: ManagementOwner;
}

/**
 * One machine from its building to its end, and everything that it is driven with. It is its own ports, without a closure for each: a device at rest
 * keeps this object.
 */
export class ManagementRun implements DrivePorts<ManagementRequest, ManagementRequestResult, ManagementEvent>, RequestLink, Pick<Store, 'commit'> {
  readonly #options: ManagementLoopOptions;
  readonly #machine: ManagementDevice;
  readonly #driven: Driven<ManagementCall, ManagementOutput>;
  /** Serves many exchanges, since most of them are answered. */
  #abort: AbortController | undefined;
  /** Number of the exchange whose answer counts. */
  #exchange = 0;
  #waiting = false;
  #applied: (() => void) | undefined;
  /** A command is with the operating system, or its outcome is being saved. */
  #working = false;
  #stopping = false;
  #rested: (() => void) | undefined;

  constructor(options: ManagementLoopOptions, state: ManagementState) {
    const { entropy, schedule, limits } = options;
    this.#options = options;
    this.#machine = managementDevice({
      entropy,
      schedule,
      state,
      backoff: { minMs: 0, baseMs: limits.backoffBaseMs, maxMs: limits.backoffMaxMs },
      limits: { answerMs: limits.requestTimeoutMs },
    });
    this.#driven = drive(this.#machine, this);
  }

  /** Resolves when the device has left management; rejects as `drive` does. */
  get ended(): Promise<ManagementOutput> {
    return this.#driven.ended;
  }

  get isBackingOff(): boolean {
    return this.#machine.state === 'backingOff';
  }

  call(call: ManagementCall): void {
    this.#driven.call(call);
  }

  /** Ends after the command that is being carried out was recorded. Its answer is not sent. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#abandonExchange();
    if (this.#working) {
      await new Promise<void>((resolve) => {
        this.#rested = resolve;
      });
    }
    this.drop();
  }

  /** Ends now. */
  drop(): void {
    this.#stopping = true;
    this.#abandonExchange();
    this.#driven.stop(new ProtocolError('ERR_USAGE_STATE', 'the client was stopped'));
    this.rest();
  }

  /** Nothing is with the operating system any more. */
  rest(): void {
    this.#working = false;
    this.#applied = undefined;
    this.#rested?.();
  }

  // DrivePorts

  get clock(): Clock {
    return this.#options.clock;
  }

  get store(): Pick<Store, 'commit'> {
    return this;
  }

  get link(): RequestLink {
    return this;
  }

  onEvent(event: ManagementEvent): void {
    this.#options.owner.told(event);
  }

  onFrame(direction: 'sent' | 'received', frame: Uint8Array, step: string | undefined): void {
    this.#options.owner.trace(step ?? flowStepOf(frame) ?? 'F5.4', direction, frame);
  }

  async commit(writes: readonly StoreWrite[]): Promise<void> {
    await this.#options.store.commit(writes);
    const applied = this.#applied;
    if (applied === undefined || !writes.some(({ key }) => key === MANAGEMENT_KEYS.open)) return;
    applied();
    this.rest();
  }

  async exchange(frame: Uint8Array): Promise<Uint8Array> {
    this.#abandonExchange();
    if (this.#stopping) return noAnswer();
    this.#abort ??= new AbortController();
    const exchange = ++this.#exchange;
    this.#waiting = true;
    try {
      const answer = await this.#options.owner.exchange(frame, this.#abort.signal);
      return this.#exchange === exchange ? answer : noAnswer();
    } catch (error) {
      // The machine waits for another answer by now, or for none: this one must not end that.
      if (this.#exchange !== exchange) return noAnswer();
      throw asProtocolError(error);
    } finally {
      if (this.#exchange === exchange) this.#waiting = false;
    }
  }

  async request(request: ManagementRequest, signal: AbortSignal): Promise<ManagementRequestResult> {
    const { operatingSystem, owner } = this.#options;
    this.#working = true;
    if (request.type === 'execute') {
      const { result, applied } = await carryOut(operatingSystem, request.command, signal, (error) => owner.handlerFailed(request.command, error));
      signal.throwIfAborted();
      this.#applied = applied;
      return result;
    }
    try {
      return { type: 'left', writes: await owner.leave() };
    } catch (error) {
      this.rest();
      throw asProtocolError(error);
    }
  }

  #abandonExchange(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#exchange++;
    this.#abort?.abort(new ProtocolError('ERR_PEER_TIMEOUT', 'the answer is not waited for any more'));
    this.#abort = undefined;
  }
}

/** What became of an exchange that nobody waits for any more. Nothing holds this promise, so it goes with who awaits it. */
function noAnswer(): Promise<Uint8Array> {
  return new Promise(() => undefined);
}

/** Errors that are not ours are a bug, here or in a port. */
export function asProtocolError(error: unknown): ProtocolError {
  return isProtocolError(error) ? error : new ProtocolError('ERR_INTERNAL', 'the management of the device failed', { cause: error });
}
