import { startLab } from '@uemkit/lab-server';
import { type FakeClock, fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import type { NocTransport } from '../../src/index.ts';
import { type AppTls, type NodeDynamicsRuntime, openDynamicsRuntime } from '../../src/node/index.ts';
import { CHEAP, crypto, memoryDeviceKey, PASSWORD } from './device.ts';
import { memoryStorage } from './memory-storage.ts';
import { TcpWay } from './tcp-way.ts';

const USER = 'ada@example.com';
const APP_ID = 'com.example.mail';

/** Of every app here: servers of example.com without a Proxy, but not those of denied.example.com. */
const PROFILE = {
  allowedDomains: [
    { domain: 'example.com', route: 'DIRECT' },
    { domain: 'denied.example.com', route: 'DENY' },
  ],
};

export interface ConnectedApp {
  readonly runtime: NodeDynamicsRuntime;
  readonly way: TcpWay;
  readonly clock: FakeClock;
  authorize(): Promise<void>;
  /** The process dies, and the app is started again and authorized. */
  restart(): Promise<ConnectedApp>;
}

/** An app of a lab that is activated and authorized, with bare TCP as its way. */
export async function connectedApp(seed: string, tls: AppTls = {}): Promise<ConnectedApp> {
  const clock = fakeClock(Date.now());
  const lab = await startLab({ clock, entropy: seededEntropy(seed) });
  const { guid } = await lab.admin.createUser({ username: USER, email: USER });
  const application = await lab.admin.createApplication({ applicationId: APP_ID, name: 'Mail', version: '1.0.0.0', platforms: ['ANDROID'] });
  await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: application.guid }, 'OPTIONAL');
  const { profileId } = await lab.admin.createConfigurationProfile({ kind: 'dynamics-connectivity', name: 'Office', content: PROFILE });
  await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'profile', id: profileId });
  const { accessKey } = await lab.admin.createAccessKey(guid);
  const disk = { store: memoryStorage(), rows: new Map<string, Uint8Array>(), deviceKey: memoryDeviceKey(seed) };
  const start = async (turn: number): Promise<ConnectedApp> => {
    const way = new TcpWay();
    const runtime = await openDynamicsRuntime({
      crypto,
      clock,
      entropy: seededEntropy(`${seed} ${turn}`),
      app: { appId: APP_ID, version: '1.0.0.0', platform: 'android 16' },
      noc: { address: lab.connection.noc, trust: lab.trust },
      transport: lab.transport('app') as NocTransport,
      store: disk.store,
      openStorage: () => memoryStorage(disk.rows),
      deviceKey: disk.deviceKey,
      passwordCost: CHEAP,
      ways: {
        direct: way,
        noc: () => {
          throw new Error('no Proxy is named');
        },
      },
      tls,
    });
    return {
      runtime,
      way,
      clock,
      async authorize() {
        const result = await clock.hold(runtime.authorize({ password: PASSWORD, credentials: { userId: USER, accessKey } }));
        if (result.state !== 'authorized') throw new Error(`not authorized: ${result.code}`);
      },
      async restart() {
        const app = await start(turn + 1);
        await app.authorize();
        return app;
      },
    };
  };
  return start(0);
}
