import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { memoryStore } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AppLink, softwareKeyStore, type UemClient } from '../../src/index.ts';
import { type AppListener, listenForApps, type PlatformIdentity } from '../../src/node/index.ts';
import { socketLink } from '../../src/node/socket-link.ts';
import { clientForApps } from '../support/app-quickstart.ts';
import { type AskingApp, appLink, askingApp, CHAT_ID, CLIENT_ID, MAIL_APP, MAIL_ID } from '../support/asking-app.ts';
import { MemoryUem } from '../support/memory-uem.ts';
import { TestOs } from '../support/test-device.ts';

const ports = { crypto: nodeCrypto(), clock: systemClock(), entropy: nodeEntropy() };
const path = (): string => join(folder, 'apps', 'uem.sock');

let folder: string;
let uem: MemoryUem;
let logged: string[];
const open: { close(): unknown }[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uem-apps-'));
  logged = [];
});

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
  await rm(folder, { recursive: true });
});

function knowsAs(platformId: string | undefined): PlatformIdentity {
  return { identify: async () => platformId };
}

async function started(identity: PlatformIdentity = knowsAs(MAIL_ID)): Promise<{ client: UemClient; listener: AppListener }> {
  uem = new MemoryUem(ports);
  const store = memoryStore();
  const options = { ...ports, store, keyStore: softwareKeyStore({ ...ports, store }), transport: uem.transport(), operatingSystem: new TestOs(store) };
  const device = await clientForApps({
    ports: options,
    path: path(),
    identity,
    thisClient: CLIENT_ID,
    mail: MAIL_ID,
    activate: (client) => client.activate({ kind: 'qr', content: uem.qrCode('alice@example.com') }),
    log: (...words) => logged.push(words.join(' ')),
  });
  open.push(device.client, device.listener);
  return device;
}

