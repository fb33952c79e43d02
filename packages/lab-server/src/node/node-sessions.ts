import type { ClientHttp2Session } from 'node:http2';
import type { Duplex } from 'node:stream';
import { type Entropy, toHex } from '@uemkit/protocol';
import { SERVICE_PATH } from './frame-binding.ts';

/** Path at which a Proxy is asked to dial for an app, on the standing connection (docs/protocol/12). */
export const PROXY_PATH: string = `${SERVICE_PATH}proxy`;
/** Header of that request: the ticket that comes back over the connection, in hex. */
export const TICKET_HEADER = 'uemkit-ticket';
/** Length of a ticket. */
export const TICKET_BYTES = 16;
/** Standing connections of one Proxy: an old one may not know yet that it is dead. */
const SESSIONS_PER_PROXY = 4;
/** From the request to the connection of the Proxy. */
const ANSWER_MS = 10_000;

/** Standing connections of Connectivity Nodes: each is HTTP/2 with the NOC as the client, so that the NOC can ask the node to dial once more, for an app. */
export interface NodeSessions {
  add(proxyId: string, session: ClientHttp2Session): void;
  has(proxyId: string): boolean;
  /** A new connection of this Proxy, asked for over its newest standing one; undefined: it is not there, or takes no more. */
  open(proxyId: string): Promise<Duplex | undefined>;
  /** A Proxy has dialled with this ticket. False: nobody waits for it. */
  dialled(proxyId: string, ticket: Uint8Array, connection: Duplex): boolean;
  readonly size: number;
  close(): void;
}

/** A request that a Proxy has not met yet. */
interface Asked {
  readonly proxyId: string;
  readonly session: ClientHttp2Session;
  take(connection: Duplex | undefined): void;
}

export function createNodeSessions(entropy: Entropy): NodeSessions {
  // BOUNDED by the listener, and for each Proxy by SESSIONS_PER_PROXY. Newest last.
  const sessions = new Map<string, ClientHttp2Session[]>();
  // By ticket, hex. BOUNDED by the links of apps, and each by ANSWER_MS.
  const asked = new Map<string, Asked>();

  const remove = (proxyId: string, session: ClientHttp2Session): void => {
    const left = (sessions.get(proxyId) ?? []).filter((other) => other !== session);
    if (left.length > 0) sessions.set(proxyId, left);
    else sessions.delete(proxyId);
  };

  const request = (proxyId: string, session: ClientHttp2Session): Promise<Duplex | undefined> =>
    new Promise((resolve) => {
      if (session.destroyed || session.closed) return resolve(undefined);
      const ticket = toHex(entropy.randomBytes(TICKET_BYTES));
      const stream = session.request({ ':method': 'POST', ':path': PROXY_PATH, [TICKET_HEADER]: ticket }, { endStream: true });
      const end = (connection: Duplex | undefined): void => {
        clearTimeout(late);
        asked.delete(ticket);
        resolve(connection);
      };
      const lost = (): void => end(undefined);
      const late = setTimeout(() => {
        stream.destroy();
        end(undefined);
      }, ANSWER_MS);
      asked.set(ticket, { proxyId, session, take: end });
      stream.on('error', lost);
      stream.once('response', (headers) => {
        if (headers[':status'] !== 200) end(undefined);
      });
      stream.resume();
    });

  return {
    add(proxyId, session) {
      const known = [...(sessions.get(proxyId) ?? []), session];
      sessions.set(proxyId, known);
      session.once('close', () => {
        remove(proxyId, session);
        // Here and not in a listener of each question: of those there may be many at once.
        for (const waiting of [...asked.values()]) if (waiting.session === session) waiting.take(undefined);
      });
      if (known.length > SESSIONS_PER_PROXY) known[0]?.destroy();
    },
    has: (proxyId) => sessions.has(proxyId),
    async open(proxyId) {
      const session = sessions.get(proxyId)?.at(-1);
      return session === undefined ? undefined : request(proxyId, session);
    },
    dialled(proxyId, ticket, connection) {
      const waiting = asked.get(toHex(ticket));
      // check: F10.3 the ticket was given to this Proxy, and not used
      if (waiting?.proxyId !== proxyId) return false;
      waiting.take(connection);
      return true;
    },
    get size() {
      return [...sessions.values()].reduce((sum, list) => sum + list.length, 0);
    },
    close() {
      for (const list of [...sessions.values()]) for (const session of [...list]) session.destroy();
    },
  };
}
