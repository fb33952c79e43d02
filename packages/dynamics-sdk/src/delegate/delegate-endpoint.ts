import { type HandedOver, isProtocolError, ProtocolError, RequestBudget } from '@uemkit/protocol';
import { alert } from '@uemkit/protocol/wire';
import type { AppLink } from '../activation/uem-client-link.ts';
import type { AttachedDelegate, DelegateHost } from './delegate-port.ts';
import type { DelegateRules } from './delegate-rules.ts';
import { KeyRequest } from './key-request.ts';

/** Takes apps on the device that want access keys of this one, so many at a time and so often. */
export class DelegateEndpoint implements AttachedDelegate {
  readonly #rules: DelegateRules;
  readonly #host: DelegateHost;
  /** Platform ids by the run that serves them. BOUNDED by `limits.connections`. */
  readonly #running = new Map<AbortController, string>();
  readonly #budget: RequestBudget;

  constructor(rules: DelegateRules, host: DelegateHost) {
    this.#rules = rules;
    this.#host = host;
    this.#budget = new RequestBudget(rules.limits);
  }

  async accept(link: AppLink, platformId: string, signal: AbortSignal): Promise<HandedOver> {
    const abort = new AbortController();
    const forward = (): void => abort.abort(signal.reason);
    if (signal.aborted) forward();
    signal.addEventListener('abort', forward, { once: true });
    const request = new KeyRequest({
      ...{ rules: this.#rules, host: this.#host, link, platformId, signal: abort.signal },
      count: () => this.#budget.take(platformId, this.#host.ports.clock.monotonicMs()),
    });
    try {
      // check: F3.4 connections of all apps, and of one
      if (this.#running.size >= this.#rules.limits.connections || [...this.#running.values()].includes(platformId)) return turnAway(link);
      this.#running.set(abort, platformId);
      return await request.run();
    } catch (error) {
      if (isProtocolError(error)) this.#host.emit('appfailed', { error, platformId, app: request.app });
      throw error;
    } finally {
      signal.removeEventListener('abort', forward);
      this.#running.delete(abort);
    }
  }

  review(): void {
    const closed = this.#host.closedBy();
    if (closed !== undefined) for (const run of this.#running.keys()) run.abort(closed);
  }
}

function turnAway(link: AppLink): never {
  link.receive({ received: () => undefined, closed: () => undefined });
  try {
    link.send(alert.encode({ code: 'busy' }));
  } catch {
    // It has gone already.
  }
  link.close();
  throw new ProtocolError('ERR_REJECTED_BUSY', 'too many apps are connected', { step: 'F3.4' });
}
