import {
  type ActivationRecord,
  type ActivationSecret,
  deviceX509,
  type Entropy,
  isProtocolError,
  ProtocolError,
  toHex,
  writeActivation,
} from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { ClientContext } from '../ask.ts';
import type { ActivationCredentials, PasswordCredentials } from '../credentials.ts';
import { verdictOf } from '../departure.ts';
import { ACTIVATION_STEPS, type ActivationPhase, type ActivationStep, type ClientState, STEP_AFTER, type UemClientEvents } from '../events.ts';
import type { DeactivationReason } from '../operating-system.ts';
import { activeDevice } from '../state/active-device.ts';
import { forgetDeparture, loadAnew, loadState, type SavedState, writeAnew } from '../state/saved-state.ts';
import { runActivation } from './activation-run.ts';
import { type ActivationTarget, discover, targetOfQrCode, userIdOf } from './activation-target.ts';

const KEY_ID_BYTES = 8;

/** The client whose device is activated. */
export interface ActivationOwner extends ClientContext {
  readonly state: ClientState;
  emit<Name extends keyof UemClientEvents>(name: Name, detail: UemClientEvents[Name]): void;
  show(state: ClientState): void;
  /** A6 is saved: the device has its id. */
  accepted(deviceId: string): void;
  /** A7 is acknowledged: the device is managed. */
  confirmed(record: ActivationRecord): void;
  /** Destroys this identity and ends in the state of `reason`. */
  finishDeparture(keyId: string, reason: DeactivationReason): Promise<void>;
}

/** The activation of one device (F1.2 to F1.5), over failures and restarts: which record it goes on with, and what is left of one that failed. */
export class DeviceActivation {
  readonly #owner: ActivationOwner;
  /** Where it stands. */
  #step: ActivationStep = 'F1.2';

  constructor(owner: ActivationOwner) {
    this.#owner = owner;
  }

  /** Activates with these credentials. `replaces`: key id of an identity that is out of date, and goes when UEM accepts the new one. */
  async run(credentials: ActivationCredentials, secret: ActivationSecret, replaces: string | undefined, signal: AbortSignal): Promise<void> {
    this.#progress('credentialsTaken');
    const userId = userIdOf(secret);
    const record = replaces === undefined ? await this.#recordFor(userId) : await this.#recordAnew(userId);
    this.#owner.show('activating');
    if (record.phase !== 'started') return this.confirm(record, signal);
    const target = await this.#find(credentials, secret, record.userId, signal);
    await this.#tryEach(slotsOf(secret), (slot) => this.#run(record, signal, { secret: atSlot(secret, slot), target, replaces }));
  }

  /** Errors that do not know their flow step, for example of the store, get the one that the activation has come to. */
  async inSteps(first: ActivationStep, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    this.#step = first;
    try {
      await work();
    } catch (error) {
      throw isProtocolError(error) && !signal.aborted ? error.at(this.#step) : error;
    }
  }

  /** A person does not know which of several passwords it is, and the server tells nobody who has not proved one. */
  async #tryEach(slots: readonly (number | undefined)[], run: (slot: number | undefined) => Promise<void>): Promise<void> {
    for (const [index, slot] of slots.entries()) {
      try {
        return await run(slot);
      } catch (error) {
        const isWrong = isProtocolError(error) && error.code === 'ERR_REJECTED_CREDENTIALS';
        if (!isWrong || index === slots.length - 1) throw error;
      }
    }
  }

