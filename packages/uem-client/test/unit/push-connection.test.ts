import * as wire from '@uemkit/protocol/wire';
import { afterEach, beforeAll, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { PushRequest } from '../../src/index.ts';
import { nodeTransport, TlsContexts } from '../../src/node/index.ts';
import { type FrameServer, type FrameServerOptions, frameServer } from '../support/frame-server.ts';
import { type TestCa, type TestIdentity, testCa } from '../support/test-ca.ts';

const WAKE_UP = wire.wakeUp.encode({ wakeUpId: new Uint8Array(16).fill(1), sentAtEpochMs: 5 });

let ca: TestCa;
let server: TestIdentity;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  ca = await testCa('lab');
  server = await ca.issue({ for: 'server' });
});

afterEach(async () => {
  for (const part of opened.splice(0).reverse()) await part.close();
});

async function started(options: Partial<FrameServerOptions>): Promise<FrameServer> {
  const running = await frameServer({ identity: server, ...options });
  opened.push(running);
  return running;
}

function transport(contexts?: TlsContexts): ReturnType<typeof nodeTransport> {
  const made = nodeTransport({ keyStore: { tlsKey: async () => '' }, contexts });
  opened.push(made);
  return made;
}

/** A push request that collects what it is told. */
function listening(address: string): PushRequest & { readonly frames: Uint8Array[]; readonly closed: Promise<unknown> } {
  const frames: Uint8Array[] = [];
  let close: ((error: unknown) => void) | undefined;
  const closed = new Promise<unknown>((resolve) => {
    close = resolve;
  });
  return { address, trust: { roots: [ca.root], spkiPins: [] }, frames, closed, onFrame: (frame) => frames.push(frame), onClose: (error) => close?.(error) };
}

it('carries whole frames both ways', async () => {
  const received: Uint8Array[] = [];
  const running = await started({
    push: (socket) => {
      socket.on('message', (data) => {
        received.push(new Uint8Array(data as Buffer));
        socket.send(WAKE_UP);
      });
    },
  });
  const request = listening(running.address);
  const connection = await transport().openPush(request);
  const register = wire.pushRegister.encode({ service: 'fcm' });
  connection.send(register);
  await expect.poll(() => request.frames).toEqual([WAKE_UP]);
  expect(received).toEqual([register]);
});

it('says when the service closes cleanly, and when the connection breaks', async () => {
  const sockets: WebSocket[] = [];
  const running = await started({ push: (socket) => sockets.push(socket) });
  const clean = listening(running.address);
  await transport().openPush(clean);
  await expect.poll(() => sockets.length).toBe(1);
  sockets[0]?.close(1001);
  expect(await clean.closed).toBeUndefined();

  const broken = listening(running.address);
  await transport().openPush(broken);
  running.dropConnections();
  expect(await broken.closed).toMatchObject({ code: 'ERR_TRANSPORT_CLOSED' });
});

it('refuses a text message and a message over the frame limit', async () => {
  const messages: (string | Uint8Array)[] = ['text', new Uint8Array(65_545)];
  const running = await started({ push: (socket) => socket.send(messages.shift() ?? '') });
  for (let message = 0; message < 2; message++) {
    const request = listening(running.address);
    await transport().openPush(request);
    expect(await request.closed).toMatchObject({ kind: 'transport' });
    expect(request.frames).toEqual([]);
  }
});

it('rejects when the service does not take the connection', async () => {
  const running = await started({ answer: () => ({ status: 404 }) });
  // The path is known, so make the request of another server that answers without upgrading.
  const plain = await started({});
  await plain.close();
  await expect(transport().openPush(listening(plain.address))).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CONNECT' });
  const foreign = await testCa('foreign');
  const request = { ...listening(running.address), trust: { roots: [foreign.root], spkiPins: [] } };
  await expect(transport().openPush(request)).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
});

it('rejects with the status when the service refuses the upgrade', async () => {
  const running = await started({ refusePush: 503 });
  await expect(transport().openPush(listening(running.address))).rejects.toMatchObject({ code: 'ERR_TRANSPORT_HTTP', details: { status: 503 } });
});

it('gives up at an abort while it opens', async () => {
  const running = await started({ push: () => undefined });
  const reason = new Error('enough');
  await expect(transport().openPush({ ...listening(running.address), signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const abort = new AbortController();
  const opening = transport().openPush({ ...listening(running.address), signal: abort.signal });
  abort.abort(reason);
  await expect(opening).rejects.toBe(reason);
  await expect.poll(() => running.open).toBe(0);
});

it('ends with close, and with the transport', async () => {
  const running = await started({ push: () => undefined });
  const first = listening(running.address);
  (await transport().openPush(first)).close();
  expect(await first.closed).toBeUndefined();
  const second = listening(running.address);
  const made = transport();
  await made.openPush(second);
  await made.close();
  expect(await second.closed).toMatchObject({ code: 'ERR_TRANSPORT_CLOSED' });
  await expect.poll(() => running.open).toBe(0);
});

it('hears pings and asks for a sign of life', async () => {
  const sockets: WebSocket[] = [];
  const running = await started({ push: (socket) => sockets.push(socket) });
  const connection = await transport().openPush(listening(running.address));
  await expect.poll(() => sockets.length).toBe(1);
  expect(connection.heard?.()).toBe(false);
  sockets[0]?.ping();
  await expect.poll(() => connection.heard?.()).toBe(true);
  expect(connection.heard?.()).toBe(false);
  connection.ping?.();
  await expect.poll(() => connection.heard?.()).toBe(true);
});

it('shares one TLS context between devices with the same roots', async () => {
  const running = await started({ push: () => undefined });
  const contexts = new TlsContexts();
  for (let device = 0; device < 5; device++) await transport(contexts).openPush(listening(running.address));
  expect({ made: contexts.made, connections: running.connections }).toEqual({ made: 1, connections: 5 });
});
