import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, rememberedScrypt } from '@uemkit/protocol/testing';
import type { AuthorizeResult, NocTransport } from '../../src/index.ts';
import { type NodeDynamicsRuntime, openDynamicsRuntime, tlsNocTransport } from '../../src/node/index.ts';
import { CHEAP, type MemoryDeviceKey, memoryDeviceKey, PASSWORD } from '../support/device.ts';
import { memoryStorage } from '../support/memory-storage.ts';
import { WrongNoc } from './wrong-noc.ts';

export const USER = 'ada@example.com';
export const APP_ID = 'com.example.mail';
/** In the configuration of the app, which the NOC must not see. */
export const SECRET_HOST = 'mail-behind-the-firewall.example.com';

/** A lab with listeners and a Proxy, in virtual time, whose NOC does what it is told to. */
export interface World {
  readonly lab: LabServer;
  readonly noc: WrongNoc;
  readonly clock: FakeClock;
  readonly userGuid: string;
  /** Server behind the Proxy. */
  readonly server: FarServer;
  newKey(): Promise<IssuedKey>;
  /** Another policy of the user's apps: as many passwords of the past are refused. */
  policy(passwordHistory: number): Promise<void>;
  app(name: string): Promise<InstalledApp>;
  /** Lets virtual time pass until `work` has ended, once the NOC has done what it was told to do so many times. */
  passing<T>(work: Promise<T>, touched?: number): Promise<T>;
  /** The NOC breaks all connections of apps, and the apps have noticed. */
  breakAll(): Promise<void>;
  close(): Promise<void>;
}

export interface IssuedKey {
  readonly keyId: string;
  readonly accessKey: string;
}

export interface InstalledApp {
  readonly runtime: NodeDynamicsRuntime;
  readonly deviceKey: MemoryDeviceKey;
  authorize(accessKey?: string): Promise<AuthorizeResult>;
  /** The app ends and is started again. */
  restart(): Promise<InstalledApp>;
}

/** What a server behind the Proxy has seen of its last connection. */
export interface FarServer {
  readonly port: number;
  /** Everything that came, by connection. */
  readonly heard: { bytes: Buffer; end: 'open' | 'ended' | 'broken' }[];
  close(): Promise<void>;
}

/** Name of the server, which the NOC must not see either. */
export const FAR_HOST = 'localhost';
/** What app and server say to each other; neither must be seen by the NOC. */
export const UP = Buffer.from('question of the app, which is nobody else’s business');
export const DOWN = Buffer.from('answer of the server, which is nobody else’s business');

