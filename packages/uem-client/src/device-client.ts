import {
  type ActivationRecord,
  type ActivationSecret,
  deviceX509,
  type Entropy,
  EventEmitterTarget,
  type HandedOver,
  isProtocolError,
  MANAGEMENT_KEYS,
  ProtocolError,
  restoreManagementState,
  type Store,
  toHex,
  writeActivation,
} from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { runActivation } from './activation/activation-run.ts';
import { type ActivationTarget, discover, secretOf, targetOfQrCode, userIdOf } from './activation/activation-target.ts';
import type { AppLink } from './app-port.ts';
import type { ClientContext, Peer } from './ask.ts';
import type { CallOptions, UemClient } from './client.ts';
import { DEFAULT_LIMITS, type UemClientLimits } from './client-ports.ts';
import type { ActivationCredentials, PasswordCredentials } from './credentials.ts';
import { depart, reportDeactivation, verdictOf } from './departure.ts';
import { ACTIVATION_STEPS, type ActivationPhase, type ActivationStep, type ClientState, STEP_AFTER, type UemClientEvents } from './events.ts';
import { ManagedDevice, type ManagedDeviceOwner } from './managed-device.ts';
import type { DeactivationReason } from './operating-system.ts';
import type { UemClientOptions } from './options.ts';
import { activeDevice } from './state/active-device.ts';
import { forgetDeparture, loadAnew, loadState, type SavedState, writeAnew } from './state/saved-state.ts';

const KEY_ID_BYTES = 8;

/** The client of one device: which of its parts is at work, and what of that users see. */
export class DeviceClient extends EventEmitterTarget<UemClientEvents> implements UemClient, ClientContext, ManagedDeviceOwner {
  readonly options: UemClientOptions;
  readonly limits: UemClientLimits;
  #state: ClientState = 'inactive';
  #deviceId: string | undefined;
  #managed: ManagedDevice | undefined;
  /** `open` or `activate` is under way. */
  #work: AbortController | undefined;
  #opened = false;
  #closed = false;
  #firstPoll: 'activation' | 'resume' = 'resume';
  /** Where the activation stands. */
  #step: ActivationStep = 'F1.2';
  /** The identity is being destroyed after a verdict. */
  #departing: Promise<void> | undefined;

