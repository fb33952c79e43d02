import {
  type AskingApp,
  type CancelTimer,
  type CountedRequest,
  type Driven,
  drive,
  errorOfAlert,
  type HandedOver,
  isProtocolError,
  type KeyHandOverRequest,
  type KeyHandOverResponder,
  type KeyHandOverResult,
  keyHandOverResponder,
  ProtocolError,
} from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { AppLink } from '../app-port.ts';
import { ask, type ClientContext } from '../ask.ts';
import { APP_STEPS, type AppPhase, type AppStep } from '../events.ts';
import type { ActiveDevice } from '../state/active-device.ts';
import type { AppPolicy } from './app-policy.ts';

/** One app on its way to an access key. */
export interface KeyGrantOptions {
  readonly context: ClientContext;
  readonly policy: AppPolicy;
  readonly idleMs: number;
  readonly device: ActiveDevice;
  readonly link: AppLink;
  /** Of the app, as the operating system reports it. */
  readonly platformId: string;
  readonly signal: AbortSignal;
  /** Counts an admitted run; undefined: it is one too many. */
  count(): CountedRequest | undefined;
  progress(phase: AppPhase, app: AskingApp): void;
}

/** Serves one app: `ipc` as responder, 0x50, UEM, 0x52 (F3.3 to F3.6). Nothing of it is durable: a crash ends it, and the app asks with another nonce. */
export class KeyGrant {
  readonly #options: KeyGrantOptions;
  readonly #machine: KeyHandOverResponder;
  #driven: Driven<never, HandedOver> | undefined;
  #cancelIdle: CancelTimer | undefined;
  #step: AppStep = 'F3.3';
  #app: AskingApp | undefined;
  #counted: CountedRequest | undefined;
  /** Why UEM gave no key. What the app is told says less. */
  #noKey: ProtocolError | undefined;

  constructor(options: KeyGrantOptions) {
    const { context, policy, device, platformId } = options;
    const { crypto, entropy } = context.options;
    this.#options = options;
    this.#machine = keyHandOverResponder({
      crypto,
      entropy,
      peers: { initiatorPlatformId: platformId, responderPlatformId: policy.platformId },
      channel: { name: 'ipc', certificates: device.identity.certificates },
    });
  }

  /** Known once M1 is read. */
  get app(): AskingApp | undefined {
    return this.#app;
  }

  /** @throws ProtocolError with the step; `signal.reason` after an abort */
  async run(): Promise<HandedOver> {
    const { context, link, signal } = this.#options;
    const { clock, store } = context.options;
    this.#awaitApp();
    try {
      this.#driven = drive(this.#machine, {
        clock,
        store,
        link,
        signal,
        request: (request, ended) => this.#request(request, ended),
        onFrame: (direction, frame, step) => context.trace(step ?? this.#step, direction, 'app', frame),
      });
      const handedOver = await this.#driven.ended;
      this.#progress('handedOver', handedOver.app);
      return handedOver;
    } catch (error) {
      if (signal.aborted) throw isProtocolError(signal.reason) ? signal.reason.at(this.#step) : signal.reason;
      throw this.#noKey ?? asProtocolError(error).at(this.#step);
    } finally {
      this.#cancelIdle?.();
      // However it ended: nothing of the channel stays in memory.
      this.#machine.handle({ type: 'closed' }, clock.nowMs());
      link.close();
    }
  }

  /** From now on the app has to come to where this side is at work again. */
  #awaitApp(): void {
    this.#cancelIdle?.();
    this.#cancelIdle = this.#options.context.options.clock.setTimer(this.#options.idleMs, () =>
      // check: F3.3 silence of an app
      this.#driven?.stop(new ProtocolError('ERR_PEER_TIMEOUT', 'the app says nothing')),
    );
  }

  /** While this side is at work the app is not waited for. */
  async #request(request: KeyHandOverRequest, signal: AbortSignal): Promise<KeyHandOverResult> {
    this.#cancelIdle?.();
    this.#cancelIdle = undefined;
    try {
      return await this.#answer(request, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw asProtocolError(error);
    } finally {
      if (!signal.aborted && request.type !== 'grant') this.#awaitApp();
    }
  }

  async #answer(request: KeyHandOverRequest, signal: AbortSignal): Promise<KeyHandOverResult> {
    const { context, policy, device, count } = this.#options;
    switch (request.type) {
      case 'admit': {
        this.#app = request.app;
        // check: F3.3 apps that may ask
        if (!(await policy.mayAsk(request.app, signal))) return { type: 'admitted', admitted: false };
        this.#counted = count();
        if (this.#counted === undefined) throw new ProtocolError('ERR_REJECTED_BUSY', 'the app asks too often');
        this.#progress('admitted', request.app);
        return { type: 'admitted', admitted: true };
      }
      case 'sign':
        return { type: 'signed', signature: await context.options.keyStore.sign(device.identity.keyId, request.message) };
      case 'grant':
        return this.#grant(request.app, request.request, signal);
    }
  }

  /** F3.4 and F3.5. The device is named, though UEM knows it by its certificate: a mistake on the way shows. */
  async #grant(app: AskingApp, { appId, instanceId, nonce }: wire.AccessKeyRequest, signal: AbortSignal): Promise<KeyHandOverResult> {
    const { context, device } = this.#options;
    const { address, trust, identity } = device;
    this.#progress('requested', app);
    const frame = wire.accessKeyForward.encode({ appId, instanceId, nonce, platformId: app.platformId, deviceId: identity.deviceId });
    try {
      const request = {
        peer: 'uem',
        step: 'F3.4',
        answerStep: 'F3.5',
        service: 'device',
        address,
        trust,
        identity,
        frame,
        signal,
        once: true,
        secretAnswer: true,
      } as const;
      const response = await ask(context, request, wire.accessKeyResponse, errorOfAlert);
      this.#progress('answered', app);
      return { type: 'granted', response };
    } catch (error) {
      signal.throwIfAborted();
      this.#noKey = asProtocolError(error).at('F3.5');
      if (isUnreached(this.#noKey)) this.#counted?.unreached();
      // check: F3.4 trouble on the way to UEM is no refusal
      if (isPassing(this.#noKey)) throw new ProtocolError('ERR_REJECTED_BUSY', 'UEM gives no key now', { cause: error });
      throw this.#noKey;
    }
  }

  #progress(phase: AppPhase, app: AskingApp): void {
    this.#step = APP_STEPS[phase];
    this.#options.progress(phase, app);
  }
}

/** No connection was made: UEM has heard nothing. What a `fetch` of the platform calls so may have come behind the request. */
function isUnreached({ code, details }: ProtocolError): boolean {
  return code === 'ERR_TRANSPORT_CONNECT' && details['sent'] !== 'unknown';
}

/** Errors that say nothing about the app: it may come again. UEM's clock may be wrong when it calls the certificate out of date. */
function isPassing({ kind, code, details }: ProtocolError): boolean {
  return (
    kind === 'transport' || code === 'ERR_REJECTED_BUSY' || code === 'ERR_REJECTED_EXPIRED' || (code === 'ERR_PEER_ALERT' && details['alert'] === 'internal')
  );
}

/** Errors that are not ours are a bug, here or in a port. */
function asProtocolError(error: unknown): ProtocolError {
  return isProtocolError(error) ? error : new ProtocolError('ERR_INTERNAL', 'an app could not be served', { cause: error });
}
