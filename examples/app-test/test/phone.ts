import type { DynamicsRuntime } from '@uemkit/dynamics-sdk';
import { quickStretching, testPhone } from '@uemkit/dynamics-sdk/testing';
import { type Lab, startLab } from '@uemkit/lab-server';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import { NotesApp } from '../src/notes.ts';

export const PASSWORD = 'correct horse 7';
const APP = { appId: 'com.example.notes', version: '1.0.0.0', platform: 'android 16' };
const crypto = quickStretching(nodeCrypto());

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

  const runtime = await testPhone({ lab, crypto, clock, app: APP }).open();
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
}
