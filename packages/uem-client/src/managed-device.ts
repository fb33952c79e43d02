import { type HandedOver, isProtocolError, MANAGEMENT_KEYS, type ManagementEvent, ProtocolError, type StoreWrite, sameBytes } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import type { AppEndpoint, AppHost, AppLink, AttachedAppEndpoint } from './app-port.ts';
import type { ClientContext } from './ask.ts';
import { renewCertificate } from './certificate/renewal.ts';
import { depart, verdictOf } from './departure.ts';
import type { UemClientEvents } from './events.ts';
import { ManagementLoop } from './management/management-loop.ts';
import type { ManagementOwner } from './management/management-run.ts';
import type { DeactivationReason } from './operating-system.ts';
import { PushLoop, type PushLoopOwner } from './push/push-loop.ts';
import { WakeUpBudget } from './push/wake-up-budget.ts';
import type { ActiveDevice } from './state/active-device.ts';
import { PUSH_TOKEN_KEY } from './state/saved-state.ts';

/** What an active device tells the client that it belongs to. */
export interface ManagedDeviceOwner {
  emit<Name extends keyof UemClientEvents>(name: Name, detail: UemClientEvents[Name]): void;
  /** The identity is about to be destroyed. */
  leaving(reason: DeactivationReason): void;
  /** By the server's clock the certificate is out of date, or it is not any more. The device stays as it is and asks again. */
  outOfDate(isOutOfDate: boolean): void;
  /** The device is not managed any more; `destroyed` settles when the identity is gone, and never rejects. */
  departed(reason: DeactivationReason, destroyed?: Promise<void>): void;
}

interface PollWaiter {
  resolve(): void;
  reject(error: unknown): void;
}

/** One device while it is active (F5): the management loop, the push loop, renewal, and the poll connection that closes at rest. */
export class ManagedDevice implements ManagementOwner, PushLoopOwner, AppHost {
  readonly context: ClientContext;
  readonly #owner: ManagedDeviceOwner;
  readonly #endpoint: AppEndpoint | undefined;
  #device: ActiveDevice;
  /** Only while the device is awake. */
  #loop: ManagementLoop | undefined;
  #cancelPoll: (() => void) | undefined;
  #pollDueMs = 0;
  /** Of this device at its notification service; goes with a poll until UEM has it. */
  #token: Uint8Array | undefined;
  #push: PushLoop | undefined;
  readonly #wakeUps: WakeUpBudget = new WakeUpBudget();
  /** Wake-ups came faster than polls may follow; one poll for all of them is due. */
  #cancelLatePoll: (() => void) | undefined;
  /** Made for the first app. */
  #apps: AttachedAppEndpoint | undefined;
  #started = false;
  #renewing: AbortController | undefined;
  #cancelRelease: (() => void) | undefined;
  /** Absent while a frame is under way. */
  #restingSinceMs: number | undefined;
  /** Bounded by the callers of `poll`; all end with the next poll. */
  #waiters: PollWaiter[] = [];

  constructor(context: ClientContext, device: ActiveDevice, owner: ManagedDeviceOwner, endpoint: AppEndpoint | undefined) {
    this.context = context;
    this.#device = device;
    this.#owner = owner;
    this.#endpoint = endpoint;
  }

