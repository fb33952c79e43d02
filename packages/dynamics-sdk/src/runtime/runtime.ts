import {
  APP_ACTIVATION_KEY,
  type AppActivationRecord,
  type CancelTimer,
  EventEmitterTarget,
  isProtocolError,
  ProtocolError,
  type Store,
} from '@uemkit/protocol';
import type { WireDocument } from '@uemkit/protocol/wire';
import { loadActivation, recordToRun, requireActivated, wipeActivation } from '../activation/activation-keeper.ts';
import { type ActivationStage, runAppActivation } from '../activation/app-activation-run.ts';
import { askUemClient } from '../activation/key-of-uem-client.ts';
import { type ApplicationConfig, type AppServer, applicationConfig, serversInOrder } from '../configuration/application-config.ts';
import { entitlementOf } from '../configuration/entitlement.ts';
import { type Rules, rulesOf } from '../configuration/rules.ts';
import { type Connector, connectorOf } from '../connections/connector.ts';
import { closedBy } from '../connections/gate.ts';
import type { ByteStream, ConnectTarget, WayOptions } from '../connections/way.ts';
import type { PasswordRefusal } from '../container/attempt.ts';
import type { SecureContainer } from '../container/container.ts';
import { type ContainerVault, type CreateResult, containerVault, type OpenResult } from '../container/vault.ts';
import { type PasswordPolicy, passwordExpired } from '../password/policy.ts';
import { FORGET_INSTANCE, instanceOf } from '../state/instance.ts';
import { loadRuntime, writeRuntime } from '../state/saved-runtime.ts';
import { sealedStore } from '../state/sealed-store.ts';
import type { AuthorizeOptions, AuthorizeResult, DynamicsRuntime } from './dynamics-runtime.ts';
import type { AuthorizeStage, DynamicsRuntimeEvents } from './events.ts';
import { codeOfActivation } from './failure-code.ts';
import type { Block } from './lock-reasons.ts';
import { type DynamicsRuntimeOptions, requireOptions } from './options.ts';
import { RESULT_CODES, type ResultName } from './result-codes.ts';
import { type RuntimeEffect, type RuntimeInput, RuntimeMachine, type RuntimeRecord } from './runtime-machine.ts';
import type { AuthorizationState } from './transitions.ts';

/**
 * Opens what an app has kept; a wipe that a crash has stopped is ended first. The app is `notAuthorized` (or `wiped`) until `authorize`.
 *
 * @example
 * const runtime = await openDynamicsRuntime({ crypto, entropy, clock, app, noc, transport, store, openStorage, deviceKey })
 * const { state, code } = await runtime.authorize({ password, credentials: { userId, accessKey } })
 * @throws ProtocolError `ERR_USAGE_ARGUMENT`, `ERR_STORE_*`
 */
export async function openDynamicsRuntime(options: DynamicsRuntimeOptions): Promise<DynamicsRuntime> {
  requireOptions(options);
  const saved = await loadRuntime(options.store);
  const runtime = new Runtime(options, saved);
  await runtime.open();
  return runtime;
}

/** What one stage of `authorize` ends with when it fails. */
interface StageFailure {
  readonly code: ResultName;
  readonly error?: ProtocolError | undefined;
  readonly triesLeft?: number | undefined;
  readonly faults?: AuthorizeResult['faults'];
}

const NO_RULES: WireDocument = {};
/** There is no key to hand over (F3.6). */
const NO_KEY_STEP = 'F3.6';

