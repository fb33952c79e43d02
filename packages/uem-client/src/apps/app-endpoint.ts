import { type HandedOver, isProtocolError, ProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { ClientContext } from '../ask.ts';
import { verdictOf } from '../departure.ts';
import { APP_STEPS, type UemClientEvents } from '../events.ts';
import type { ActiveDevice } from '../state/active-device.ts';
import type { AppLink } from './app-link.ts';
import { type AppLimits, type AppPolicy, DEFAULT_APP_LIMITS } from './app-policy.ts';
import { KeyGrant } from './key-grant.ts';
import { RequestBudget } from './request-budget.ts';

/** The active device that apps ask. */
export interface AppEndpointOwner {
  readonly active: ActiveDevice;
  emit<Name extends keyof UemClientEvents>(name: Name, detail: UemClientEvents[Name]): void;
  /** UEM was asked; the connection may be closed at rest. */
  askedForKey(): void;
  /** UEM said in passing that the device is not managed any more; only a poll ends it. */
  verdictHeard(): void;
}

/** Takes apps on the device that want access keys (F3.3), so many at a time and so often. */
export class AppEndpoint {
  readonly #context: ClientContext;
  readonly #policy: AppPolicy;
  readonly #limits: AppLimits;
  readonly #owner: AppEndpointOwner;
  readonly #budget: RequestBudget;
  /** Platform ids by the run that serves them; bounded by `limits.connections`. */
  readonly #running: Map<AbortController, string> = new Map();

  constructor(context: ClientContext, policy: AppPolicy, owner: AppEndpointOwner) {
    this.#context = context;
    this.#policy = policy;
    this.#limits = { ...DEFAULT_APP_LIMITS, ...policy.limits };
    this.#owner = owner;
    this.#budget = new RequestBudget(this.#limits.requestsPerApp, this.#limits.requestWindowMs);
  }

  /** Serves one app until it has a key or is refused. @throws ProtocolError with the step; `signal.reason` after an abort */
  async accept(link: AppLink, platformId: string, signal: AbortSignal | undefined): Promise<HandedOver> {
    const abort = new AbortController();
    const forward = (): void => abort.abort(signal?.reason);
    if (signal?.aborted) forward();
    signal?.addEventListener('abort', forward, { once: true });
    try {
      if (this.#isFull(platformId)) return this.#turnAway(link, platformId);
      this.#running.set(abort, platformId);
      return await this.#serve(link, platformId, abort.signal);
    } catch (error) {
      if (isProtocolError(error) && verdictOf(error.code) !== undefined) this.#owner.verdictHeard();
      throw error;
    } finally {
      signal?.removeEventListener('abort', forward);
      this.#running.delete(abort);
    }
  }

  /** The identity goes, or the client rests: nobody gets a key any more. */
  stop(error: ProtocolError): void {
    for (const run of this.#running.keys()) run.abort(error);
  }

  async #serve(link: AppLink, platformId: string, signal: AbortSignal): Promise<HandedOver> {
    let asked = false;
    const grant = new KeyGrant({
      context: this.#context,
      policy: this.#policy,
      idleMs: this.#limits.idleMs,
      device: this.#owner.active,
      link,
      platformId,
      signal,
      mayGoOn: () => this.#budget.take(platformId, this.#context.options.clock.monotonicMs()),
      progress: (phase, app) => {
        this.#owner.emit('appprogress', { step: APP_STEPS[phase], phase, app });
        asked ||= phase === 'requested';
      },
    });
    try {
      return await grant.run();
    } catch (error) {
      if (isProtocolError(error)) this.#owner.emit('appfailed', { error, platformId, app: grant.app });
      throw error;
    } finally {
      if (asked && !signal.aborted) this.#owner.askedForKey();
    }
  }

  #isFull(platformId: string): boolean {
    const ofApp = [...this.#running.values()].filter((other) => other === platformId).length;
    // check: F3.3 connections of all apps, and of one
    return this.#running.size >= this.#limits.connections || ofApp >= this.#limits.connectionsPerApp;
  }

  #turnAway(link: AppLink, platformId: string): never {
    const error = new ProtocolError('ERR_REJECTED_BUSY', 'too many apps are connected', { step: 'F3.3' });
    link.receive({ received: () => undefined, closed: () => undefined });
    try {
      link.send(wire.alert.encode({ code: 'busy' }));
    } catch {
      // It has gone already.
    }
    link.close();
    this.#owner.emit('appfailed', { error, platformId });
    throw error;
  }
}