  constructor(options: UemClientOptions) {
    super();
    this.options = options;
    this.limits = options.limits === undefined ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, ...options.limits };
  }

  get state(): ClientState {
    return this.#state;
  }

  get deviceId(): string | undefined {
    return this.#deviceId;
  }

  open(options: CallOptions = {}): Promise<void> {
    return this.#exclusively(options.signal, async (signal) => {
      if (this.#managed !== undefined) return;
      const saved = await loadState(this.options.store);
      this.#opened = true;
      if (saved.phase === 'inactive') return;
      if (saved.phase === 'ended') return this.#show(stateAfter(saved.reason));
      if (saved.phase === 'departing') return this.#finishDeparture(saved.keyId, saved.reason);
      this.#deviceId = saved.record.details?.deviceId;
      if (saved.phase === 'active') {
        if (await isLeaving(this.options.store)) return this.#finishDeparture(saved.record.keyId, 'command');
        return this.#activated(saved.record);
      }
      this.#show('activating');
      // After A6 nothing is needed of the user any more (F1.5).
      if (saved.record.phase !== 'started') await this.#confirm(saved.record, signal);
    });
  }

  activate(credentials: ActivationCredentials, options: CallOptions = {}): Promise<void> {
    return this.#exclusively(options.signal, async (signal) => {
      if (!this.#opened) throw new ProtocolError('ERR_USAGE_STATE', 'open the client first');
      if (this.#state === 'active' || this.#state === 'leaving') throw new ProtocolError('ERR_USAGE_STATE', 'the device is activated already');
      await this.#inSteps('F1.2', signal, () => this.#activateWith(credentials, signal));
    });
  }

  /** A device whose certificate is out of date is kept until UEM has accepted its new activation: only then does its identity, and what belongs to it, go. */
  async #activateWith(credentials: ActivationCredentials, signal: AbortSignal): Promise<void> {
    const secret = secretOf(credentials);
    const expired = this.#managed;
    if (expired === undefined) return this.#activate(credentials, secret, undefined, signal);
    const { started } = expired;
    await expired.stop();
    this.#managed = undefined;
    this.options.transport.release();
    try {
      await this.#activate(credentials, secret, expired.active.identity.keyId, signal);
    } catch (error) {
      await this.#takeUp(expired, started);
      throw error;
    }
  }

  async #activate(credentials: ActivationCredentials, secret: ActivationSecret, replaces: string | undefined, signal: AbortSignal): Promise<void> {
    this.#progress('credentialsTaken');
    const userId = userIdOf(secret);
    const record = replaces === undefined ? await this.#recordFor(userId) : await this.#recordAnew(userId);
    this.#show('activating');
    if (record.phase !== 'started') return this.#confirm(record, signal);
    const target = await this.#find(credentials, secret, record.userId, signal);
    await this.#tryEach(slotsOf(secret), (slot) => this.#run(record, signal, { secret: atSlot(secret, slot), target, replaces }));
  }

  /** The new activation came to nothing before UEM accepted it: the device is as it was. */
  async #takeUp(expired: ManagedDevice, started: boolean): Promise<void> {
    if (this.#closed || (await loadState(this.options.store)).phase !== 'active') return;
    this.#managed = expired;
    this.#show('expired');
    if (started) expired.start('resume');
  }

  /** Errors that do not know their flow step, for example of the store, get the one that the activation has come to. */
  async #inSteps(first: ActivationStep, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
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

  deactivate(options: CallOptions = {}): Promise<void> {
    return this.#exclusively(options.signal, async (signal) => {
      const managed = this.#managed;
      if (managed === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'the device is not active', { details: { state: this.#state } });
      const { started } = managed;
      await managed.stop();
      const { keyId } = managed.active.identity;
      try {
        await reportDeactivation(this, managed.active, signal);
      } catch (error) {
        if (this.#managed === managed && started) managed.start('resume');
        throw error;
      }
      managed.drop();
      this.#managed = undefined;
      await this.#finishDeparture(keyId, 'user');
    });
  }

  start(): void {
    if (this.#closed) throw closedError();
    if (this.#managed === undefined) return;
    this.#managed.start(this.#firstPoll);
    this.#firstPoll = 'resume';
  }

  async stop(): Promise<void> {
    await this.#managed?.stop();
  }

  async poll(options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    if (this.#managed === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'the device is not active', { details: { state: this.#state } });
    const polled = this.#managed.poll();
    return options.signal === undefined ? polled : abortable(polled, options.signal);
  }

  async acceptApp(link: AppLink, platformId: string, options: CallOptions = {}): Promise<HandedOver> {
    if (this.#managed !== undefined && this.#state !== 'leaving') return this.#managed.acceptApp(link, platformId, options.signal);
    link.close();
    throw new ProtocolError('ERR_USAGE_STATE', 'the device is not active', { details: { state: this.#state }, step: 'F3.3' });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#work?.abort(closedError());
    this.#managed?.drop();
    this.#managed = undefined;
    await this.options.transport.close();
  }

  trace(step: string, direction: 'sent' | 'received', peer: Peer, frame: Uint8Array): void {
    const { trace, clock } = this.options;
    if (trace === undefined) return;
    const device = this.options.name ?? this.#deviceId ?? 'device';
    const [from, to] = direction === 'sent' ? [device, peer] : [peer, device];
    trace({ step, from, to, frame, timeMs: clock.nowMs() });
  }

  // ManagedDeviceOwner

  override emit<Name extends keyof UemClientEvents>(name: Name, detail: UemClientEvents[Name]): void {
    super.emit(name, detail);
  }

  leaving(): void {
    this.#show('leaving');
  }

  outOfDate(isOutOfDate: boolean): void {
    if (isOutOfDate) this.#show('expired');
    else if (this.#state === 'expired') this.#show('active');
  }

  departed(reason: DeactivationReason, destroyed?: Promise<void>): void {
    this.#managed = undefined;
    this.#departing = destroyed;
    this.#show(stateAfter(reason));
  }

  /** One of `open` and `activate` at a time; ends when the caller or `close` says so. Errors of ours keep their step. */
  async #exclusively(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.#closed) throw closedError();
    if (this.#work !== undefined) throw new ProtocolError('ERR_USAGE_STATE', 'the client is being opened or activated');
    const abort = new AbortController();
    const forward = (): void => abort.abort(signal?.reason);
    this.#work = abort;
    try {
      signal?.throwIfAborted();
      signal?.addEventListener('abort', forward, { once: true });
      await this.#departing;
      await work(abort.signal);
    } finally {
      signal?.removeEventListener('abort', forward);
      this.#work = undefined;
    }
  }

  /** The record to go on with: of an earlier try of the same user, or a new one with a new key. */
  async #recordFor(userId: string): Promise<ActivationRecord> {
    const { store, keyStore, entropy } = this.options;
    const saved: SavedState = await loadState(store);
    if (saved.phase === 'departing') await this.#finishDeparture(saved.keyId, saved.reason);
    // A verdict that could not be saved when it came.
    if (saved.phase === 'active') await this.#finishDeparture(saved.record.keyId, reasonOf(this.#state));
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
    const { store, keyStore, entropy } = this.options;
    const saved = await loadAnew(store);
    if (saved?.userId === userId) return saved;
    if (saved !== undefined) await keyStore.destroy(saved.keyId);
    const record = newRecord(userId, entropy);
    await store.commit([writeAnew(record)]);
    return record;
  }

  async #find(credentials: ActivationCredentials, secret: ActivationSecret, userId: string, signal: AbortSignal): Promise<ActivationTarget> {
    if (secret.kind === 'qr') return targetOfQrCode(secret.code);
    const target = await discover(this, (credentials as PasswordCredentials).infrastructure, userId, signal);
    this.#progress('discovered');
    return target;
  }

  /** What is left after A6: configuration and confirmation (F1.5). */
  #confirm(record: ActivationRecord, signal: AbortSignal): Promise<void> {
    return this.#inSteps('F1.5', signal, () => this.#run(record, signal, {}));
  }

  async #run(record: ActivationRecord, signal: AbortSignal, how: Pick<Parameters<typeof runActivation>[0], 'secret' | 'target' | 'replaces'>): Promise<void> {
    const certificates = deviceX509(this.options.crypto);
    const progress = (phase: ActivationPhase): void => this.#progress(phase);
    const accepted = (deviceId: string): void => {
      this.#deviceId = deviceId;
    };
    try {
      this.#activated(await runActivation({ context: this, certificates, record, signal, progress, accepted, ...how }));
      this.#firstPoll = 'activation';
      this.#managed?.confirmed();
      this.#progress('confirmed');
    } catch (error) {
      this.options.transport.release();
      await this.#activationFailed(record, error);
      throw error;
    }
  }

  async #activationFailed(record: ActivationRecord, error: unknown): Promise<void> {
    if (!isProtocolError(error)) return;
    const { keyStore } = this.options;
    // Configured, and too late: what was made on the device goes with its identity.
    if (error.code === 'ERR_REJECTED_ACTIVATION' && error.step === 'F1.5') return this.#finishDeparture(record.keyId, 'revoked');
    if (error.code === 'ERR_DEVICE_CONFIGURATION' || error.code === 'ERR_DEVICE_CONSENT') {
      // The server knows that there will be no device with this key.
      await keyStore.destroy(record.keyId);
      return this.#show('inactive');
    }
    // Only at A7 is the server authenticated by TLS and the device known to it.
    const verdict = error.step === 'F1.5' ? verdictOf(error.code) : undefined;
    // The secret may be bound to this key, so the activation is kept for a server whose clock is right again.
    if (verdict === 'expired' && !(await this.#isOver())) return;
    if (verdict !== undefined) await this.#finishDeparture(record.keyId, verdict);
  }

  /** By the clock of this device, too, the certificate of an activation that was not confirmed is over: nobody can confirm it any more. */
  async #isOver(): Promise<boolean> {
    const { store, transport, clock } = this.options;
    const saved = await loadState(store);
    const details = saved.phase === 'activating' ? saved.record.details : undefined;
    return saved.phase === 'activating' && details !== undefined && activeDevice(saved.record, details, transport).notAfterEpochS * 1_000 < clock.nowMs();
  }

  #activated(record: ActivationRecord): void {
    const { details } = record;
    if (details === undefined) throw new ProtocolError('ERR_STORE_READ', 'the saved activation has no details');
    this.#deviceId = details.deviceId;
    this.#managed = new ManagedDevice(this, activeDevice(record, details, this.options.transport), this, this.options.apps);
    this.#show('active');
  }

  async #finishDeparture(keyId: string, reason: DeactivationReason): Promise<void> {
    this.#show(reason === 'command' || reason === 'user' ? 'leaving' : reason);
    await this.options.store.commit(await depart(this.options, keyId, reason));
    this.#show(stateAfter(reason));
  }

  #progress(phase: ActivationPhase): void {
    this.#step = STEP_AFTER[phase];
    this.emit('activationprogress', { phase, step: ACTIVATION_STEPS[phase] });
  }

  #show(state: ClientState): void {
    const previous = this.#state;
    if (state === previous) return;
    this.#state = state;
    if (state !== 'active' && state !== 'activating' && state !== 'leaving' && this.#managed === undefined) this.#deviceId = undefined;
    this.emit('statechange', { state, previous });
  }
}

function newRecord(userId: string, entropy: Entropy): ActivationRecord {
  return { phase: 'started', userId, keyId: `device-${toHex(entropy.randomBytes(KEY_ID_BYTES))}` };
}

function reasonOf(state: ClientState): DeactivationReason {
  return state === 'revoked' || state === 'unknown' || state === 'expired' ? state : 'command';
}

/** A delete command was answered before a crash; only the identity is left to destroy. */
async function isLeaving(store: Store): Promise<boolean> {
  const open = await store.get(MANAGEMENT_KEYS.open);
  return restoreManagementState((key) => (key === MANAGEMENT_KEYS.open ? open : undefined)).open?.leaving === true;
}

function stateAfter(reason: DeactivationReason): ClientState {
  return reason === 'command' || reason === 'user' ? 'inactive' : reason;
}

function atSlot(secret: ActivationSecret, slot: number | undefined): ActivationSecret {
  return secret.kind === 'password' && slot !== undefined ? { ...secret, slot } : secret;
}

/** Slots to try, in order; undefined: as the secret says. */
function slotsOf(secret: ActivationSecret): readonly (number | undefined)[] {
  if (secret.kind === 'qr' || secret.slot !== undefined) return [undefined];
  return Array.from({ length: wire.SECRET_SLOTS }, (_, slot) => slot);
}

function closedError(): ProtocolError {
  return new ProtocolError('ERR_USAGE_STATE', 'the client is closed');
}

function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