class Runtime extends EventEmitterTarget<DynamicsRuntimeEvents> implements DynamicsRuntime {
  readonly #options: DynamicsRuntimeOptions;
  readonly #sealed: Store;
  readonly #machine: RuntimeMachine;
  readonly #closing = new AbortController();
  readonly #connector: Connector;
  #code: ResultName = 'GDErrorNone';
  #said: AuthorizationState;
  #rules: Rules = rulesOf(NO_RULES);
  #activation: AppActivationRecord | undefined;
  #lost: ProtocolError | undefined;
  /** The NOC, or UEM, has refused the key that is kept; a UEM Client may be asked for another one. */
  #keyRefused = false;
  #instanceId = new Uint8Array(16);
  #vault: ContainerVault | undefined;
  #container: SecureContainer | undefined;
  #cancelTimer: CancelTimer = () => {};
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: DynamicsRuntimeOptions, saved: RuntimeRecord) {
    super();
    this.#options = options;
    this.#sealed = sealedStore(options);
    this.#machine = new RuntimeMachine(this.#rules.runtime, saved);
    this.#said = this.#machine.state;
    this.#connector = connectorOf(options, { closedBy: () => closedBy(this.state, this.#code), data: () => this.#activation?.data });
    if (saved.wiped !== 'no') this.#code = saved.wipedBy;
  }

  get state(): AuthorizationState {
    return this.#machine.state;
  }

  get code(): ResultName {
    return this.#code;
  }

  get isActivated(): boolean {
    return this.#activation?.phase === 'activated';
  }

  get instanceId(): Uint8Array {
    return this.#instanceId.slice();
  }

  get container(): SecureContainer | undefined {
    return this.#container;
  }

  get passwordPolicy(): PasswordPolicy {
    return this.#rules.password;
  }

  async open(): Promise<void> {
    const { store, entropy, clock } = this.#options;
    await this.#carryOut(this.#machine.begin());
    const kept = await loadActivation(this.#sealed);
    if (kept.kind === 'lost') this.#lost = kept.error;
    if (kept.kind === 'kept') this.#activation = kept.record;
    this.#instanceId = (this.#activation?.instanceId ?? (await instanceOf(store, entropy))) as Uint8Array<ArrayBuffer>;
    if (!this.isActivated) return;
    this.#rules = rulesOf(requireActivated(this.#activation).data.policy);
    await this.#carryOut(this.#machine.handle({ type: 'policy', policy: this.#rules.runtime }, clock.nowMs()));
  }

  authorize(options: AuthorizeOptions): Promise<AuthorizeResult> {
    return this.#inTurn(() => this.#authorize(options));
  }

  async #authorize({ password, credentials, signal }: AuthorizeOptions): Promise<AuthorizeResult> {
    if (this.state === 'wiped' && credentials !== undefined) await this.#beginAnew();
    if (this.state !== 'notAuthorized') return this.#result({ code: this.#code });
    if (this.#lost !== undefined) return this.#failed('infrastructureActivation', { code: 'GDErrorSecurityError', error: this.#lost });
    const isNew = !this.isActivated;
    if (isNew) {
      const failed = await this.#activate(credentials, signal);
      if (failed !== undefined) return failed;
    }
    const refused = await this.#check(isNew);
    if (refused !== undefined) return refused;
    this.#enter('unlock');
    const failure = await this.#openContainer(password);
    if (failure !== undefined) return this.#isWiped() ? this.#result({ ...failure, code: this.#code, stage: 'unlock' }) : this.#failed('unlock', failure);
    await this.#take({ type: 'authorize', outcome: 'authorized' });
    return this.#result({ code: this.#code });
  }

  /** Everything between activation and container. @returns how it ended, when the app is wiped by it */
  async #check(isNew: boolean): Promise<AuthorizeResult | undefined> {
    const { data } = requireActivated(this.#activation);
    this.#enter('entitlementCheck');
    await this.#take({ type: 'entitlement', verdict: entitlementOf(data.configuration, this.#options.app.version) });
    if (this.#isWiped()) return this.#result({ code: this.#code, stage: 'entitlementCheck' });
    this.#enter('policyUpdate');
    this.#rules = rulesOf(data.policy);
    if (isNew) this.emit('policyupdate', {});
    this.#enter('policyCheck');
    await this.#take({ type: 'policy', policy: this.#rules.runtime });
    if (this.#isWiped()) return this.#result({ code: this.#code, stage: 'policyCheck' });
    this.#enter('configuration');
    if (isNew) this.emit('configupdate', {});
    return undefined;
  }

  /** F3.7 to F3.11. @returns how it failed */
  async #activate(credentials: AuthorizeOptions['credentials'], signal: AbortSignal | undefined): Promise<AuthorizeResult | undefined> {
    const { app } = this.#options;
    const asked = signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    let stage: ActivationStage = 'infrastructureActivation';
    try {
      const record = await this.#recordToRun(credentials, asked);
      const { record: activated } = await runAppActivation({
        ...this.#options,
        store: this.#sealed,
        app: { appVersion: app.version, platform: app.platform },
        record,
        stage: (entered) => {
          stage = entered;
          this.#enter(entered);
        },
        signal: asked,
      });
      this.#activation = activated;
      this.#keyRefused = false;
    } catch (error) {
      // What was saved is what the next run begins with.
      const kept = await loadActivation(this.#sealed);
      this.#activation = kept.kind === 'kept' ? kept.record : undefined;
      if (!isProtocolError(error) || (error.kind === 'local' && error.code !== 'ERR_DEVICE_CONSENT' && error.step !== NO_KEY_STEP)) throw error;
      this.#keyRefused = error.retry === 'reactivate';
      return this.#activationFailed(stage, error, credentials !== undefined);
    }
    await this.#take({ type: 'contact' });
    return undefined;
  }

  /** What the next run begins with: typed, kept, or of the UEM Client. */
  async #recordToRun(credentials: AuthorizeOptions['credentials'], signal: AbortSignal): Promise<AppActivationRecord> {
    const { app, clock, uemClient } = this.#options;
    const installed = { appId: app.appId, instanceId: this.#instanceId };
    const record = recordToRun(this.#activation, credentials, installed, clock);
    const isSpent = this.#keyRefused && credentials === undefined;
    if (record !== undefined && !(isSpent && uemClient !== undefined)) return record;
    if (uemClient === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'the app is not activated, and there is no access key', { step: NO_KEY_STEP });
    this.#enter('infrastructureActivation');
    return askUemClient({ ...this.#options, ...installed, store: this.#sealed, uemClient, signal });
  }

  async #activationFailed(stage: ActivationStage, error: ProtocolError, isProgrammatic: boolean): Promise<AuthorizeResult> {
    // The only failure that is a verdict: somebody gives this device what is for another one.
    if (error.code === 'ERR_PEER_OTHER_DEVICE') {
      await this.#take({ type: 'wipe' });
      return this.#result({ code: this.#code, stage, error });
    }
    return this.#failed(stage, { code: codeOfActivation(stage, error, isProgrammatic), error });
  }

  async #openContainer(password: string): Promise<StageFailure | undefined> {
    const vault = this.#openVault();
    const state = await vault.state();
    if (state === 'lost') return { code: 'GDErrorSecurityError' };
    if (state === 'revoked') return { code: 'GDErrorRemoteLockout' };
    try {
      const opened = state === 'absent' ? await vault.create({ password, policy: this.#rules.password }) : await vault.open(password);
      return await this.#opened(opened);
    } catch (error) {
      if (!isProtocolError(error) || error.code !== 'ERR_CRYPTO_OPEN') throw error;
      return { code: 'GDErrorSecurityError', error };
    }
  }

  async #opened(opened: OpenResult | CreateResult): Promise<StageFailure | undefined> {
    if (opened.kind === 'refused') return { code: 'GDErrorPasswordChangeRequired', faults: opened.faults };
    if (opened.kind !== 'open') return this.#refused(opened);
    this.#container = opened.container;
    await opened.container.limitTries(this.#rules.password);
    if (passwordExpired(this.#rules.password, await opened.container.passwordChangedMs(), this.#options.clock.nowMs())) {
      await this.#take({ type: 'password', outcome: 'expired' });
    }
    return undefined;
  }

  /** What a password that did not open means. */
  async #refused(refusal: PasswordRefusal): Promise<StageFailure> {
    if (refusal.kind === 'wrong' && refusal.triesLeft > 0) return { code: 'GDErrorSecurityError', triesLeft: refusal.triesLeft };
    if (refusal.kind !== 'revoked') await this.#take({ type: 'password', outcome: 'exhausted' });
    return { code: 'GDErrorRemoteLockout', triesLeft: 0 };
  }

  unlock(password: string): Promise<AuthorizeResult> {
    return this.#inTurn(async () => {
      const proof = await this.#requireContainer().provePassword(password);
      if (proof.kind !== 'right') return this.#result(await this.#refused(proof));
      await this.#take({ type: 'password', outcome: 'right' });
      return this.#result({ code: this.#code });
    });
  }

  changePassword(current: string, next: string): Promise<AuthorizeResult> {
    return this.#inTurn(async () => {
      const change = await this.#requireContainer().changePassword({ current, next, policy: this.#rules.password });
      if (change.kind === 'refused') return this.#result({ code: 'GDErrorPasswordChangeRequired', faults: change.faults });
      if (change.kind !== 'changed') return this.#result(await this.#refused(change));
      await this.#take({ type: 'password', outcome: 'changed' });
      return this.#result({ code: this.#code });
    });
  }

  recover(unlockKey: string, newPassword: string): Promise<AuthorizeResult> {
    return this.#inTurn(async () => {
      if (this.state === 'wiped') return this.#result({ code: this.#code });
      // check: an app that is not activated has nothing to recover
      requireActivated(this.#activation);
      if (this.state === 'notAuthorized') {
        const refused = await this.#check(false);
        if (refused !== undefined) return refused;
      }
      await this.#closeContainer();
      const recovered = await this.#openVault().recover(unlockKey, { password: newPassword, policy: this.#rules.password });
      if (recovered.kind === 'refused') return this.#result({ code: 'GDErrorPasswordChangeRequired', faults: recovered.faults });
      if (recovered.kind !== 'open') return this.#result({ code: 'GDErrorRemoteLockout' });
      this.#container = recovered.container;
      await this.#take({ type: 'recovered' });
      await this.#take({ type: 'authorize', outcome: 'authorized' });
      return this.#result({ code: this.#code });
    });
  }

  activity(): void {
    // It may come with every key that is pressed, also while the runtime closes. Nothing is lost with one that fails.
    this.#inTurn(() => this.#take({ type: 'activity' })).catch(() => {});
  }

  getApplicationConfig(): ApplicationConfig {
    return applicationConfig(requireActivated(this.#activation).data.configuration);
  }

  getApplicationPolicy(): WireDocument {
    return structuredClone(requireActivated(this.#activation).data.policy);
  }

  serversInOrder(): readonly AppServer[] {
    return serversInOrder(this.#options.entropy, this.getApplicationConfig().appServers);
  }

  connect(target: ConnectTarget, options?: WayOptions): Promise<ByteStream> {
    return this.#connector.open(target, options);
  }

  executeRemoteLock(unlockKey: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#requireContainer().setUnlockKey(unlockKey);
      await this.#take({ type: 'remote-lock' });
    });
  }

  executeBlock(block: Omit<Block, 'origin'>): Promise<void> {
    return this.#inTurn(() => this.#take({ type: 'block', block: { ...block, origin: 'app' } }));
  }

  executeUnblock(id: string): Promise<void> {
    return this.#inTurn(() => this.#take({ type: 'unblock', origin: 'app', id }));
  }

  wipe(): Promise<void> {
    return this.#inTurn(() => (this.state === 'wiped' ? this.#carryOut(this.#machine.begin()) : this.#take({ type: 'wipe' })));
  }

  async close(): Promise<void> {
    this.#closing.abort(new ProtocolError('ERR_USAGE_STATE', 'the runtime is closed'));
    this.#connector.close();
    await this.#tail.catch(() => {});
    this.#cancelTimer();
    await this.#vault?.close();
    this.#vault = undefined;
    this.#container = undefined;
    wipeActivation(this.#activation);
    this.#activation = undefined;
  }

  /** One call after the other: each sees what the one before it has made durable. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(() => {
      this.#closing.signal.throwIfAborted();
      return work();
    });
    this.#tail = result.catch(() => {});
    return result;
  }

  async #take(input: RuntimeInput): Promise<void> {
    await this.#carryOut(this.#machine.handle(input, this.#options.clock.nowMs()));
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
        return this.#options.store.commit([writeRuntime(effect.record)]);
      case 'close-container':
        return this.#closeContainer();
      case 'revoke-password':
        return this.#revokePassword();
      case 'wipe-container':
        return this.#wipeContainer();
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
    this.#connector.review();
    this.emit('statechange', { state, previous, code, number: RESULT_CODES[code], ...(block === undefined ? {} : { block }) });
  }

  #armTimer(atMs: number | undefined): void {
    this.#cancelTimer();
    if (atMs === undefined) return;
    const { clock } = this.#options;
    this.#cancelTimer = clock.setTimer(
      Math.max(0, Math.min(atMs - clock.nowMs(), MAX_TIMER_MS)),
      () => void this.#inTurn(() => this.#take({ type: 'timer' })).catch(() => {}),
    );
  }

  async #revokePassword(): Promise<void> {
    try {
      await this.#openVault().revokePassword();
    } catch (error) {
      // Without an unlock key there is nothing to leave open: no try is left, and only a wipe helps.
      if (!isProtocolError(error) || error.code !== 'ERR_USAGE_STATE') throw error;
    }
  }

  async #closeContainer(): Promise<void> {
    await this.#container?.close();
    this.#container = undefined;
  }

  /** The container, its key, and with that all that it sealed; then `container-gone`. */
  async #wipeContainer(): Promise<void> {
    await this.#openVault().wipe();
    this.#vault = undefined;
    this.#container = undefined;
    wipeActivation(this.#activation);
    this.#activation = undefined;
    this.#lost = undefined;
    await this.#options.store.commit([{ key: APP_ACTIVATION_KEY, value: null }, FORGET_INSTANCE]);
    await this.#take({ type: 'container-gone' });
  }

  async #beginAnew(): Promise<void> {
    await this.#carryOut(this.#machine.begin());
    await this.#take({ type: 'begin-anew' });
    this.#rules = rulesOf(NO_RULES);
    this.#instanceId = (await instanceOf(this.#options.store, this.#options.entropy)) as Uint8Array<ArrayBuffer>;
  }

  #openVault(): ContainerVault {
    const { crypto, entropy, clock, deviceKey, passwordCost, openStorage } = this.#options;
    this.#vault ??= containerVault({ crypto, entropy, clock, deviceKey, passwordCost, storage: openStorage() });
    return this.#vault;
  }

  #requireContainer(): SecureContainer {
    if (this.#container === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'the container is closed');
    return this.#container;
  }

  #enter(stage: AuthorizeStage): void {
    this.emit('stage', { stage });
  }

  #isWiped(): boolean {
    return this.state === 'wiped';
  }

  /** A stage failed in a way that is no verdict. */
  async #failed(stage: AuthorizeStage, failure: StageFailure): Promise<AuthorizeResult> {
    await this.#take({ type: 'authorize', outcome: 'failed', code: failure.code });
    return this.#result({ ...failure, stage });
  }

  #result(ended: StageFailure & { readonly stage?: AuthorizeStage }): AuthorizeResult {
    const phase = this.#activation?.phase;
    return { ...ended, state: this.state, number: RESULT_CODES[ended.code], keyConsumed: phase === 'provisioned' || phase === 'activated' };
  }
}

/** Timers of platforms take 31 bits; an earlier one only looks again. */
const MAX_TIMER_MS = 2_147_483_647;
