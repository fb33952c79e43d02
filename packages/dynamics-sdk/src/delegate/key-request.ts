import {
  type AskingApp,
  type CancelTimer,
  type CountedRequest,
  type Driven,
  drive,
  type HandedOver,
  isProtocolError,
  type KeyHandOverRequest,
  type KeyHandOverResponder,
  type KeyHandOverResult,
  keyHandOverResponder,
  ProtocolError,
} from '@uemkit/protocol';
import type { AccessKeyRequest, WireDocument } from '@uemkit/protocol/wire';
import { mayTalk } from '../activation/key-of-sibling.ts';
import type { AppLink } from '../activation/uem-client-link.ts';
import { APP_STEPS, type AppPhase, type AppStep } from '../runtime/events.ts';
import { askCore } from './core-request.ts';
import type { DelegateHost } from './delegate-port.ts';
import type { DelegateRules } from './delegate-rules.ts';

export interface KeyRequestOptions {
  readonly rules: DelegateRules;
  readonly host: DelegateHost;
  readonly link: AppLink;
  /** Of the app that asks, as the operating system reports it. */
  readonly platformId: string;
  readonly signal: AbortSignal;
  /** Counts an admitted run; undefined: it is one too many. */
  count(): CountedRequest | undefined;
}

const NO_STORE = { commit: async () => {} };

/** Serves one app: `ipcd` as responder, 0x50, the user, UEM, 0x52 (F3.3 to F3.6). Nothing of it is durable: a crash ends it, and the app asks with another nonce. */
export class KeyRequest {
  readonly #options: KeyRequestOptions;
  readonly #machine: KeyHandOverResponder;
  #driven: Driven<never, HandedOver> | undefined;
  #cancelIdle: CancelTimer | undefined;
  #step: AppStep = 'F3.3';
  #app: AskingApp | undefined;
  #counted: CountedRequest | undefined;
  /** Why there is no key. What the app is told says less. */
  #noKey: ProtocolError | undefined;

  constructor(options: KeyRequestOptions) {
    const { rules, host, platformId } = options;
    const { crypto, entropy } = host.ports;
    this.#options = options;
    const peers = { initiatorPlatformId: platformId, responderPlatformId: rules.platformId };
    this.#machine = keyHandOverResponder({ crypto, entropy, peers, channel: { name: 'ipcd' } });
  }

  /** Known once M1 is read. */
  get app(): AskingApp | undefined {
    return this.#app;
  }

  /** @throws ProtocolError with the step; `signal.reason` after an abort */
  async run(): Promise<HandedOver> {
    const { host, link, signal } = this.#options;
    const { clock, trace } = host.ports;
    this.#awaitApp();
    try {
      this.#driven = drive(this.#machine, {
        ...{ clock, store: NO_STORE, link, signal },
        request: (request, ended) => this.#request(request, ended),
        onFrame(direction, frame, step) {
          const isSent = direction === 'sent';
          trace?.({ step: step ?? 'F3.4', from: isSent ? 'sibling' : 'app', to: isSent ? 'app' : 'sibling', frame, timeMs: clock.nowMs() });
        },
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
    const { host, rules } = this.#options;
    this.#cancelIdle?.();
    this.#cancelIdle = host.ports.clock.setTimer(rules.limits.idleMs, () =>
      // check: F3.4 silence of an app
      this.#driven?.stop(new ProtocolError('ERR_PEER_TIMEOUT', 'the app says nothing')),
    );
  }

  /** While this side, or the user, is at work the app is not waited for. */
  async #request(request: KeyHandOverRequest, signal: AbortSignal): Promise<KeyHandOverResult> {
    this.#cancelIdle?.();
    try {
      if (request.type === 'grant') return { type: 'granted', response: await this.#grant(request.app, request.request, signal) };
      if (request.type === 'sign') throw new ProtocolError('ERR_INTERNAL', 'ipcd has no certificate');
      const admitted = this.#admits(request.app);
      this.#awaitApp();
      return { type: 'admitted', admitted };
    } catch (error) {
      signal.throwIfAborted();
      throw asProtocolError(error);
    }
  }

  /** F3.3: before the app learns anything. */
  #admits(app: AskingApp): boolean {
    const { rules, host, count } = this.#options;
    this.#app = app;
    const closed = host.closedBy();
    const refused = (error: ProtocolError): false => {
      this.#noKey = error.at('F3.3');
      return false;
    };
    // check: F3.4 an app in this space of the device, of a signer that is named
    if (!mayTalk(rules.platformId, app.platformId, rules.signers))
      return refused(new ProtocolError('ERR_REJECTED_CREDENTIALS', 'the app is not one that may ask'));
    if (closed !== undefined) {
      refused(closed);
      // A locked app may be unlocked; a wiped one gives nobody a key any more.
      if (closed.code !== 'ERR_APP_WIPED') throw new ProtocolError('ERR_REJECTED_BUSY', 'the app serves nobody now', { cause: closed });
      return false;
    }
    // check: F3.4 policy marks this app as delegate
    if (!isDelegate(host)) return refused(new ProtocolError('ERR_USAGE_STATE', 'policy does not mark this app as activation delegate'));
    this.#counted = count();
    if (this.#counted === undefined) throw new ProtocolError('ERR_REJECTED_BUSY', 'the app asks too often');
    this.#progress('admitted', app);
    return true;
  }

  /** F3.4 and F3.5. */
  async #grant(app: AskingApp, request: AccessKeyRequest, signal: AbortSignal) {
    const { rules, host } = this.#options;
    // The user, too, is asked only so often, whatever the answer.
    let isReached = true;
    try {
      // check: F3.4 the user agrees
      if (!(await rules.consent(app, signal))) throw new ProtocolError('ERR_REJECTED_CONSENT', 'the user does not want this app to get a key');
      signal.throwIfAborted();
      this.#progress('requested', app);
      isReached = false;
      const reached = (): void => {
        isReached = true;
      };
      const response = await askCore(host, { ...request, platformId: app.platformId }, signal, reached);
      this.#progress('answered', app);
      return response;
    } catch (error) {
      signal.throwIfAborted();
      if (!isReached) this.#counted?.unreached();
      this.#noKey = asProtocolError(error).at(this.#step === 'F3.3' ? 'F3.4' : 'F3.5');
      // check: F3.4 trouble on the way to UEM is no refusal
      if (isPassing(this.#noKey)) throw new ProtocolError('ERR_REJECTED_BUSY', 'UEM gives no key now', { cause: error });
      throw this.#noKey;
    }
  }

  #progress(phase: AppPhase, app: AskingApp): void {
    this.#step = APP_STEPS[phase];
    this.#options.host.emit('appprogress', { step: this.#step, phase, app });
  }
}

function isDelegate({ appId, activated }: DelegateHost): boolean {
  const dynamics = activated()?.data?.policy['dynamics'] as { readonly activationDelegates?: WireDocument[string] } | undefined;
  const { activationDelegates } = dynamics ?? {};
  return Array.isArray(activationDelegates) && activationDelegates.includes(appId);
}

/** Errors that say nothing about the app: it may come again. */
function isPassing({ kind, retry, code }: ProtocolError): boolean {
  return kind === 'transport' || retry === 'backoff' || code === 'ERR_PEER_TIMEOUT';
}

/** Errors that are not ours are a bug, here or in a port. */
function asProtocolError(error: unknown): ProtocolError {
  return isProtocolError(error) ? error : new ProtocolError('ERR_INTERNAL', 'an app could not be served', { cause: error });
}
