import { connect as connectLocal } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type SecureContext } from 'node:tls';
import type { RootDatabase } from 'lmdb';
import type { Client } from 'undici';
import type { Replay } from '../recording-crypto.ts';
import type { BareConnection } from './connection.ts';
import { exchangeFrames, type FrameAnswers, type FrameExchange } from './frames.ts';
import { post } from './post.ts';

/** What one real activation of an app did, as noted by wrappers around its ports. */
export interface AppActivationProfile {
  /** Between app and UEM Client, over a local socket. */
  readonly local: readonly FrameExchange[];
  /** Of the UEM Client with UEM, over its connection with mTLS, which is there already. */
  readonly request: FrameExchange;
  /** Of the app with the NOC, over a new connection. */
  readonly noc: readonly FrameExchange[];
  /** Bytes of each value of each commit. */
  readonly commits: readonly (readonly number[])[];
  /** Crypto operations and draws of random bytes, of app and UEM Client. */
  readonly primitives: readonly Replay[];
}

/** What is there before an activation. */
export interface BarePlace {
  readonly server: BareConnection;
  readonly context: SecureContext;
  /** With mTLS, warm. */
  readonly client: Client;
  /** Of a local socket in this process, which answers frames. */
  readonly path: string;
  readonly database: RootDatabase<Uint8Array, string>;
}

/** The same connects, frames, waits for the servers, crypto and store writes as an activation of an app with an assisted key, and nothing else. */
export async function bareAppActivation(
  { server, context, client, path, database }: BarePlace,
  { local, request, noc, commits, primitives }: AppActivationProfile,
  app: number,
  answers: { readonly request: FrameAnswers; readonly noc: FrameAnswers },
): Promise<void> {
  for (const replay of primitives) await replay();
  for (const [number, sizes] of commits.entries()) {
    await database.transaction(() => {
      for (const [index, size] of sizes.entries()) database.putSync(`app/${app}/${number}/${index}`, Buffer.alloc(size));
    });
  }
  const socket = connectLocal(path);
  await opened(socket, 'connect');
  await exchangeFrames(socket, local, { workMs: [] });
  socket.destroy();
  const begunMs = performance.now();
  await post(client, '/uemkit/1/device', Buffer.alloc(request.bytes), request.answerBytes, answers.request.workMs[0]);
  answers.request.took?.(0, performance.now() - begunMs);
  const [host, port] = server.stream.split(':') as [string, string];
  const tls = connect({ host, port: Number(port), secureContext: context, minVersion: 'TLSv1.3', ALPNProtocols: ['bare'] });
  tls.setNoDelay(true);
  await opened(tls, 'secureConnect');
  await exchangeFrames(tls, noc, answers.noc);
  tls.destroy();
}

function opened(socket: Duplex, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => socket.once(event, resolve).once('error', reject));
}
