import type { ClientHttp2Session } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Clock, CryptoProvider, Entropy, keySchedule, PeerIdentity } from '@uemkit/protocol';
import { concatBytes, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { LinkGuard } from '../roles/link-guard.ts';
import { type LinkTarget, linkSession } from '../roles/noc/link-session.ts';
import { type LinkRecord, liveLink } from '../roles/noc/noc-links.ts';
import { isProxyOf, mayConnect } from '../roles/noc/noc-tenants.ts';
import type { Journal } from '../roles/role.ts';
import type { LabStore } from '../store/lab-store.ts';
import { connectTarget } from './connect-target.ts';
import { createPushSessions } from './noc-push-sessions.ts';
import { createNodeSessions, TICKET_BYTES } from './node-sessions.ts';
import { splice } from './splice.ts';

/** Bounds of the links at one NOC. */
export interface LinkLimits {
  /** From the connection of an app to its `Connect`. */
  readonly handshakeMs: number;
  /** Links of one source at once. */
  readonly perSource: number;
}

export const LINK_LIMITS: LinkLimits = {
  /** From the connection of an app to its `Connect`. */
  handshakeMs: 30_000,
  /** Links of one source at once. */
  perSource: 4_096,
};

/** What passes through the NOC from apps to Proxies and servers (F10.2, F10.3). */
export interface NocDataPath {
  /** A connection of an app; it is this one's from here on. */
  openLink(stream: Duplex, binding: keySchedule.ChannelBinding, source: string): void;
  /** The standing connection of a Connectivity Node. False: it may not be one. */
  addNode(session: ClientHttp2Session, peer: PeerIdentity): boolean;
  /** A connection that a Connectivity Node has dialled for an app; it is this one's from here on. */
  addDialled(connection: Duplex, peer: PeerIdentity): void;
  /** Apps that are connected. */
  readonly links: number;
  /** True when this Proxy has a standing connection here. */
  hasProxy(proxyId: string): boolean;
  /** Something waits for the push channels of the app of this link (hex). */
  pushWaits(linkId: string): void;
  /** True while that app is connected for its push channels. */
  isPushConnected(linkId: string): boolean;
  /** Breaks what is open over this link (hex), handshakes that have shown its id included. */
  endLink(linkId: string): void;
  /** Breaks everything. */
  breakConnections(): void;
}

export interface NocDataPathOptions {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly journal: Journal;
  readonly guard: LinkGuard;
  readonly store: LabStore;
  /** UEM itself, which apps reach as if it were a Proxy (F3.4): its id, and a connection to it; undefined when it is not there. */
  readonly core?: { readonly id: string; open(): Promise<Duplex | undefined> } | undefined;
  /** True: apps that live in a page may have a link without channel binding. */
  readonly allowUnbound?: boolean | undefined;
  readonly limits?: Partial<LinkLimits> | undefined;
}

export function createNocDataPath(options: NocDataPathOptions): NocDataPath {
  const { clock, crypto, entropy, journal, guard, store, core, allowUnbound = false } = options;
  const limits = { ...LINK_LIMITS, ...options.limits };
  const nodes = createNodeSessions(entropy);
  const pushes = createPushSessions({ clock, store });
  // BOUNDED by the listener, and for each source by limits.perSource.
  const open = new Set<Duplex>();
  const perSource = new Map<string, number>();
  // By link, hex. BOUNDED by open.
  const byLink = new Map<string, Set<Duplex>>();

  /** Who, where to and how many bytes: that is all there is to say. */
  const note = (request: string, answer: string, source: string, more: { readonly reason?: string; readonly step?: string } = {}): void =>
    journal.record({ timeMs: clock.nowMs(), role: 'noc', service: 'links', request, answer, source, ...more });

  /** The link that a connection wants to be of. From here on the connection ends with it. */
  const linkOf = (linkId: Uint8Array, stream: Duplex): LinkRecord | undefined => {
    const link = store.read((view) => liveLink(view, toHex(linkId), clock.nowMs()));
    // check: F10.2 only an activated link
    if (link === undefined || link.status === 'provisional') return undefined;
    const streams = byLink.get(link.linkId) ?? new Set();
    byLink.set(link.linkId, streams.add(stream));
    stream.once('close', () => {
      streams.delete(stream);
      if (streams.size === 0) byLink.delete(link.linkId);
    });
    return link;
  };

  const admit = (stream: Duplex, source: string): boolean => {
    const before = perSource.get(source) ?? 0;
    if (before >= limits.perSource) return false;
    open.add(stream);
    perSource.set(source, before + 1);
    stream.once('close', () => {
      open.delete(stream);
      const left = (perSource.get(source) ?? 1) - 1;
      if (left > 0) perSource.set(source, left);
      else perSource.delete(source);
    });
    return true;
  };

  /** Looked up again: between the handshake and `Connect` it may have changed. */
  const isWhole = (linkId: string): boolean => store.read((view) => liveLink(view, linkId, clock.nowMs())?.status === 'active');

  /** The other end of a link, or why there is none. */
  const farEnd = async (
    target: Exclude<LinkTarget, { readonly to: 'push' }>,
    { tenantId, linkId }: LinkRecord,
    signal: AbortSignal,
  ): Promise<Duplex | wire.ConnectRefusal> => {
    if (target.to === 'proxy') {
      if (target.proxyId === core?.id) return (await core.open()) ?? 'absent';
      // check: F10.3 the link leads to more than UEM
      if (!isWhole(linkId)) return 'denied';
      // check: F10.3 the Proxy is one of the tenant of the link
      if (!store.read((view) => isProxyOf(view, tenantId, target.proxyId))) return 'absent';
      return (await nodes.open(target.proxyId)) ?? 'absent';
    }
    // check: F10.3 the tenant allows the server
    if (!isWhole(linkId) || !store.read((view) => mayConnect(view, tenantId, target))) return 'denied';
    const socket = await connectTarget(target, signal);
    return typeof socket === 'string' ? 'unreachable' : socket;
  };

  const connectOn = async (stream: Duplex, source: string, target: LinkTarget, link: LinkRecord, rest: Uint8Array): Promise<void> => {
    stream.pause();
    if (target.to === 'push') {
      // check: push channels of a link that leads to more than UEM
      const answer = isWhole(link.linkId) ? await pushes.open(stream, link, target.channelIds, rest) : 'denied';
      note('connectPush', answer, source, { step: 'F10.3' });
      if (answer === 'connected') return void stream.once('close', () => note('connectPush', 'closed', source, { step: 'F10.4' }));
      if (!stream.destroyed) stream.end(wire.connectRefused.encode({ reason: answer }));
      return endLater(stream);
    }
    const ended = new AbortController();
    const gone = (): void => ended.abort();
    stream.once('close', gone);
    const name = target.to === 'proxy' ? 'connectProxy' : 'connectHost';
    const far = await farEnd(target, link, ended.signal);
    stream.off('close', gone);
    if (typeof far === 'string') {
      note(name, `connectRefused ${far}`, source, { step: 'F10.3' });
      if (!stream.destroyed) stream.end(wire.connectRefused.encode({ reason: far }));
      endLater(stream);
      return;
    }
    if (stream.destroyed) return void far.destroy();
    note(name, 'connected', source, { step: 'F10.3' });
    stream.write(wire.connected.encode({ to: target.to }));
    if (rest.length > 0) far.write(rest);
    splice(stream, far, () => note(name, 'closed', source, { step: 'F10.4' }));
  };

  return {
    openLink(stream, binding, source) {
      stream.on('error', () => stream.destroy());
      const refuse = (reason: string): void => {
        note('connection', 'closed', source, { reason, step: 'F10.2' });
        stream.destroy();
      };
      // check: F10.2 a link without channel binding only where policy allows it
      if (binding.kind === 'none' && !allowUnbound) return refuse('links without channel binding are not allowed here');
      if (!admit(stream, source)) return refuse('too many links of this source');
      const session = linkSession({ crypto, entropy, binding, linkOf: (linkId) => linkOf(linkId, stream) });
      const cancel = clock.setTimer(limits.handshakeMs, () => refuse('no Connect in time'));
      stream.once('close', () => {
        cancel();
        session.closed(clock.nowMs());
      });
      const data = (chunk: Uint8Array): void => {
        for (const effect of session.received(chunk, clock.nowMs())) {
          if (effect.type === 'send') {
            stream.write(effect.frame);
            continue;
          }
          cancel();
          stream.off('data', data);
          if (effect.type === 'connect') void connectOn(stream, source, effect.target, effect.link, effect.rest);
          else {
            note('handshakeStart', 'closed', source, { reason: `${effect.error.code} ${effect.error.message}`, step: 'F10.2' });
            stream.end();
            endLater(stream.resume());
          }
        }
      };
      stream.on('data', data);
    },
    addNode(session, peer) {
      const proxy = guard.proxyOf(peer);
      if ('refused' in proxy) {
        note('connection', 'closed', peer.source, { reason: proxy.refused, step: 'F10.3' });
        return false;
      }
      note('connection', 'open', proxy.proxyId, { step: 'F10.3' });
      session.once('close', () => note('connection', 'closed', proxy.proxyId, { step: 'F10.3' }));
      nodes.add(proxy.proxyId, session);
      return true;
    },
    addDialled(connection, peer) {
      const refuse = (reason: string): void => {
        note('dialled', 'closed', peer.source, { reason, step: 'F10.3' });
        connection.destroy();
      };
      const proxy = guard.proxyOf(peer);
      if ('refused' in proxy) return refuse(proxy.refused);
      const late = clock.setTimer(limits.handshakeMs, () => refuse('no ticket in time'));
      connection.once('close', late);
      let head: Uint8Array = new Uint8Array(0);
      const data = (chunk: Uint8Array): void => {
        head = concatBytes(head, chunk);
        if (head.length < TICKET_BYTES) return;
        late();
        connection.off('data', data).pause();
        if (head.length > TICKET_BYTES) connection.unshift(head.subarray(TICKET_BYTES));
        if (!nodes.dialled(proxy.proxyId, head.subarray(0, TICKET_BYTES), connection)) refuse('nobody waits for this ticket');
      };
      connection.on('data', data);
    },
    get links() {
      return open.size;
    },
    hasProxy: (proxyId) => nodes.has(proxyId),
    pushWaits: (linkId) => pushes.waits(linkId),
    isPushConnected: (linkId) => pushes.isConnected(linkId),
    endLink(linkId) {
      for (const stream of [...(byLink.get(linkId) ?? [])]) stream.destroy();
    },
    breakConnections() {
      for (const stream of [...open]) stream.destroy();
      nodes.close();
    },
  };
}

/** A peer that does not end its half is cut off after this time. */
const CLOSE_MS = 5_000;

function endLater(stream: Duplex): void {
  const late = setTimeout(() => stream.destroy(), CLOSE_MS);
  stream.once('close', () => clearTimeout(late));
}
