import { type AppActivationRecord, appUpdateInitiator, type CancelTimer, ProtocolError, randomFraction, sameBytes } from '@uemkit/protocol';
import type { AppReport, AppUpdate } from '@uemkit/protocol/wire';
import type { AppActivation } from '../activation/app-activation.ts';
import { withCore } from '../connections/core-connection.ts';
import type { NocLinkOptions } from '../connections/noc-link.ts';
import type { AppContainer } from '../runtime/app-container.ts';
import type { Authorization } from '../runtime/authorization.ts';
import type { DynamicsRuntimeEvents } from '../runtime/events.ts';
import type { RuntimeStates } from '../runtime/runtime-states.ts';
import type { Turns } from '../runtime/turns.ts';
import { NO_UPDATE, type SavedUpdate } from '../state/saved-update.ts';
import { changedParts, reportOf, updatedData } from './documents.ts';
import type { ChangedPart, UpdateResult } from './update-result.ts';

/** From the end of `authorize` to the first question, before jitter: others have the network first. */
const FIRST_MS = 1_000;
/** After a question that failed, doubled each time up to the interval of policy, before jitter. */
const RETRY_MS = 60_000;
/** Questions in one go while UEM has more to say. */
const MAX_ROUNDS = 8;

export interface AppUpdatesParts {
  readonly appVersion: string;
  readonly ports: Omit<NocLinkOptions, 'linkId' | 'masterLinkKey'>;
  readonly activation: AppActivation;
  readonly container: AppContainer;
  readonly states: RuntimeStates;
  readonly authorization: Authorization;
  readonly turns: Turns;
  /** Documents are others now: what stands on them looks at them again. */
  changed(): void;
  emit<Name extends keyof DynamicsRuntimeEvents>(name: Name, detail: DynamicsRuntimeEvents[Name]): void;
}

const nothing = (): void => {};

/**
 * Asks UEM what has changed, makes it durable, and carries it out (F5.3 to F5.5). Only what UEM says in a session of this app means anything: that it cannot be reached is no
 * verdict. The network is waited for outside of the turns of the runtime, so that nothing waits for it.
 */
export class AppUpdates {
  readonly #parts: AppUpdatesParts;
  #saved: SavedUpdate = NO_UPDATE;
  #tail: Promise<unknown> = Promise.resolve();
  #cancelTimer: CancelTimer = () => {};
  #failures = 0;
  #isStarted = false;

  constructor(parts: AppUpdatesParts) {
    this.#parts = parts;
  }

