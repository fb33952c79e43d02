import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { SERVICE_PATH } from './frame-binding.ts';

/** Path of a connection from an app to the Proxy, on the standing connection (docs/protocol/12). */
export const PROXY_PATH: string = `${SERVICE_PATH}proxy`;
/** Standing connections of one Proxy: an old one may not know yet that it is dead. */
const SESSIONS_PER_PROXY = 4;
/** From the request to the answer of the Proxy. */
const ANSWER_MS = 10_000;

/** Standing connections of Connectivity Nodes: each is HTTP/2 with the NOC as the client, so that the NOC can begin streams. */
export interface NodeSessions {
  add(proxyId: string, session: ClientHttp2Session): void;
  has(proxyId: string): boolean;
  /** A new stream to this Proxy, over its newest connection; undefined: it is not there, or takes no more. */
  open(proxyId: string): Promise<Duplex | undefined>;
  readonly size: number;
  close(): void;
}

export function createNodeSessions(): NodeSessions {
  // BOUNDED by the listener, and for each Proxy by SESSIONS_PER_PROXY. Newest last.
  const sessions = new Map<string, ClientHttp2Session[]>();

  const remove = (proxyId: string, session: ClientHttp2Session): void => {
    const left = (sessions.get(proxyId) ?? []).filter((other) => other !== session);
    if (left.length > 0) sessions.set(proxyId, left);
    else sessions.delete(proxyId);
  };

  return {
    add(proxyId, session) {
      const known = [...(sessions.get(proxyId) ?? []), session];
      sessions.set(proxyId, known);
      session.once('close', () => remove(proxyId, session));
      if (known.length > SESSIONS_PER_PROXY) known[0]?.destroy();
    },
    has: (proxyId) => sessions.has(proxyId),
    async open(proxyId) {
      const session = sessions.get(proxyId)?.at(-1);
      return session === undefined ? undefined : requested(session);
    },
    get size() {
      return [...sessions.values()].reduce((sum, list) => sum + list.length, 0);
    },
    close() {
      for (const list of [...sessions.values()]) for (const session of [...list]) session.destroy();
    },
  };
}

function requested(session: ClientHttp2Session): Promise<ClientHttp2Stream | undefined> {
  return new Promise((resolve) => {
    if (session.destroyed || session.closed) return resolve(undefined);
    const stream = session.request({ ':method': 'POST', ':path': PROXY_PATH }, { endStream: false });
    const late = setTimeout(() => stream.destroy(), ANSWER_MS);
    const end = (answer: ClientHttp2Stream | undefined): void => {
      clearTimeout(late);
      if (answer === undefined) stream.destroy();
      resolve(answer);
    };
    stream.on('error', () => end(undefined));
    stream.once('close', () => end(undefined));
    stream.once('response', (headers) => end(headers[':status'] === 200 ? stream : undefined));
  });
}