async function connected(): Promise<Socket> {
  const socket = connect(path());
  open.push({ close: () => socket.destroy() });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function app(more: { readonly platformId?: string } = {}): Promise<AskingApp> {
  return askingApp({ ...ports, link: appLink(await connected()), ...more });
}

describe('apps on a Unix socket', () => {
  it('get keys, one after the other and at a time', async () => {
    await started();
    expect(await (await app()).outcome).toBe('done');
    expect(logged).toEqual([`F3.3 admitted ${MAIL_APP}`, `F3.4 requested ${MAIL_APP}`, `F3.5 answered ${MAIL_APP}`, `F3.6 handedOver ${MAIL_APP}`]);
    const both = await Promise.all([app(), app()]);
    expect(await Promise.all(both.map(({ outcome }) => outcome))).toEqual(['done', 'done']);
    expect(uem.keyRequests.map(({ platformId }) => platformId)).toEqual([MAIL_ID, MAIL_ID, MAIL_ID]);
  });

  it('are who the operating system says, and nobody else', async () => {
    await started(knowsAs(CHAT_ID));
    expect(await (await app()).outcome).toBe('ERR_PEER_ALERT');
    expect(uem.keyRequests).toEqual([]);
  });

  it.each<[string, PlatformIdentity]>([
    ['does not know them', knowsAs(undefined)],
    ['fails', { identify: () => Promise.reject(new Error('no')) }],
  ])('are not served when the operating system %s', async (_what, identity) => {
    let served = 0;
    const client = {
      acceptApp: (link: AppLink) => {
        served++;
        link.close();
        return Promise.reject(new Error('nobody'));
      },
    };
    open.push(await listenForApps({ client, path: path(), identity }));
    await once((await connected()).resume(), 'close');
    expect(served).toBe(0);
  });

  it('that send rubbish, or half a frame, are let go', async () => {
    await started();
    const rubbish = await connected();
    rubbish.write('GET / HTTP/1.1\r\n\r\n');
    await once(rubbish.resume(), 'close');
    const half = await connected();
    half.end(wire.alert.encode({ code: 'busy' }).subarray(0, 9));
    await once(half.resume(), 'close');
    await expect.poll(() => logged).toEqual([`F3.3 ERR_WIRE_VERSION ${MAIL_ID}`, `F3.3 ERR_WIRE_TRUNCATED ${MAIL_ID}`]);
    expect(await (await app()).outcome).toBe('done');
  });

  it('are let go when they are served, and when they do not read what is left', async () => {
    await started();
    const socket = await connected();
    const closed = once(socket, 'close');
    expect(await askingApp({ ...ports, link: appLink(socket) }).outcome).toBe('done');
    await closed;
    const calls: string[] = [];
    let late: () => void = () => undefined;
    const stuck = {
      setTimeout: (ms: number, callback: () => void) => {
        calls.push(`${ms} ms`);
        late = callback;
      },
      destroySoon: () => calls.push('soon'),
      destroy: () => calls.push('now'),
    };
    socketLink(stuck as unknown as Socket).close();
    expect(calls).toEqual(['5000 ms', 'soon']);
    late();
    expect(calls).toEqual(['5000 ms', 'soon', 'now']);
  });

  it('are cut off when the listener closes, and the socket goes', async () => {
    const { listener } = await started({ identify: () => new Promise(() => undefined) });
    const socket = await connected();
    const closed = once(socket.resume(), 'close');
    await listener.close();
    await closed;
    expect(await readdir(join(folder, 'apps'))).toEqual([]);
  });

  it('are bounded before they are known', async () => {
    const { client, listener } = await started();
    await listener.close();
    const gone: boolean[] = [];
    const identity: PlatformIdentity = { identify: (_socket, signal) => new Promise(() => signal.addEventListener('abort', () => gone.push(true))) };
    open.push(await listenForApps({ client, path: path(), identity, maxConnections: 2 }));
    const first = await connected();
    await connected();
    await once((await connected()).resume(), 'close');
    expect([first.destroyed, gone]).toEqual([false, []]);
    first.destroy();
    await expect.poll(() => gone).toEqual([true]);
  });
});

describe('the socket', () => {
  const client = { acceptApp: () => Promise.reject(new Error('nobody')) } as Pick<UemClient, 'acceptApp'>;
  const listen = async (): Promise<AppListener> => {
    const listener = await listenForApps({ client, path: path(), identity: knowsAs(MAIL_ID) });
    open.push(listener);
    return listener;
  };

  it('stands in a folder that only its user may enter', async () => {
    await listen();
    expect((await stat(join(folder, 'apps'))).mode & 0o777).toBe(0o700);
  });

  it('is not made in a folder that others may enter', async () => {
    await mkdir(join(folder, 'apps'));
    await chmod(join(folder, 'apps'), 0o750);
    await expect(listen()).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    expect(await readdir(join(folder, 'apps'))).toEqual([]);
  });

  it('of a dead process is replaced', async () => {
    await mkdir(join(folder, 'apps'), { mode: 0o700 });
    const server = createServer().listen(join(folder, 'apps', 'other'));
    await once(server, 'listening');
    // Its file is elsewhere when it closes, so it stays, as after kill -9.
    await rename(join(folder, 'apps', 'other'), path());
    server.close();
    await once(server, 'close');
    expect(await readdir(join(folder, 'apps'))).toEqual(['uem.sock']);
    await listen();
    await connected();
    expect(await readdir(join(folder, 'apps'))).toEqual(['uem.sock']);
  });

  it('of a living process is refused, and goes on', async () => {
    await listen();
    await expect(listen()).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    await connected();
    expect(await readdir(join(folder, 'apps'))).toEqual(['uem.sock']);
  });

  it('does not replace a file', async () => {
    await mkdir(join(folder, 'apps'), { mode: 0o700 });
    await writeFile(path(), 'mine');
    await expect(listen()).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    expect(await readdir(join(folder, 'apps'))).toEqual(['uem.sock']);
  });

  it('has a path that the system does not cut', async () => {
    const long = join(folder, 'apps', 'x'.repeat(104 - join(folder, 'apps').length - 1));
    await expect(listenForApps({ client, path: long, identity: knowsAs(MAIL_ID) })).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    open.push(await listenForApps({ client, path: long.slice(0, -1), identity: knowsAs(MAIL_ID) }));
  });

  it('is told when the system does not let it listen', async () => {
    const pipe = '\\\\.\\pipe\\no/such';
    await expect(listenForApps({ client, path: pipe, identity: knowsAs(MAIL_ID) })).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CONNECT' });
  });
});