  start(reason: wire.PollReason): void {
    if (this.#started) return;
    this.#started = true;
    this.#wake(reason);
    void this.#startPush();
  }

  get started(): boolean {
    return this.#started;
  }

  get active(): ActiveDevice {
    return this.#device;
  }

  poll(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#wake('request');
    });
  }

  /** Every way an app is refused here closes its link. */
  async acceptApp(link: AppLink, platformId: string, signal: AbortSignal | undefined): Promise<HandedOver> {
    if (this.#endpoint === undefined) {
      link.close();
      throw new ProtocolError('ERR_USAGE_STATE', 'no app may ask this client', { step: 'F3.3' });
    }
    this.#apps ??= this.#endpoint.attach(this);
    return this.#apps.accept(link, platformId, signal);
  }

  async stop(): Promise<void> {
    const loop = this.#loop;
    this.#end();
    await loop?.stop();
  }

  drop(): void {
    const loop = this.#loop;
    this.#end();
    loop?.drop();
  }

  #end(): void {
    this.#started = false;
    this.#loop = undefined;
    this.#cancelPoll?.();
    this.#cancelPoll = undefined;
    this.#cancelLatePoll?.();
    this.#cancelLatePoll = undefined;
    this.#abandonRenewal();
    this.#endApps();
    this.#push?.stop();
    this.#push = undefined;
    this.#release();
    this.#settle(new ProtocolError('ERR_USAGE_STATE', 'the client was stopped'));
  }

  /** Asks for pending actions; at rest there is no loop, so one is built from the store. */
  #wake(reason: wire.PollReason, wakeUpId?: Uint8Array): void {
    this.#restingSinceMs = undefined;
    if (this.#loop !== undefined) return this.#loop.poll(reason, wakeUpId);
    this.#cancelPoll?.();
    this.#cancelPoll = undefined;
    const { clock, entropy, store, operatingSystem } = this.context.options;
    const { schedule } = this.#device;
    this.#loop = new ManagementLoop({ clock, entropy, store, operatingSystem, limits: this.context.limits, schedule, owner: this });
    if (this.#token !== undefined) this.#loop.pushToken(this.#token);
    this.#loop.start(reason, wakeUpId);
  }

  // F5.3 to F5.6

  exchange(frame: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    this.#restingSinceMs = undefined;
    const { address, trust, identity } = this.#device;
    return this.context.options.transport.exchange({ address, service: 'device', frame, trust, identity, signal });
  }

  told(event: ManagementEvent): void {
    if (event.type === 'idle' || event.type === 'commandReceived' || event.type === 'commandAnswered') this.#owner.outOfDate(false);
    switch (event.type) {
      case 'polled':
        return this.#owner.emit('poll', { reason: event.reason });
      case 'commandReceived':
        return this.#owner.emit('command', { commandId: event.commandId, type: event.commandType });
      case 'commandFinished':
        return this.#owner.emit('commanddone', {
          commandId: event.commandId,
          type: event.commandType,
          status: event.status,
          ...(event.message === undefined ? {} : { message: event.message }),
        });
      case 'commandAnswered':
        return this.#owner.emit('commandanswered', { commandId: event.commandId });
      case 'idle':
        return this.#idle(event.commands, event.serverTimeEpochS, event.nextPollMs);
      case 'exchangeFailed':
        return this.#failed(event.error, event.retryAfterMs);
      case 'frameDropped':
        return undefined;
    }
  }

  handlerFailed(command: wire.Command, error: unknown): void {
    this.#owner.emit('handlerfailed', { commandId: command.commandId, type: command.type, error });
  }

  async leave(): Promise<readonly StoreWrite[]> {
    this.#abandonRenewal();
    this.#endApps();
    this.#owner.leaving('command');
    return depart(this.context.options, this.#device.identity.keyId, 'command');
  }

  ended(refusal: ProtocolError | undefined): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    this.#end();
    const reason = refusal === undefined ? 'command' : verdictOf(refusal.code);
    if (refusal === undefined || reason === undefined) this.#owner.departed('command');
    else this.#owner.departed(reason, this.#destroy(reason));
    for (const waiter of waiters) {
      if (refusal === undefined) waiter.resolve();
      else waiter.reject(refusal);
    }
  }

  /** The verdict holds at once; when it cannot be saved now, the next start hears it again. */
  async #destroy(reason: DeactivationReason): Promise<void> {
    const { options } = this.context;
    try {
      await options.store.commit(await depart(options, this.#device.identity.keyId, reason));
    } catch (error) {
      this.#owner.emit('pollfailed', { error: asProtocolError(error), retryInMs: 0 });
    }
  }

  #idle(commands: number, serverTimeEpochS: number, nextPollMs: number): void {
    this.#owner.emit('idle', { commands, serverTimeEpochS, nextPollMs });
    this.#restingSinceMs = this.context.options.clock.monotonicMs();
    this.#pollDueMs = this.#restingSinceMs + Math.ceil(nextPollMs);
    if (this.#cancelRelease === undefined) this.#releaseAfter(this.context.limits.releaseAfterMs);
    // The server's time decides: a clock of the device that is wrong must not renew with every poll.
    if (serverTimeEpochS >= this.#device.renewAtEpochS) void this.#renew(serverTimeEpochS);
    this.#settle(undefined);
  }

  #failed(error: ProtocolError, retryInMs: number): void {
    this.#release();
    if (!this.#started) this.#dropLoop();
    if (error.code === 'ERR_REJECTED_EXPIRED') this.#owner.outOfDate(true);
    this.#owner.emit('pollfailed', { error, retryInMs });
    this.#settle(error);
  }

  /** The connection of the confirmation (F1.5) serves the first poll, too; it is released like any that was polled over. */
  confirmed(): void {
    this.#restingSinceMs = this.context.options.clock.monotonicMs();
    this.#releaseAfter(this.context.limits.releaseAfterMs);
  }

  /** One timer for many polls in a row: it looks when it fires how long the device has been at rest. */
  #releaseAfter(delayMs: number): void {
    const { clock } = this.context.options;
    this.#cancelRelease = clock.setTimer(delayMs, () => {
      this.#cancelRelease = undefined;
      if (this.#restingSinceMs === undefined) return;
      const leftMs = this.#restingSinceMs + this.context.limits.releaseAfterMs - clock.monotonicMs();
      if (leftMs > 0) this.#releaseAfter(leftMs);
      else this.#rest();
    });
  }

  /** A device at rest is its state in the store, its push connection, and the time of its next poll. */
  #rest(): void {
    this.#release();
    this.#dropLoop();
    if (!this.#started) return;
    const { clock } = this.context.options;
    this.#cancelPoll = clock.setTimer(Math.max(0, this.#pollDueMs - clock.monotonicMs()), () => this.#wake('schedule'));
  }

  #dropLoop(): void {
    const loop = this.#loop;
    this.#loop = undefined;
    loop?.drop();
  }

  /** All who waited for a poll learn how it ended. */
  #settle(error: ProtocolError | undefined): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (error === undefined) waiter.resolve();
      else waiter.reject(error);
    }
  }

  #release(): void {
    this.#cancelRelease?.();
    this.#cancelRelease = undefined;
    this.context.options.transport.release();
  }

  async #renew(serverTimeEpochS: number): Promise<void> {
    if (this.#renewing !== undefined) return;
    const renewing = new AbortController();
    this.#renewing = renewing;
    try {
      const device = await renewCertificate(this.context, this.#device, serverTimeEpochS, renewing.signal);
      if (renewing.signal.aborted) return;
      this.#device = device;
      this.#owner.emit('renewed', { notAfterEpochS: this.#device.notAfterEpochS });
    } catch (error) {
      if (!renewing.signal.aborted) this.#owner.emit('renewalfailed', { error: asProtocolError(error) });
    } finally {
      if (this.#renewing === renewing) this.#renewing = undefined;
    }
  }

  /** Before the identity is destroyed: a renewal must not bring it back. */
  #abandonRenewal(): void {
    this.#renewing?.abort(new ProtocolError('ERR_USAGE_STATE', 'the client was stopped'));
    this.#renewing = undefined;
  }

  // F3.3 to F3.6

  emit<Name extends keyof UemClientEvents>(name: Name, detail: UemClientEvents[Name]): void {
    this.#owner.emit(name, detail);
  }

  verdictHeard(): void {
    if (this.#started) this.#wake('request');
  }

  /** Before the identity is destroyed: nobody gets a key for it any more. */
  #endApps(): void {
    this.#apps?.stop(new ProtocolError('ERR_USAGE_STATE', 'the client was stopped'));
  }

  // F5.2

  async #startPush(): Promise<void> {
    const { transport, clock, entropy, store, operatingSystem } = this.context.options;
    const { notificationAddress, trust } = this.#device;
    if (notificationAddress === undefined || operatingSystem.pushService === undefined) return;
    // A token that cannot be read is asked for again.
    const token = await store.get(PUSH_TOKEN_KEY).catch(() => undefined);
    if (!this.#started || this.#push !== undefined) return;
    this.#push = new PushLoop({
      transport,
      clock,
      entropy,
      limits: this.context.limits,
      address: notificationAddress,
      trust,
      service: operatingSystem.pushService,
      owner: this,
    });
    this.#push.start(token);
  }

  trace(step: string, direction: 'sent' | 'received', frame: Uint8Array, peer: 'uem' | 'notification' = 'uem'): void {
    this.context.trace(step, direction, peer, frame);
  }

  registered(token: Uint8Array): void {
    this.#owner.emit('pushopen', { token });
    this.#rememberToken(token).catch(() => undefined);
  }

  async #rememberToken(token: Uint8Array): Promise<void> {
    const { store } = this.context.options;
    this.#token = token;
    this.#loop?.pushToken(token);
    const [saved, delivered] = [await store.get(PUSH_TOKEN_KEY), await store.get(MANAGEMENT_KEYS.pushToken)];
    if (this.#started && (delivered === undefined || !sameBytes(delivered, token))) this.#wake('resume');
    if (saved === undefined || !sameBytes(saved, token)) await store.commit([{ key: PUSH_TOKEN_KEY, value: token }]);
  }

  wokenUp({ wakeUpId, sentAtEpochMs }: wire.WakeUp): void {
    this.#owner.emit('wakeup', { wakeUpId, sentAtEpochMs });
    if (this.#cancelLatePoll === undefined) this.#pollFor(wakeUpId);
  }

  #pollFor(wakeUpId: Uint8Array): void {
    const { clock } = this.context.options;
    const waitMs = this.#wakeUps.take(clock.monotonicMs());
    if (waitMs === 0) return this.#wake('wakeUp', wakeUpId);
    this.#cancelLatePoll = clock.setTimer(waitMs, () => {
      this.#cancelLatePoll = undefined;
      this.#pollFor(wakeUpId);
    });
  }

  disconnected(error: ProtocolError | undefined, retryInMs: number): void {
    this.#owner.emit('pushclosed', { retryInMs, ...(error === undefined ? {} : { error }) });
  }
}

function asProtocolError(error: unknown): ProtocolError {
  return isProtocolError(error) ? error : new ProtocolError('ERR_INTERNAL', 'the operating system failed', { cause: error });
}
