import {
  type ActivationRecord,
  EventEmitterTarget,
  type HandedOver,
  MANAGEMENT_KEYS,
  ProtocolError,
  restoreManagementState,
  type Store,
} from '@uemkit/protocol';
import { secretOf } from './activation/activation-target.ts';
import { type ActivationOwner, DeviceActivation } from './activation/device-activation.ts';
import type { AppLink } from './app-port.ts';
import type { ClientContext, Peer } from './ask.ts';
import type { CallOptions, UemClient } from './client.ts';
import { DEFAULT_LIMITS, type UemClientLimits } from './client-ports.ts';
import type { ActivationCredentials } from './credentials.ts';
import { depart, reportDeactivation } from './departure.ts';
import type { ClientState, UemClientEvents } from './events.ts';
import { ManagedDevice, type ManagedDeviceOwner } from './managed-device.ts';
import type { DeactivationReason } from './operating-system.ts';
import type { UemClientOptions } from './options.ts';
import { activeDevice } from './state/active-device.ts';
import { loadState } from './state/saved-state.ts';

/** The client of one device: which of its parts is at work, and what of that users see. */
export class DeviceClient extends EventEmitterTarget<UemClientEvents> implements UemClient, ClientContext, ManagedDeviceOwner, ActivationOwner {
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
  readonly #activation: DeviceActivation = new DeviceActivation(this);
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
      if (saved.phase === 'ended') return this.show(stateAfter(saved.reason));
      if (saved.phase === 'departing') return this.finishDeparture(saved.keyId, saved.reason);
      this.#deviceId = saved.record.details?.deviceId;
      if (saved.phase === 'active') {
        if (await isLeaving(this.options.store)) return this.finishDeparture(saved.record.keyId, 'command');
        return this.#activated(saved.record);
      }
      this.show('activating');
      // After A6 nothing is needed of the user any more (F1.5).
      if (saved.record.phase !== 'started') await this.#activation.confirm(saved.record, signal);
    });
  }

  activate(credentials: ActivationCredentials, options: CallOptions = {}): Promise<void> {
    return this.#exclusively(options.signal, async (signal) => {
      if (!this.#opened) throw new ProtocolError('ERR_USAGE_STATE', 'open the client first');
      if (this.#state === 'active' || this.#state === 'leaving') throw new ProtocolError('ERR_USAGE_STATE', 'the device is activated already');
      await this.#activation.inSteps('F1.2', signal, () => this.#activateWith(credentials, signal));
    });
  }

  /** A device whose certificate is out of date is kept until UEM has accepted its new activation: only then does its identity, and what belongs to it, go. */
  async #activateWith(credentials: ActivationCredentials, signal: AbortSignal): Promise<void> {
    const secret = secretOf(credentials);
    const expired = this.#managed;
    if (expired === undefined) return this.#activation.run(credentials, secret, undefined, signal);
    const { started } = expired;
    await expired.stop();
    this.#managed = undefined;
    this.options.transport.release();
    try {
      await this.#activation.run(credentials, secret, expired.active.identity.keyId, signal);
    } catch (error) {
      await this.#takeUp(expired, started);
      throw error;
    }
  }

  /** The new activation came to nothing before UEM accepted it: the device is as it was. */
  async #takeUp(expired: ManagedDevice, started: boolean): Promise<void> {
    if (this.#closed || (await loadState(this.options.store)).phase !== 'active') return;
    this.#managed = expired;
    this.show('expired');
    if (started) expired.start('resume');
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
      await this.finishDeparture(keyId, 'user');
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

  // ActivationOwner

  accepted(deviceId: string): void {
    this.#deviceId = deviceId;
  }

  confirmed(record: ActivationRecord): void {
    this.#activated(record);
    this.#firstPoll = 'activation';
    this.#managed?.confirmed();
  }

  // ManagedDeviceOwner

  override emit<Name extends keyof UemClientEvents>(name: Name, detail: UemClientEvents[Name]): void {
    super.emit(name, detail);
  }

  leaving(): void {
    this.show('leaving');
  }

  outOfDate(isOutOfDate: boolean): void {
    if (isOutOfDate) this.show('expired');
    else if (this.#state === 'expired') this.show('active');
  }

  departed(reason: DeactivationReason, destroyed?: Promise<void>): void {
    this.#managed = undefined;
    this.#departing = destroyed;
    this.show(stateAfter(reason));
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

  #activated(record: ActivationRecord): void {
    const { details } = record;
    if (details === undefined) throw new ProtocolError('ERR_STORE_READ', 'the saved activation has no details');
    this.#deviceId = details.deviceId;
    this.#managed = new ManagedDevice(this, activeDevice(record, details, this.options.transport), this, this.options.apps);
    this.show('active');
  }

  async finishDeparture(keyId: string, reason: DeactivationReason): Promise<void> {
    this.show(reason === 'command' || reason === 'user' ? 'leaving' : reason);
    await this.options.store.commit(await depart(this.options, keyId, reason));
    this.show(stateAfter(reason));
  }

  show(state: ClientState): void {
    const previous = this.#state;
    if (state === previous) return;
    this.#state = state;
    if (state !== 'active' && state !== 'activating' && state !== 'leaving' && this.#managed === undefined) this.#deviceId = undefined;
    this.emit('statechange', { state, previous });
  }
}

/** A delete command was answered before a crash; only the identity is left to destroy. */
async function isLeaving(store: Store): Promise<boolean> {
  const open = await store.get(MANAGEMENT_KEYS.open);
  return restoreManagementState((key) => (key === MANAGEMENT_KEYS.open ? open : undefined)).open?.leaving === true;
}

function stateAfter(reason: DeactivationReason): ClientState {
  return reason === 'command' || reason === 'user' ? 'inactive' : reason;
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
