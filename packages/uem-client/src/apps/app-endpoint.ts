import { type CancelTimer, type HandedOver, isProtocolError, ProtocolError, RequestBudget } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { AppHost, AppLink, AttachedAppEndpoint } from '../app-port.ts';
import { verdictOf } from '../departure.ts';
import { APP_STEPS } from '../events.ts';
import { type AppLimits, type AppPolicy, DEFAULT_APP_LIMITS } from './app-policy.ts';
import { KeyGrant } from './key-grant.ts';

/** Takes apps on the device that want access keys (F3.3), so many at a time and so often. */
export class DeviceAppEndpoint implements AttachedAppEndpoint {
  readonly #policy: AppPolicy;
  readonly #limits: AppLimits;
  readonly #host: AppHost;
  readonly #budget: RequestBudget;
  /** Platform ids by the run that serves them; bounded by `limits.connections`. */
  readonly #running: Map<AbortController, string> = new Map();
  #cancelRelease: CancelTimer | undefined;

  constructor(policy: AppPolicy, host: AppHost) {
    this.#policy = policy;
    this.#limits = { ...DEFAULT_APP_LIMITS, ...policy.limits };
    this.#host = host;
    this.#budget = new RequestBudget(this.#limits);
  }

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
      if (isProtocolError(error) && verdictOf(error.code) !== undefined) this.#host.verdictHeard();
      throw error;
    } finally {
      signal?.removeEventListener('abort', forward);
      this.#running.delete(abort);
    }
  }

  stop(error: ProtocolError): void {
    this.#cancelRelease?.();
    for (const run of this.#running.keys()) run.abort(error);
  }

  async #serve(link: AppLink, platformId: string, signal: AbortSignal): Promise<HandedOver> {
    let asked = false;
    const grant = new KeyGrant({
      context: this.#host.context,
      policy: this.#policy,
      idleMs: this.#limits.idleMs,
      device: this.#host.active,
      link,
      platformId,
      signal,
      count: () => this.#budget.take(platformId, this.#host.context.options.clock.monotonicMs()),
      progress: (phase, app) => {
        this.#host.emit('appprogress', { step: APP_STEPS[phase], phase, app });
        asked ||= phase === 'requested';
      },
    });
    try {
      return await grant.run();
    } catch (error) {
      if (isProtocolError(error)) this.#host.emit('appfailed', { error, platformId, app: grant.app });
      throw error;
    } finally {
      if (asked && !signal.aborted) this.#releaseAtRest();
    }
  }

  /** Without a poll after it the connection to UEM is closed at rest, too; a poll under way makes another one for its next frame. */
  #releaseAtRest(): void {
    const { options, limits } = this.#host.context;
    this.#cancelRelease?.();
    this.#cancelRelease = options.clock.setTimer(limits.releaseAfterMs, () => options.transport.release());
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
    this.#host.emit('appfailed', { error, platformId });
    throw error;
  }
}
