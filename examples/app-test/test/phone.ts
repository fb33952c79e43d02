import { type ContainerStorage, type DeviceKey, type DynamicsRuntime, openDynamicsRuntime } from '@uemkit/dynamics-sdk';
import { type Lab, startLab } from '@uemkit/lab-server';
import type { CryptoProvider } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, memoryStore, seededEntropy } from '@uemkit/protocol/testing';
import { NotesApp } from '../src/notes.ts';

export const PASSWORD = 'correct horse 7';
const APP = { appId: 'com.example.notes', version: '1.0.0.0', platform: 'android 16' };
const native = nodeCrypto();
/** Passwords and access keys are stretched, which takes 70 ms each time on purpose; here app and organisation agree that it does not. */
const crypto: CryptoProvider = { ...native, scrypt: (password, salt, _cost, bytes) => native.scrypt(password, salt, { N: 16, r: 1, p: 1 }, bytes) };

/** A phone with the app, an organisation, and a clock that moves when the test says so. */
export interface Phone {
  readonly app: NotesApp;
  readonly runtime: DynamicsRuntime;
  readonly lab: Lab;
  readonly clock: FakeClock;
  /** Of the user, and of the app on this phone, for the administrator. */
  readonly user: string;
  readonly instance: string;
  /** The administrator gives the user this Dynamics profile, and the app hears of it. */
  policy(content: object): Promise<void>;
  close(): Promise<void>;
}

/** The app is installed, activated with the access key of a mail, and shows its notes. */
export async function startPhone(): Promise<Phone> {
  const clock = fakeClock(Date.UTC(2026, 0, 15));
  const lab = await startLab({ crypto, clock, entropy: seededEntropy('organisation') });
  const { guid } = await lab.admin.createUser({ username: 'ada@example.com', email: 'ada@example.com' });
  const application = await lab.admin.createApplication({ applicationId: APP.appId, name: 'Notes', version: '1', platforms: ['ANDROID'] });
  await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: application.guid }, 'OPTIONAL');
  const { accessKey } = await lab.admin.createAccessKey(guid);

  const runtime = await openDynamicsRuntime({
    ...{ crypto, clock, entropy: seededEntropy('phone'), app: APP },
    noc: { address: lab.connection.noc, trust: lab.trust },
    transport: lab.transport('phone'),
    store: memoryStore(),
    openStorage: memoryStorage,
    deviceKey: memoryDeviceKey(),
  });
  const app = new NotesApp(runtime);
  await clock.hold(app.start({ password: PASSWORD, credentials: { userId: 'ada@example.com', accessKey } }));
  await clock.hold(runtime.update());
  const [installed] = lab.admin.dynamicsApps(guid);
  const instance = installed?.app.instanceId as string;
  return {
    ...{ app, runtime, lab, clock, user: guid, instance },
    async policy(content) {
      const { profileId } = await lab.admin.createConfigurationProfile({ kind: 'dynamics', name: 'Apps', content });
      await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'profile', id: profileId });
      await clock.hold(runtime.update());
    },
    async close() {
      await runtime.close();
      await lab.close();
    },
  };

  /** Disks take real time, which a clock of a test knows nothing of. */
  function memoryStorage(): ContainerStorage {
    const rows = memoryStore();
    const keys = (): string[] => [...rows.snapshot().keys()].sort();
    return {
      get: rows.get,
      commit: rows.commit,
      keys: async ({ prefix, after = '', limit }) =>
        keys()
          .filter((key) => key.startsWith(prefix) && key > after)
          .slice(0, limit),
      close: async () => {},
      destroy: () => rows.commit(keys().map((key) => ({ key, value: null }))),
    };
  }

  function memoryDeviceKey(): DeviceKey {
    let key: Uint8Array | undefined;
    return {
      async create() {
        key ??= seededEntropy('device key').randomBytes(32);
      },
      mac: async (data) => key && crypto.hmacSha256(key, data),
      async destroy() {
        key = undefined;
      },
    };
  }
}
