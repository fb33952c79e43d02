import {
  backoff,
  type CancelTimer,
  type Clock,
  type Driven,
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
  managementDevice,
  type PollSchedule,
  ProtocolError,
  restoreManagementState,
  type Store,
  type StoreWrite,
  type wire,
} from '@uemkit/protocol';
import { flowStepOf } from '../flow-steps.ts';
import type { OperatingSystem } from '../operating-system.ts';
import type { UemClientLimits } from '../options.ts';
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

/** One machine from its building to its end. */
interface ManagementRun {
  readonly machine: ManagementDevice;
  readonly driven: Driven<ManagementCall, ManagementOutput>;
  readonly abort: AbortController;
}

/**
 * Runs the device role of F5 until the device leaves management or is refused. A failed write ends a machine as a crash would: after a pause
 * the next one is built from the store.
 */
export class ManagementLoop {
  readonly #options: ManagementLoopOptions;
  #run: ManagementRun | undefined;
  #abort: AbortController | undefined;
  /** Number of the exchange whose answer counts. */
  #exchange = 0;
  #waiting = false;
  #cancelRestart: CancelTimer | undefined;
  #pauses: Iterator<number> | undefined;
  #applied: (() => void) | undefined;
  /** A command is with the operating system, or its outcome is being saved. */
  #working = false;
  #stopping = false;
  #token: Uint8Array | undefined;
  #rested: (() => void) | undefined;

  constructor(options: ManagementLoopOptions) {
    this.#options = options;
  }

  /** Builds the machine from the store: an open command goes on. Then asks for pending actions. */
  start(reason: wire.PollReason): void {
    this.#begin(reason).catch((error: unknown) => this.#pause(asProtocolError(error)));
  }

  /** Asks for pending actions; a poll under way or due is joined. */
  poll(reason: wire.PollReason, wakeUpId?: Uint8Array): void {
    // Who asks by name does not wait for the end of a pause.
    if (reason === 'request' && (this.#cancelRestart !== undefined || this.#run?.machine.state === 'backingOff')) this.#restart(reason);
    else this.#run?.driven.call({ type: 'poll', reason, wakeUpId });
  }

  /** The push token goes with the next poll, unless the server has it. */
  pushToken(token: Uint8Array): void {
    this.#token = token;
    this.#run?.driven.call({ type: 'pushToken', token });
  }

  /** Ends the loop. A command that is being carried out is finished and recorded first; its answer goes out after the next start. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelRestart?.();
    this.#abandonExchange();
    if (this.#working) {
      await new Promise<void>((resolve) => {
        this.#rested = resolve;
      });
    }
    this.#drop();
  }

  /** Ends the loop without waiting for the operating system; what it still does is repeated after the next start. */
  drop(): void {
    this.#stopping = true;
    this.#cancelRestart?.();
    this.#drop();
    this.#rest();
  }

  async #begin(reason: wire.PollReason): Promise<void> {
    const { store, entropy, schedule, limits, clock } = this.#options;
    const saved = new Map<string, Uint8Array | undefined>();
    for (const key of Object.values(MANAGEMENT_KEYS)) saved.set(key, await store.get(key));
    if (this.#stopping || this.#run !== undefined) return;
    const machine = managementDevice({
      entropy,
      schedule,
      state: restoreManagementState((key) => saved.get(key)),
      backoff: { minMs: 0, baseMs: limits.backoffBaseMs, maxMs: limits.backoffMaxMs },
      limits: { answerMs: limits.requestTimeoutMs },
    });
    const abort = new AbortController();
    const driven = drive(machine, {
      clock,
      store: { commit: (writes) => this.#commit(writes) },
      link: { exchange: (frame) => this.#send(frame) },
      request: (request, signal) => this.#carryOut(request, signal),
      onEvent: (event) => this.#options.owner.told(event),
      onFrame: (direction, frame, step) => this.#options.owner.trace(step ?? flowStepOf(frame) ?? 'F5.4', direction, frame),
      signal: abort.signal,
    });
    const run: ManagementRun = { machine, driven, abort };
    this.#run = run;
    driven.ended.then(
      () => this.#ended(run, undefined),
      (error: unknown) => this.#ended(run, asProtocolError(error)),
    );
    if (this.#token !== undefined) driven.call({ type: 'pushToken', token: this.#token });
    driven.call({ type: 'poll', reason });
  }

  async #commit(writes: readonly StoreWrite[]): Promise<void> {
    await this.#options.store.commit(writes);
    this.#pauses = undefined;
    if (!this.#working || !writes.some(({ key }) => key === MANAGEMENT_KEYS.open)) return;
    const applied = this.#applied;
    if (applied === undefined) return;
    this.#applied = undefined;
    applied();
    this.#rest();
  }

  async #send(frame: Uint8Array): Promise<Uint8Array> {
    this.#abandonExchange();
    if (this.#stopping) return noAnswer();
    // Most exchanges are answered, so one controller serves many of them.
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

  #abandonExchange(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#exchange++;
    this.#abort?.abort(new ProtocolError('ERR_PEER_TIMEOUT', 'the answer is not waited for any more'));
    this.#abort = undefined;
  }

  async #carryOut(request: ManagementRequest, signal: AbortSignal): Promise<ManagementRequestResult> {
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
      this.#rest();
      throw asProtocolError(error);
    }
  }

  #rest(): void {
    this.#working = false;
    this.#rested?.();
  }

  #ended(run: ManagementRun, error: ProtocolError | undefined): void {
    if (this.#run !== run) return;
    this.#drop();
    this.#rest();
    if (error === undefined || error.retry === 'reactivate') this.#options.owner.ended(error);
    else this.#pause(error);
  }

  #drop(): void {
    const run = this.#run;
    this.#run = undefined;
    this.#applied = undefined;
    this.#abandonExchange();
    run?.abort.abort(new ProtocolError('ERR_USAGE_STATE', 'the client was stopped'));
  }

  #pause(error: ProtocolError): void {
    if (this.#stopping) return;
    const { clock, entropy, limits, owner } = this.#options;
    this.#pauses ??= backoff({ minMs: 0, baseMs: limits.backoffBaseMs, maxMs: limits.backoffMaxMs }, entropy)[Symbol.iterator]();
    const retryAfterMs = this.#pauses.next().value as number;
    this.#cancelRestart = clock.setTimer(retryAfterMs, () => this.#restart('resume'));
    owner.told({ type: 'exchangeFailed', error, retryAfterMs });
  }

  #restart(reason: wire.PollReason): void {
    this.#cancelRestart?.();
    this.#cancelRestart = undefined;
    this.#drop();
    this.start(reason);
  }
}

/** What became of an exchange that nobody waits for any more. Nothing holds this promise, so it goes with who awaits it. */
function noAnswer(): Promise<Uint8Array> {
  return new Promise(() => undefined);
}

function asProtocolError(error: unknown): ProtocolError {
  return isProtocolError(error) ? error : new ProtocolError('ERR_INTERNAL', 'the management of the device failed', { cause: error });
}
