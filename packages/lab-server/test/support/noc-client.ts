import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { keySchedule, secret } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { rememberedScrypt } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import WebSocket from 'ws';

/** What comes back, one after the other; undefined: the connection ended. */
export interface NocAnswers {
  next(): Promise<wire.Frame | undefined>;
  send(bytes: Uint8Array): void;
  close(): void;
  readonly closed: Promise<unknown>;
}

const trailerOf = (frame: Uint8Array): number => (wire.peekFrameName(frame) === 'handshakeReply' ? 32 : 0);
const parsed = (frame: Uint8Array): wire.Frame => wire.parseFrame(frame, { trailerBytes: trailerOf(frame) });

/** 0x30 of an app into which a person types this access key. */
export async function typedVerification(accessKey: string, userId: string): Promise<Uint8Array> {
  const crypto = rememberedScrypt(nodeCrypto());
  const { password, salt, cost, lengthBytes } = keySchedule.typedAccessKeyStretch(crypto, keySchedule.normalizeAccessKey(accessKey), userId);
  const stretched = secret<'access-key'>(await crypto.scrypt(password, salt, cost, lengthBytes));
  const accessKeyHash = keySchedule.nocHash(crypto, stretched);
  return wire.nocVerify.encode({ userId, accessKeyHash, appId: 'com.example.app', instanceId: new Uint8Array(16) });
}

/** An app that speaks frames on the raw TLS stream. */
export async function rawApp(
  port: number,
  ca: string,
  { alpn = ['uemkit-noc/1'], host = '127.0.0.1' }: { readonly alpn?: string[]; readonly host?: string | undefined } = {},
): Promise<NocAnswers & { readonly socket: TLSSocket }> {
  const socket = connect({ port, host, ca, ALPNProtocols: alpn });
  await once(socket, 'secureConnect');
  const parser = wire.frameParser({ maxBodyBytes: wire.LIMITS.bodyBytes, trailerBytes: (name) => (name === 'handshakeReply' ? 32 : 0) });
  const { push, ...answers } = queue(new Promise((resolve) => socket.once('close', resolve)));
  socket.on('data', (chunk: Buffer) => {
    for (const frame of parser.push(chunk)) push(frame);
  });
  socket.on('error', () => {});
  return { ...answers, send: (bytes) => void socket.write(bytes), close: () => socket.destroy(), socket };
}

/** An app that lives in a page. */
export async function pageApp(
  address: string,
  ca: string,
  more: { readonly path?: string; readonly protocols?: string[]; readonly origin?: string } = {},
): Promise<NocAnswers> {
  const { path = '/uemkit/1/noc', protocols = ['uemkit.noc.1'], origin } = more;
  const socket = new WebSocket(`wss://${address}${path}`, protocols, { ca, ...(origin === undefined ? {} : { origin }) });
  const { push, ...answers } = queue(new Promise((resolve) => socket.once('close', resolve)));
  socket.on('message', (data: Buffer) => push(new Uint8Array(data)));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.on('error', () => {});
  return { ...answers, send: (bytes) => socket.send(bytes), close: () => socket.terminate() };
}

function queue(closed: Promise<unknown>): Pick<NocAnswers, 'next' | 'closed'> & { push(frame: Uint8Array): void } {
  const frames: Uint8Array[] = [];
  let wake: () => void = () => {};
  let isClosed = false;
  void closed.then(() => {
    isClosed = true;
    wake();
  });
  return {
    closed,
    push(frame) {
      frames.push(frame);
      wake();
    },
    async next() {
      while (frames.length === 0 && !isClosed) await new Promise<void>((resolve) => (wake = resolve));
      const frame = frames.shift();
      return frame === undefined ? undefined : parsed(frame);
    },
  };
}
