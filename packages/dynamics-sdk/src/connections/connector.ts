import { type Clock, type Entropy, isProtocolError, ProtocolError } from '@uemkit/protocol';
import type { ProvisioningData, ProxyInstance, WireDocument } from '@uemkit/protocol/wire';
import { type ConnectivityProfile, connectivityOf, DEFAULT_CONNECTIVITY, type ProxyCluster } from './connectivity-profile.ts';
import { ProxyOrder } from './proxy-order.ts';
import { type RouteDecision, routeOf } from './routing.ts';
import type { ByteStream, ConnectionWay, ConnectionWays, ConnectTarget, WayOptions } from './way.ts';

/** Open streams of one app, those that are being opened included. */
export const MAX_STREAMS = 1_024;

/** Longest time until a target is connected, when the caller names none. */
const CONNECT_MS = 30_000;

/** What a connection goes by at this moment; asked for each one. */
export interface ConnectorRules {
  /** Why the app has no network. */
  closedBy(): ProtocolError | undefined;
  profile(): ConnectivityProfile;
  /** The Proxy list (0x40). */
  proxies(): readonly ProxyInstance[];
}

export interface ConnectorOptions {
  readonly ways?: ConnectionWays | undefined;
  readonly entropy: Entropy;
  readonly clock: Clock;
  readonly rules: ConnectorRules;
}

type Allowed = Exclude<RouteDecision, { readonly kind: 'denied' }>;

interface Open {
  readonly asked: ConnectTarget;
  readonly decision: Allowed;
  /** Ends it, be it open or being opened. */
  end(error: ProtocolError): void;
}

/** Opens connections by the profile that is in force, and ends them when they may no longer be (F10, F11). */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #order: ProxyOrder;
  readonly #open = new Set<Open>();
  #closed = false;

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.#order = new ProxyOrder(options.entropy);
  }

  /** Of what `open` would reject for at once, whatever the target. */
  closedBy(): ProtocolError | undefined {
    if (this.#closed) return new ProtocolError('ERR_USAGE_STATE', 'the runtime is closed');
    return this.#options.rules.closedBy();
  }

  /** @throws ProtocolError `ERR_APP_*`, `ERR_CONNECTION_*`, `ERR_REJECTED_BUSY`, `ERR_TRANSPORT_TIMEOUT`, `ERR_USAGE_STATE`; an abort rejects with `signal.reason` */
  async open(target: ConnectTarget, { signal, timeoutMs = CONNECT_MS, sealed = false }: WayOptions = {}): Promise<ByteStream> {
    signal?.throwIfAborted();
    const closed = this.closedBy();
    // check: the app may use the network
    if (closed !== undefined) throw closed;
    const decision = this.#decide(target);
    // check: what has no protection of its own goes only where the way has one
    if (sealed && decision.kind === 'direct')
      throw new ProtocolError('ERR_CONNECTION_UNSUPPORTED', 'this host is reached without a Proxy, where nothing but TLS of the app would protect the request');
    // check: number of streams
    if (this.#open.size >= MAX_STREAMS) throw new ProtocolError('ERR_REJECTED_BUSY', `an app has at most ${MAX_STREAMS} connections`);
    const ended = new AbortController();
    const opening: Open = { asked: target, decision, end: (error) => ended.abort(error) };
    this.#open.add(opening);
    try {
      const either = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
      const stream = await this.#openBy(decision, { signal: either, timeoutMs });
      return this.#opened(stream, opening, either);
    } finally {
      this.#open.delete(opening);
    }
  }

  /** State, policy or Proxy list may be others now: ends what would not be opened the same way again. */
  review(): void {
    const closed = this.closedBy();
    for (const open of this.#open) {
      const failure = closed ?? this.#noLonger(open);
      if (failure !== undefined) open.end(failure);
    }
  }

  close(): void {
    this.#closed = true;
    this.review();
  }

  #decide(target: ConnectTarget): Allowed {
    const decision = routeOf(this.#options.rules.profile(), target);
    // check: the profile allows this target
    if (decision.kind === 'denied') throw denied(decision.why, target);
    return decision;
  }

  #noLonger({ asked, decision }: Open): ProtocolError | undefined {
    try {
      const now = this.#decide(asked);
      const isSame = now.kind === decision.kind && now.target.host === decision.target.host && isSameCluster(clusterOf(now), clusterOf(decision));
      return isSame ? undefined : new ProtocolError('ERR_CONNECTION_LOST', 'the policy leads this host another way now');
    } catch (error) {
      if (isProtocolError(error)) return error;
      throw error;
    }
  }

  #opened(stream: ByteStream, { asked, decision }: Open, signal: AbortSignal): ByteStream {
    if (signal.aborted) {
      stream.closed.catch(() => {});
      stream.destroy(signal.reason);
      throw signal.reason;
    }
    const open: Open = { asked, decision, end: (error) => stream.destroy(error) };
    this.#open.add(open);
    const forget = (): void => void this.#open.delete(open);
    stream.closed.then(forget, forget);
    return stream;
  }

  async #openBy(decision: Allowed, options: WayOptions): Promise<ByteStream> {
    const { ways } = this.#options;
    if (ways === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'the runtime was opened without ways to connect');
    if (decision.kind === 'direct') return ways.direct.open(decision.target, options);
    return this.#openThrough(decision, ways, options);
  }

  /** One Proxy after the other while they are not there. What a Proxy or the NOC answers is an answer, and no reason to ask another one. */
  async #openThrough({ target, cluster }: Extract<Allowed, { readonly kind: 'proxy' }>, ways: ConnectionWays, options: WayOptions): Promise<ByteStream> {
    const { clock, rules } = this.#options;
    let failure = new ProtocolError('ERR_CONNECTION_PROXY', 'the cluster has no Proxy');
    const startMs = clock.monotonicMs();
    for (const proxy of this.#order.of(cluster, rules.proxies(), startMs)) {
      const leftMs = (options.timeoutMs as number) - (clock.monotonicMs() - startMs);
      if (leftMs <= 0) break;
      // Also when its callers are less patient than the session is: the next one would wait for it again.
      const absent = (): void => this.#order.holdBack(proxy, clock.monotonicMs());
      try {
        const stream = await wayThrough(ways, proxy, cluster).open(target, { ...options, timeoutMs: leftMs, absent });
        this.#order.isThere(proxy);
        return stream;
      } catch (error) {
        options.signal?.throwIfAborted();
        if (!isProtocolError(error) || (error.code !== 'ERR_CONNECTION_PROXY' && error.code !== 'ERR_CONNECTION_LOST')) throw error;
        failure = error;
        absent();
      }
    }
    throw failure;
  }
}