  /** The record to go on with: of an earlier try of the same user, or a new one with a new key. */
  async #recordFor(userId: string): Promise<ActivationRecord> {
    const { store, keyStore, entropy } = this.#owner.options;
    const saved: SavedState = await loadState(store);
    if (saved.phase === 'departing') await this.#owner.finishDeparture(saved.keyId, saved.reason);
    // A verdict that could not be saved when it came.
    if (saved.phase === 'active') await this.#owner.finishDeparture(saved.record.keyId, reasonOf(this.#owner.state));
    if (saved.phase === 'activating') {
      if (saved.record.userId === userId) return saved.record;
      if (saved.record.phase !== 'started') throw new ProtocolError('ERR_USAGE_STATE', 'the device was accepted for another user; confirm that first');
      await keyStore.destroy(saved.record.keyId);
    }
    const record = newRecord(userId, entropy);
    await store.commit([forgetDeparture, writeActivation(record)]);
    return record;
  }

  /** The same beside the record of the device that is out of date. */
  async #recordAnew(userId: string): Promise<ActivationRecord> {
    const { store, keyStore, entropy } = this.#owner.options;
    const saved = await loadAnew(store);
    if (saved?.userId === userId) return saved;
    if (saved !== undefined) await keyStore.destroy(saved.keyId);
    const record = newRecord(userId, entropy);
    await store.commit([writeAnew(record)]);
    return record;
  }

  async #find(credentials: ActivationCredentials, secret: ActivationSecret, userId: string, signal: AbortSignal): Promise<ActivationTarget> {
    if (secret.kind === 'qr') return targetOfQrCode(secret.code);
    const target = await discover(this.#owner, (credentials as PasswordCredentials).infrastructure, userId, signal);
    this.#progress('discovered');
    return target;
  }

  /** What is left after A6: configuration and confirmation (F1.5). */
  confirm(record: ActivationRecord, signal: AbortSignal): Promise<void> {
    return this.inSteps('F1.5', signal, () => this.#run(record, signal, {}));
  }

  async #run(record: ActivationRecord, signal: AbortSignal, how: Pick<Parameters<typeof runActivation>[0], 'secret' | 'target' | 'replaces'>): Promise<void> {
    const certificates = deviceX509(this.#owner.options.crypto);
    const progress = (phase: ActivationPhase): void => this.#progress(phase);
    const accepted = (deviceId: string): void => this.#owner.accepted(deviceId);
    try {
      this.#owner.confirmed(await runActivation({ context: this.#owner, certificates, record, signal, progress, accepted, ...how }));
      this.#progress('confirmed');
    } catch (error) {
      this.#owner.options.transport.release();
      await this.#activationFailed(record, error);
      throw error;
    }
  }

  async #activationFailed(record: ActivationRecord, error: unknown): Promise<void> {
    if (!isProtocolError(error)) return;
    const { keyStore } = this.#owner.options;
    // Configured, and too late: what was made on the device goes with its identity.
    if (error.code === 'ERR_REJECTED_ACTIVATION' && error.step === 'F1.5') return this.#owner.finishDeparture(record.keyId, 'revoked');
    if (error.code === 'ERR_DEVICE_CONFIGURATION' || error.code === 'ERR_DEVICE_CONSENT') {
      // The server knows that there will be no device with this key.
      await keyStore.destroy(record.keyId);
      return this.#owner.show('inactive');
    }
    // Only at A7 is the server authenticated by TLS and the device known to it.
    const verdict = error.step === 'F1.5' ? verdictOf(error.code) : undefined;
    // The secret may be bound to this key, so the activation is kept for a server whose clock is right again.
    if (verdict === 'expired' && !(await this.#isOver())) return;
    if (verdict !== undefined) await this.#owner.finishDeparture(record.keyId, verdict);
  }

  /** By the clock of this device, too, the certificate of an activation that was not confirmed is over: nobody can confirm it any more. */
  async #isOver(): Promise<boolean> {
    const { store, transport, clock } = this.#owner.options;
    const saved = await loadState(store);
    const details = saved.phase === 'activating' ? saved.record.details : undefined;
    return saved.phase === 'activating' && details !== undefined && activeDevice(saved.record, details, transport).notAfterEpochS * 1_000 < clock.nowMs();
  }

  #progress(phase: ActivationPhase): void {
    this.#step = STEP_AFTER[phase];
    this.#owner.emit('activationprogress', { phase, step: ACTIVATION_STEPS[phase] });
  }
}

function newRecord(userId: string, entropy: Entropy): ActivationRecord {
  return { phase: 'started', userId, keyId: `device-${toHex(entropy.randomBytes(KEY_ID_BYTES))}` };
}

function reasonOf(state: ClientState): DeactivationReason {
  return state === 'revoked' || state === 'unknown' || state === 'expired' ? state : 'command';
}

function atSlot(secret: ActivationSecret, slot: number | undefined): ActivationSecret {
  return secret.kind === 'password' && slot !== undefined ? { ...secret, slot } : secret;
}

/** Slots to try, in order; undefined: as the secret says. */
function slotsOf(secret: ActivationSecret): readonly (number | undefined)[] {
  if (secret.kind === 'qr' || secret.slot !== undefined) return [undefined];
  return Array.from({ length: wire.SECRET_SLOTS }, (_, slot) => slot);
}
