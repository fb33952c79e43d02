import { EventEmitterTarget, type HandedOver, ProtocolError } from '@uemkit/protocol';
import { AppActivation } from '../activation/app-activation.ts';
import type { AppLink } from '../activation/uem-client-link.ts';
import { type ApplicationConfig, type AppServer, applicationConfig, serversInOrder } from '../configuration/application-config.ts';
import { type ApplicationPolicy, applicationPolicy } from '../configuration/application-policy.ts';
import { type ActivatedWays, activatedWays } from '../connections/activated-ways.ts';
import { type Connector, connectorOf } from '../connections/connector.ts';
import { closedBy, servesNobody } from '../connections/gate.ts';
import type { ByteStream, ConnectTarget, WayOptions } from '../connections/way.ts';
import type { SecureContainer } from '../container/container.ts';
import type { AttachedDelegate } from '../delegate/delegate-port.ts';
import type { PasswordPolicy } from '../password/policy.ts';
import type { AttachedPushChannels, PushChannel } from '../push/push-port.ts';
import { makeAuthToken } from '../services/auth-token.ts';
import type { AttachedServices } from '../services/services-port.ts';
import { loadRuntime } from '../state/saved-runtime.ts';
import { AppUpdates } from '../updates/app-updates.ts';
import type { UpdateResult } from '../updates/update-result.ts';
import { AppContainer } from './app-container.ts';
import { Authorization, NO_RULES } from './authorization.ts';
import type { AuthorizeOptions, AuthorizeResult, DynamicsRuntime } from './dynamics-runtime.ts';
import type { DynamicsRuntimeEvents } from './events.ts';
import type { Block } from './lock-reasons.ts';
import { type DynamicsRuntimeOptions, requireOptions } from './options.ts';
import type { ResultName } from './result-codes.ts';
import type { RuntimeRecord } from './runtime-machine.ts';
import { RuntimeStates } from './runtime-states.ts';
import type { AuthorizationState } from './transitions.ts';
import { Turns } from './turns.ts';

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

/** What users see of the parts of an app; each call in its turn. */
class Runtime extends EventEmitterTarget<DynamicsRuntimeEvents> implements DynamicsRuntime {
  readonly #options: DynamicsRuntimeOptions;
  readonly #turns = new Turns();
  readonly #activation: AppActivation;
  readonly #container: AppContainer;
  readonly #states: RuntimeStates;
  readonly #authorization: Authorization;
  readonly #connector: Connector;
  readonly #ways: ActivatedWays;
  readonly #delegate: AttachedDelegate | undefined;
  readonly #services: AttachedServices | undefined;
  readonly #updates: AppUpdates;
  readonly #push: AttachedPushChannels | undefined;