/** What an administrator has to look at, in words. */
const DENIED: Readonly<Record<Extract<RouteDecision, { readonly kind: 'denied' }>['why'], string>> = {
  rule: 'the connectivity profile denies this host',
  port: 'the connectivity profile names this host with other ports',
  internal: 'no rule of the connectivity profile names this host, and without one nothing internal is reached',
  'no such cluster': 'the connectivity profile names a cluster that it does not have',
  'no host': 'that is no name or address of a host',
};

function denied(why: keyof typeof DENIED, { host, port }: ConnectTarget): ProtocolError {
  const which = why === 'no host' ? 'the host' : `${host}:${port}`;
  return new ProtocolError('ERR_CONNECTION_DENIED', `${which} is not connected: ${DENIED[why]}`, { details: { why } });
}

function wayThrough(ways: ConnectionWays, proxy: ProxyInstance, cluster: ProxyCluster | undefined): ConnectionWay {
  if (cluster?.directConnect !== true) return ways.noc(proxy);
  // check: Direct Connect never falls back to the NOC
  if (ways.directConnect === undefined) throw new ProtocolError('ERR_CONNECTION_DENIED', 'the cluster is for Direct Connect, which this platform cannot');
  return ways.directConnect(proxy);
}

function clusterOf(decision: Allowed): ProxyCluster | undefined {
  return decision.kind === 'proxy' ? decision.cluster : undefined;
}

function isSameCluster(a: ProxyCluster | undefined, b: ProxyCluster | undefined): boolean {
  return a?.name === b?.name && a?.directConnect === b?.directConnect;
}

/** Where the rules of an app come from: its state, and what UEM has sent last (F3.11). */
export interface ConnectorSource {
  closedBy(): ProtocolError | undefined;
  data(): Pick<ProvisioningData, 'policy' | 'proxies'> | undefined;
}

export function connectorOf({ ways, entropy, clock }: Omit<ConnectorOptions, 'rules'>, source: ConnectorSource): Connector {
  let read: { readonly policy: WireDocument; readonly profile: ConnectivityProfile } | undefined;
  const profile = (): ConnectivityProfile => {
    const policy = source.data()?.policy;
    if (policy === undefined) return DEFAULT_CONNECTIVITY;
    if (read?.policy !== policy) read = { policy, profile: connectivityOf(policy) };
    return read.profile;
  };
  return new Connector({ ways, entropy, clock, rules: { closedBy: source.closedBy, profile, proxies: () => source.data()?.proxies ?? [] } });
}