async function farServer(): Promise<FarServer> {
  const heard: FarServer['heard'] = [];
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    const connection: FarServer['heard'][number] = { bytes: Buffer.alloc(0), end: 'open' };
    heard.push(connection);
    socket.on('data', (chunk: Buffer) => {
      connection.bytes = Buffer.concat([connection.bytes, chunk]);
    });
    socket.on('error', () => {});
    socket.once('end', () => {
      connection.end = 'ended';
      socket.end(DOWN);
    });
    socket.once('close', () => {
      if (connection.end === 'open') connection.end = 'broken';
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, heard, close: () => new Promise((resolve) => void server.close(() => resolve())) };
}

/** Turns of the event loop until something holds; the limit of the test is the limit of this. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

/** TLS to the NOC, with a count of the links that an app believes to be open. */
function countedTransport(links: { open: number }): NocTransport {
  const tls = tlsNocTransport();
  return {
    ...tls,
    async openLink(request) {
      let isOpen = true;
      const gone = (): void => {
        if (isOpen) links.open -= 1;
        isOpen = false;
      };
      links.open += 1;
      const onClose: typeof request.onClose = (error) => {
        gone();
        request.onClose(error);
      };
      const channel = await (tls.openLink as NonNullable<NocTransport['openLink']>)({ ...request, onClose }).catch((error: unknown) => {
        gone();
        throw error;
      });
      return {
        ...channel,
        close() {
          channel.close();
          gone();
        },
      };
    },
  };
}

export async function startWorld(clock: FakeClock = fakeClock(Date.now())): Promise<World> {
  const noc = new WrongNoc();
  const links = { open: 0 };
  const crypto = rememberedScrypt(nodeCrypto());
  const lab = await startLabServer({ clock, crypto, connectivityNode: true, interceptor: { noc } });
  noc.coreId = lab.connection.coreId;
  const server = await farServer();
  const { admin } = lab;
  const { guid: userGuid } = await admin.createUser({ username: USER, email: USER });
  const user = { kind: 'user', id: userGuid } as const;
  const application = await admin.createApplication({ applicationId: APP_ID, name: 'Mail', version: '1.0.0.0', platforms: ['ANDROID'] });
  await admin.assign(user, { kind: 'application', id: application.guid }, 'OPTIONAL');
  await admin.createApplicationServer({ name: 'Mail', applicationGuid: application.guid, servers: [{ host: SECRET_HOST, port: 443, priority: 1 }] });
  const content = { additionalServers: [{ server: FAR_HOST, route: 'PROXY', ports: [server.port] }] };
  const intranet = await admin.createConfigurationProfile({ kind: 'dynamics-connectivity', name: 'Intranet', content });
  // The app asks for updates when it is told to, and not by itself in between.
  const apps = (passwordHistory: number) => ({ kind: 'dynamics', name: 'Apps', content: { updateIntervalMinutes: 1_440, passwordHistory } }) as const;
  const policy = await admin.createConfigurationProfile(apps(1));
  for (const { profileId } of [intranet, policy]) await admin.assign(user, { kind: 'profile', id: profileId });
  const root = new Uint8Array(Buffer.from(lab.connection.ca.replaceAll(/-----.*?-----|\s/g, ''), 'base64'));
  const opened = new Set<NodeDynamicsRuntime>();

  const installed = async (disk: {
    readonly store: ReturnType<typeof memoryStorage>;
    readonly rows: Map<string, Uint8Array>;
    readonly deviceKey: MemoryDeviceKey;
  }) => {
    const runtime = await openDynamicsRuntime({
      ...{ crypto, entropy: nodeEntropy(), clock },
      app: { appId: APP_ID, version: '1.0.0.0', platform: 'android 16' },
      noc: { address: lab.connection.noc, trust: { roots: [root], spkiPins: [] } },
      transport: countedTransport(links),
      store: disk.store,
      openStorage: () => memoryStorage(disk.rows),
      deviceKey: disk.deviceKey,
      passwordCost: CHEAP,
    });
    opened.add(runtime);
    const app: InstalledApp = {
      runtime,
      deviceKey: disk.deviceKey,
      authorize: (accessKey) => runtime.authorize({ password: PASSWORD, ...(accessKey === undefined ? {} : { credentials: { userId: USER, accessKey } }) }),
      async restart() {
        await runtime.close();
        opened.delete(runtime);
        return installed({ ...disk, store: disk.store.restart() });
      },
    };
    return app;
  };

  return {
    ...{ lab, noc, clock, userGuid, server },
    policy: async (passwordHistory) => void (await admin.updateConfigurationProfile(policy.profileId, apps(passwordHistory))),
    newKey: () => admin.createAccessKey(userGuid),
    app: (name) => installed({ store: memoryStorage(), rows: new Map(), deviceKey: memoryDeviceKey(name) }),
    async passing(work, touched = 1) {
      let isOver = false;
      const over = (): void => {
        isOver = true;
      };
      work.then(over, over);
      await until(() => isOver || noc.touched === touched);
      while (!isOver) await clock.advance(1_000);
      return work;
    },
    async breakAll() {
      noc.breakAll();
      await until(() => links.open === 0);
    },
    async close() {
      noc.disarm();
      await Promise.all([...opened].map((runtime) => runtime.close()));
      await lab.close();
      await server.close();
    },
  };
}