  constructor(options: DynamicsRuntimeOptions, saved: RuntimeRecord) {
    super();
    this.#options = options;
    const activation = new AppActivation(options);
    const container = new AppContainer(options, (input) => states.take(input));
    const states: RuntimeStates = new RuntimeStates(options, NO_RULES.runtime, saved, {
      closeContainer: () => container.close(),
      revokePassword: () => container.revokePassword(),
      // The container, its key, and with that all that it sealed.
      wipe: async () => {
        this.#ways.forget();
        this.#updates.forget();
        await container.wipe();
        await activation.forget();
      },
      timer: () => this.#turns.nextUnheard(() => states.take({ type: 'timer' })),
      said: (change) => {
        this.#connector.review();
        this.#delegate?.review();
        this.#services?.review();
        this.#push?.review();
        this.emit('statechange', change);
      },
    });
    const { closing } = this.#turns;
    this.#activation = activation;
    this.#container = container;
    this.#states = states;
    this.#authorization = new Authorization({
      appVersion: options.app.version,
      activation,
      container,
      states,
      closing,
      opened: () => this.#updates.settle(),
      emit: (name, detail) => this.emit(name, detail),
    });
    const onLink = (binding: DynamicsRuntimeEvents['link']['binding']): void => void this.emit('link', { binding });
    this.#delegate = options.delegate?.attach({
      appId: options.app.appId,
      ports: { ...options, onLink },
      closedBy: () => servesNobody(states.state, states.code),
      activated: () => activation.activated,
      emit: (name, detail) => this.emit(name, detail),
    });
    this.#services = options.services?.attach({
      ports: options,
      closedBy: () => servesNobody(states.state, states.code),
      activated: () => activation.activated,
    });
    this.#push = options.pushChannels?.attach({
      ports: { ...options, onLink },
      closedBy: () => this.#connector.closedBy(),
      activated: () => activation.activated,
    });
    this.#ways = activatedWays({ ...options, onLink }, () => activation.activated);
    this.#updates = new AppUpdates({
      ...{ appVersion: options.app.version, activation, container, states, authorization: this.#authorization, turns: this.#turns },
      ports: { ...options, onLink },
      changed: () => this.#connector.review(),
      emit: (name, detail) => this.emit(name, detail),
    });
    this.#connector = connectorOf(
      { ...options, ways: options.ways ?? this.#ways },
      { closedBy: () => closedBy(states.state, states.code), data: () => activation.data },
    );
  }

  get state(): AuthorizationState {
    return this.#states.state;
  }

  get code(): ResultName {
    return this.#states.code;
  }

  get isActivated(): boolean {
    return this.#activation.isActivated;
  }

  get instanceId(): Uint8Array {
    return this.#activation.instanceId;
  }

  get container(): SecureContainer | undefined {
    return this.#container.container;
  }

  get passwordPolicy(): PasswordPolicy {
    return this.#authorization.rules.password;
  }

  async open(): Promise<void> {
    await this.#states.begin();
    await this.#authorization.load();
    await this.#updates.load();
  }

  authorize(options: AuthorizeOptions): Promise<AuthorizeResult> {
    return this.#asking(() => this.#authorization.authorize(options));
  }

  unlock(password: string): Promise<AuthorizeResult> {
    return this.#turns.next(async () => this.#authorization.result(await this.#container.unlock(password)));
  }

  changePassword(current: string, next: string): Promise<AuthorizeResult> {
    return this.#turns.next(async () => this.#authorization.result(await this.#container.changePassword(current, next, this.passwordPolicy)));
  }

  recover(unlockKey: string, newPassword: string): Promise<AuthorizeResult> {
    return this.#asking(() => this.#authorization.recover(unlockKey, newPassword));
  }

  /** The app asks UEM by itself from here on, whatever became of it: a locked one may hear that it is not any more. */
  #asking(work: () => Promise<AuthorizeResult>): Promise<AuthorizeResult> {
    return this.#turns.next(async () => {
      const result = await work();
      this.#updates.start();
      return result;
    });
  }

  activity(): void {
    // It may come with every key that is pressed.
    this.#turns.nextUnheard(() => this.#states.take({ type: 'activity' }));
  }

  getApplicationConfig(): ApplicationConfig {
    return applicationConfig(this.#activation.require().configuration);
  }

  getApplicationPolicy(): ApplicationPolicy {
    return applicationPolicy(this.#activation.require().policy);
  }

  serversInOrder(): readonly AppServer[] {
    return serversInOrder(this.#options.entropy, this.getApplicationConfig().appServers);
  }

  connect(target: ConnectTarget, options?: WayOptions): Promise<ByteStream> {
    return this.#connector.open(target, options);
  }

  async getGDAuthToken(challenge: string, server: string): Promise<string> {
    this.#turns.closing.throwIfAborted();
    const closed = closedBy(this.state, this.code);
    // check: only an app that may use the network says whose it is
    if (closed !== undefined) throw closed;
    return makeAuthToken(this.#options, this.#activation.activated, challenge, server);
  }

  pushChannel(name: string): PushChannel {
    if (this.#push === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'the runtime has no pushChannels: give openDynamicsRuntime the option');
    return this.#push.channel(name);
  }

  async acceptApp(link: AppLink, platformId: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<HandedOver> {
    const { closing } = this.#turns;
    if (this.#delegate !== undefined && !closing.aborted) {
      return this.#delegate.accept(link, platformId, signal === undefined ? closing : AbortSignal.any([signal, closing]));
    }
    link.close();
    throw closing.aborted ? closing.reason : new ProtocolError('ERR_USAGE_STATE', 'the runtime has no delegate');
  }

  executeRemoteLock(unlockKey: string): Promise<void> {
    return this.#turns.next(async () => {
      await this.#container.require().setUnlockKey(unlockKey);
      await this.#states.take({ type: 'remote-lock' });
    });
  }

  executeBlock(block: Omit<Block, 'origin'>): Promise<void> {
    return this.#turns.next(() => this.#states.take({ type: 'block', block: { ...block, origin: 'app' } }));
  }

  executeUnblock(id: string): Promise<void> {
    return this.#turns.next(() => this.#states.take({ type: 'unblock', origin: 'app', id }));
  }

  async update({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<UpdateResult> {
    const { closing } = this.#turns;
    return this.#updates.ask(signal === undefined ? closing : AbortSignal.any([signal, closing]));
  }

  wipe(): Promise<void> {
    return this.#turns.next(() => (this.state === 'wiped' ? this.#states.begin() : this.#states.take({ type: 'wipe' })));
  }

  async close(): Promise<void> {
    this.#turns.end();
    this.#updates.stop();
    this.#connector.close();
    this.#services?.close();
    this.#push?.review();
    this.#ways.forget();
    await this.#updates.settled();
    await this.#turns.settled();
    this.#states.close();
    await this.#container.release();
    this.#activation.wipeKeys();
  }
}
