import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { RootDatabase } from 'lmdb';
import { Client } from 'undici';
import WebSocket from 'ws';
import type { Replay } from '../recording-crypto.ts';
import type { PemIdentity } from './certificates.ts';
import type { BareConnection } from './connection.ts';
import { post } from './post.ts';

/** What one real activation did, as noted by wrappers around its ports. */
export interface ActivationProfile {
  /** In order; `mutual` ones go over one connection with the device's certificate, each other address has a connection of its own. */
  readonly requests: readonly { readonly mutual: boolean; readonly connection: string; readonly bytes: number; readonly answerBytes: number }[];
  /** Bytes of each value of each commit. */
  readonly commits: readonly (readonly number[])[];
  /** Crypto operations. */
  readonly primitives: readonly Replay[];
  readonly registerBytes: number;
}

/** How long the server works before each answer, and who is told how long each exchange took, its connect included. */
export interface Answers {
  readonly workMs: readonly number[];
  took?(request: number, durationMs: number): void;
}

/** The same connects, requests, waits for the server, WebSocket, crypto and store writes as an activation, and nothing else. Returns the open push connection. */
export async function bareActivation(
  server: BareConnection,
  shared: SecureContext,
  profile: ActivationProfile,
  identity: PemIdentity,
  database: RootDatabase<Uint8Array, string>,
  device: number,
  answers: Answers,
): Promise<WebSocket> {
  for (const replay of profile.primitives) await replay();
  for (const [number, sizes] of profile.commits.entries()) {
    await database.transaction(() => {
      for (const [index, size] of sizes.entries()) database.putSync(`device/${device}/${number}/${index}`, Buffer.alloc(size));
    });
  }
  const clients = new Map<string, Client>();
  for (const [number, { mutual, connection, bytes, answerBytes }] of profile.requests.entries()) {
    const begunMs = performance.now();
    let client = clients.get(connection);
    if (client === undefined) {
      const context = mutual ? createSecureContext({ ca: server.ca, key: identity.key, cert: identity.cert, minVersion: 'TLSv1.3' }) : shared;
      client = bareClient(mutual ? server.mutual : server.https, context);
      clients.set(connection, client);
    }
    await post(client, '/uemkit/1/device', Buffer.alloc(bytes), answerBytes, answers.workMs[number]);
    answers.took?.(number, performance.now() - begunMs);
  }
  const push = await barePush(server.push, shared, profile.registerBytes);
  await Promise.all([...clients.values()].map((client) => client.close()));
  return push;
}

/** An undici client over one TLS 1.3 connection with `context`. */
export function bareClient(address: string, context: SecureContext): Client {
  const [host, port] = address.split(':') as [string, string];
  return new Client(`https://${address}`, {
    pipelining: 1,
    connect: (_options, callback) => {
      const socket: TLSSocket = connect({ host, port: Number(port), secureContext: context, minVersion: 'TLSv1.3', ALPNProtocols: ['http/1.1'] });
      socket.setNoDelay(true);
      socket.once('secureConnect', () => callback(null, socket));
      socket.once('error', (error) => callback(error, null));
    },
  });
}

/** A `ws` client that has sent one message and got one back. */
export async function barePush(address: string, context: SecureContext, registerBytes: number): Promise<WebSocket> {
  const [host, port] = address.split(':') as [string, string];
  const socket = new WebSocket(`wss://${address}/`, {
    perMessageDeflate: false,
    createConnection: () => connect({ host, port: Number(port), secureContext: context, minVersion: 'TLSv1.3' }),
  } as WebSocket.ClientOptions);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('open', () => socket.send(Buffer.alloc(registerBytes)));
    socket.once('message', () => resolve());
  });
  return socket;
}