  /** After a start: what a crash has left undone is done now, as far as it needs no open container. */
  async load(): Promise<void> {
    const { activation } = this.#parts;
    if (!activation.isActivated) return;
    this.#saved = await activation.loadUpdate();
    if (!this.#saved.isApplied) await this.#carryOut();
  }

  /** The app begins to ask by itself; nothing when it does, or has nobody to ask. */
  start(): void {
    const { activation } = this.#parts;
    if (this.#isStarted || this.#isWiped || !activation.isActivated) return;
    this.#isStarted = true;
    this.#failures = 0;
    this.#arm(FIRST_MS);
  }

  stop(): void {
    this.#isStarted = false;
    this.#cancelTimer();
  }

  /** Nothing of the activation is left. */
  forget(): void {
    this.stop();
    this.#saved = NO_UPDATE;
  }

  /** Asks now, after the question that is under way. @throws ProtocolError as `DynamicsRuntime.update` */
  ask(signal: AbortSignal): Promise<UpdateResult> {
    const result = this.#tail.then(() => this.#ask(signal));
    this.#tail = result.then(nothing, nothing);
    return result;
  }

  /** No question is under way any more. */
  async settled(): Promise<void> {
    await this.#tail;
  }

  async #ask(signal: AbortSignal): Promise<UpdateResult> {
    const changed = new Set<ChangedPart>();
    for (let round = 1; ; round += 1) {
      const { isConfirmed, more } = await this.#round(signal, changed);
      if (!more || round >= MAX_ROUNDS) return { changed: [...changed], isConfirmed };
    }
  }

  /** One session with UEM. */
  async #round(signal: AbortSignal, changed: Set<ChangedPart>): Promise<{ readonly isConfirmed: boolean; readonly more: boolean }> {
    const { ports, activation, turns, appVersion } = this.#parts;
    signal.throwIfAborted();
    const { record, report } = await turns.next(async () => {
      if (this.#isWiped) throw new ProtocolError('ERR_APP_WIPED', 'the app is wiped');
      activation.require();
      return { record: activation.activated as AppActivationRecord, report: await this.#report() };
    });
    return withCore(ports, record, signal, {
      make: (keys) => appUpdateInitiator({ crypto: ports.crypto, entropy: ports.entropy, ...keys, request: { appVersion, report } }),
      request: async ({ update }) => ({ type: 'applied', report: await turns.next(() => this.#apply(record, update, changed)) }),
      trace: { actor: 'app', answers: ['F5.3', 'F5.4', 'F5.4', 'F5.5'] },
    });
  }

  /** F5.5, in its turn: durable, then carried out, then noted as such. @returns what UEM is told */
  async #apply(asked: AppActivationRecord, update: AppUpdate, changed: Set<ChangedPart>): Promise<AppReport> {
    const { activation, states, emit } = this.#parts;
    const before = activation.require();
    // check: F5.5 the activation that has asked is the one in force
    if (activation.activated?.data?.masterSessionKey !== asked.data?.masterSessionKey) throw new ProtocolError('ERR_USAGE_STATE', 'the app was activated anew');
    await states.take({ type: 'contact' });
    const after = updatedData(before, update);
    const parts = changedParts(before, after);
    if (parts.length > 0 || update.console !== undefined || update.endedPolicies.length > 0) {
      const saved = { ...this.#saved, console: update.console ?? this.#saved.console, isApplied: false };
      await activation.replace(after, saved);
      this.#saved = saved;
      for (const part of parts) changed.add(part);
      if (update.console !== undefined) changed.add('console');
    }
    const report = await this.#report();
    if (!this.#saved.isApplied) await this.#carryOut();
    // With its keys an app has lost all that it could say of its documents.
    if (this.#isWiped) return { ...report, state: 'wiped' };
    this.#parts.changed();
    if (parts.includes('configuration')) emit('configupdate', {});
    if (parts.includes('policy')) emit('policyupdate', {});
    if (parts.includes('services')) emit('servicesupdate', {});
    if (parts.includes('entitlements')) emit('entitlementsupdate', {});
    return this.#report();
  }

  /** What is durable becomes true. Doing it twice changes nothing. */
  async #carryOut(): Promise<void> {
    const { states, authorization } = this.#parts;
    const { console } = this.#saved;
    if (console?.wipe === true) return states.take({ type: 'wipe' });
    await authorization.adopt();
    if (this.#isWiped) return;
    if (console !== undefined) await states.take({ type: 'console-blocks', blocks: console.blocks });
    await this.settle();
  }

  /** The unlock key and the lock, which need the container: called again when it was opened. */
  async settle(): Promise<void> {
    const { container, states } = this.#parts;
    const { console, unlockKeyId } = this.#saved;
    // check: F5.5 the unlock key comes before the lock, and one that was used does not come back
    if (console !== undefined && container.container !== undefined && !isSame(unlockKeyId, console.unlockKey.id)) {
      await container.container.setUnlockKey(console.unlockKey.key);
      await this.#note({ unlockKeyId: console.unlockKey.id, unlockKeyTag: await container.unlockKeyTag() });
    }
    // check: F5.5 a lock is carried out once
    if (console?.lockId !== undefined && !isSame(this.#saved.lockId, console.lockId)) {
      // One whose container is not open yet is locked as soon as it is; one that is locked already is not locked more.
      if (container.container === undefined && !states.isRemotelyLocked) return;
      if (!states.isRemotelyLocked) await states.take({ type: 'remote-lock' });
      await this.#note({ lockId: console.lockId });
    }
    if (!this.#saved.isApplied) await this.#note({ isApplied: true });
  }

  async #note(more: Partial<SavedUpdate>): Promise<void> {
    const { activation } = this.#parts;
    const saved = { ...this.#saved, ...more };
    await activation.replace(activation.require(), saved);
    this.#saved = saved;
  }

  /** The unlock key of UEM that opens the container now: one that was used, or that the app itself has replaced, does not. */
  async #unlockKeyId(): Promise<Uint8Array | undefined> {
    const { unlockKeyId, unlockKeyTag } = this.#saved;
    if (unlockKeyId === undefined) return undefined;
    return isSame(await this.#parts.container.unlockKeyTag(), unlockKeyTag) ? unlockKeyId : undefined;
  }

  async #report(): Promise<AppReport> {
    const { ports, activation, states } = this.#parts;
    const state = states.state === 'authorized' ? 'authorized' : 'locked';
    return reportOf(ports.crypto, activation.require(), this.#saved, { state, unlockKeyId: await this.#unlockKeyId() });
  }

  get #isWiped(): boolean {
    return this.#parts.states.state === 'wiped';
  }

  #arm(delayMs: number): void {
    const { clock, entropy } = this.#parts.ports;
    this.#cancelTimer();
    // By up to a quarter earlier or later: the apps of a tenant do not all come at once.
    const jittered = Math.round(delayMs * (0.75 + randomFraction(entropy) / 2));
    this.#cancelTimer = clock.setTimer(jittered, () => void this.#askByItself());
  }

  async #askByItself(): Promise<void> {
    const { turns, authorization } = this.#parts;
    try {
      await this.ask(turns.closing);
      this.#failures = 0;
    } catch {
      // Whatever it is, the app goes on as it is, and asks again.
      this.#failures += 1;
    }
    const { updateIntervalMs } = authorization.rules;
    if (!this.#isStarted) return;
    this.#arm(this.#failures === 0 ? updateIntervalMs : Math.min(updateIntervalMs, RETRY_MS * 2 ** (this.#failures - 1)));
  }
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && sameBytes(a, b);
}
