import {
  backoff,
  type CancelTimer,
  MANAGEMENT_KEYS,
  type ManagementCall,
  type ManagementState,
  type ProtocolError,
  restoreManagementState,
} from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { asProtocolError, type ManagementLoopOptions, ManagementRun } from './management-run.ts';

/**
 * Runs the device role of F5 until the device leaves management or is refused. A failed write ends a machine as a crash would: after a pause
 * the next one is built from the store.
 */
export class ManagementLoop {
  readonly #options: ManagementLoopOptions;
  #run: ManagementRun | undefined;
  #cancelRestart: CancelTimer | undefined;
  #pauses: Iterator<number> | undefined;
  #token: Uint8Array | undefined;
  #stopping = false;

  constructor(options: ManagementLoopOptions) {
    this.#options = options;
  }

  /** Builds the machine from the store: an open command goes on. Then asks for pending actions. */
  start(reason: wire.PollReason, wakeUpId?: Uint8Array): void {
    this.#begin(reason, wakeUpId).catch((error: unknown) => this.#pause(asProtocolError(error)));
  }

  /** Asks for pending actions; a poll under way or due is joined. */
  poll(reason: wire.PollReason, wakeUpId?: Uint8Array): void {
    // Who asks by name does not wait for the end of a pause.
    if (reason === 'request' && (this.#cancelRestart !== undefined || this.#run?.isBackingOff)) this.#restart(reason);
    else this.#call({ type: 'poll', reason, wakeUpId });
  }

  /** The push token goes with the next poll, unless the server has it. */
  pushToken(token: Uint8Array): void {
    this.#token = token;
    this.#call({ type: 'pushToken', token });
  }

  /** Ends the loop. A command that is being carried out is finished and recorded first; its answer goes out after the next start. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelRestart?.();
    await this.#run?.stop();
  }

  /** Ends the loop without waiting for the operating system; what it still does is repeated after the next start. */
  drop(): void {
    this.#stopping = true;
    this.#cancelRestart?.();
    this.#run?.drop();
  }

  #call(call: ManagementCall): void {
    this.#run?.call(call);
  }

  async #begin(reason: wire.PollReason, wakeUpId: Uint8Array | undefined): Promise<void> {
    const state = await this.#savedState();
    if (this.#stopping || this.#run !== undefined) return;
    const run = new ManagementRun(this.#options, state);
    this.#run = run;
    if (this.#token !== undefined) run.call({ type: 'pushToken', token: this.#token });
    run.call({ type: 'poll', reason, wakeUpId });
    this.#awaitEnd(run);
  }

  async #savedState(): Promise<ManagementState> {
    const saved = new Map<string, Uint8Array | undefined>();
    for (const key of Object.values(MANAGEMENT_KEYS)) saved.set(key, await this.#options.store.get(key));
    return restoreManagementState((key) => saved.get(key));
  }

  /** On its own, because what stands in one function with these closures stays as long as the run. */
  #awaitEnd(run: ManagementRun): void {
    run.ended.then(
      () => this.#ended(run, undefined),
      (error: unknown) => this.#ended(run, asProtocolError(error)),
    );
  }

  #ended(run: ManagementRun, error: ProtocolError | undefined): void {
    if (this.#run !== run) return;
    this.#run = undefined;
    run.rest();
    if (this.#stopping) return;
    if (error === undefined || error.retry === 'reactivate') this.#options.owner.ended(error);
    else this.#pause(error);
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
    const run = this.#run;
    this.#run = undefined;
    run?.drop();
    this.start(reason);
  }
}
