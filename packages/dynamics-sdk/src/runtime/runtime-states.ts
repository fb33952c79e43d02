import type { CancelTimer, Clock, Store } from '@uemkit/protocol';
import { writeRuntime } from '../state/saved-runtime.ts';
import type { DynamicsRuntimeEvents } from './events.ts';
import { RESULT_CODES, type ResultName } from './result-codes.ts';
import { type RuntimeEffect, type RuntimeInput, RuntimeMachine, type RuntimePolicy, type RuntimeRecord } from './runtime-machine.ts';
import type { AuthorizationState } from './transitions.ts';

/** What a change of state does to the rest of the runtime. */
export interface RuntimeActions {
  /** Keys leave the memory. */
  closeContainer(): Promise<void>;
  /** No password opens any more. */
  revokePassword(): Promise<void>;
  /** Container and activation; may be called again until it has succeeded. */
  wipe(): Promise<void>;
  /** The time that was asked for has come: `timer` is the next input, in its turn. */
  timer(): void;
  said(change: DynamicsRuntimeEvents['statechange']): void;
}

/** Timers of platforms take 31 bits; an earlier one only looks again. */
const MAX_TIMER_MS = 2_147_483_647;

/** The machine of states, its effects, and what was said of it last. */
export class RuntimeStates {
  readonly #ports: { readonly store: Store; readonly clock: Clock };
  readonly #machine: RuntimeMachine;
  readonly #actions: RuntimeActions;
  #code: ResultName;
  #said: AuthorizationState;
  #cancelTimer: CancelTimer = () => {};

  constructor(ports: { readonly store: Store; readonly clock: Clock }, policy: RuntimePolicy, saved: RuntimeRecord, actions: RuntimeActions) {
    this.#ports = ports;
    this.#machine = new RuntimeMachine(policy, saved);
    this.#actions = actions;
    this.#said = this.#machine.state;
    this.#code = saved.wiped === 'no' ? 'GDErrorNone' : saved.wipedBy;
  }

  get state(): AuthorizationState {
    return this.#machine.state;
  }

  get code(): ResultName {
    return this.#code;
  }

  /** Only the unlock key opens the container. */
  get isRemotelyLocked(): boolean {
    return this.#machine.isRemotelyLocked;
  }

  /** Ends a wipe that was begun. */
  begin(): Promise<void> {
    return this.#carryOut(this.#machine.begin());
  }

  take(input: RuntimeInput): Promise<void> {
    return this.#carryOut(this.#machine.handle(input, this.#ports.clock.nowMs()));
  }

  close(): void {
    this.#cancelTimer();
  }

  async #carryOut(effects: readonly RuntimeEffect[]): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    for (const effect of effects) {
      try {
        await this.#carryOutOne(effect);
      } catch (error) {
        if (effect.type !== 'wipe-container') throw error;
        // The app is told all the same: it is decided and durable, and `wipe` or the next start ends it.
        failure = { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }

  async #carryOutOne(effect: RuntimeEffect): Promise<void> {
    switch (effect.type) {
      case 'persist':
        return this.#ports.store.commit([writeRuntime(effect.record)]);
      case 'close-container':
        return this.#actions.closeContainer();
      case 'revoke-password':
        return this.#actions.revokePassword();
      case 'wipe-container':
        await this.#actions.wipe();
        return this.take({ type: 'container-gone' });
      case 'arm-timer':
        return this.#armTimer(effect.atMs);
      case 'emit':
        return this.#say(effect);
    }
  }

  #say({ state, code, block }: Extract<RuntimeEffect, { readonly type: 'emit' }>): void {
    const previous = this.#said;
    this.#said = state;
    this.#code = code;
    this.#actions.said({ state, previous, code, number: RESULT_CODES[code], ...(block === undefined ? {} : { block }) });
  }

  #armTimer(atMs: number | undefined): void {
    this.#cancelTimer();
    if (atMs === undefined) return;
    const { clock } = this.#ports;
    this.#cancelTimer = clock.setTimer(Math.max(0, Math.min(atMs - clock.nowMs(), MAX_TIMER_MS)), () => this.#actions.timer());
  }
}
