import { startLab } from '@uemkit/lab-server';
import type { CryptoProvider } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { fakeClock, memoryStore, seededEntropy } from '@uemkit/protocol/testing';
import { describe, expect, it } from 'vitest';
import { memoryContainerStorage, memoryDeviceKey, quickStretching, type TestPhone, testPhone } from '../../../src/testing/index.ts';
import { storageCases } from '../../support/storage-cases.ts';

const APP = { appId: 'com.example.notes', version: '1.0.0.0', platform: 'android 16' };
const PASSWORD = 'correct horse 7';
const crypto = quickStretching(nodeCrypto());

describe('a storage in memory', () => {
  storageCases(() => {
    let rows = memoryStore();
    return {
      async open() {
        rows = rows.restart();
        return memoryContainerStorage(rows);
      },
    };
  });
});

describe('a phone in memory', () => {
  const organisation = async () => {
    const clock = fakeClock(Date.UTC(2026, 0, 15));
    const lab = await startLab({ crypto, clock, entropy: seededEntropy('organisation') });
    const { guid } = await lab.admin.createUser({ username: 'ada@example.com' });
    const { guid: app } = await lab.admin.createApplication({ applicationId: APP.appId, name: 'Notes', version: '1', platforms: ['ANDROID'] });
    await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: app }, 'OPTIONAL');
    const credentials = async () => ({ userId: 'ada@example.com', accessKey: (await lab.admin.createAccessKey(guid)).accessKey });
    return { clock, lab, guid, credentials, phone: (name?: string): TestPhone => testPhone({ lab, crypto, clock, app: APP, name }) };
  };

  it('activates its app, and has it again after the app was closed, with the password alone', async () => {
    const { clock, lab, phone, credentials } = await organisation();
    const ada = phone();
    const first = await ada.open();
    expect(await clock.hold(first.authorize({ password: PASSWORD, credentials: await credentials() }))).toMatchObject({ state: 'authorized' });
    await first.container?.values.put('note', Uint8Array.of(7));
    await first.close();
    const second = await ada.open();
    expect(second.isActivated).toBe(true);
    expect(await clock.hold(second.authorize({ password: PASSWORD }))).toMatchObject({ state: 'authorized' });
    expect(await second.container?.values.get('note')).toEqual(Uint8Array.of(7));
    await second.close();
    await lab.close();
  });

  it('has what was durable after a crash, and one app that runs at a time', async () => {
    const { clock, lab, phone, credentials } = await organisation();
    const ada = phone();
    const first = await ada.open();
    await expect(ada.open()).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    await clock.hold(first.authorize({ password: PASSWORD, credentials: await credentials() }));
    await first.container?.values.put('note', Uint8Array.of(1));
    ada.container.crashAfter(0);
    void first.container?.values.put('note', Uint8Array.of(2));
    await expect.poll(() => ada.container.crashed).toBe(true);
    const second = await ada.open();
    await clock.hold(second.authorize({ password: PASSWORD }));
    expect(await second.container?.values.get('note')).toEqual(Uint8Array.of(1));
    await second.close();
    await (await ada.open()).close();
    await lab.close();
  });

  it('fails when its disk is full, and is another one than its neighbour', async () => {
    const { clock, lab, guid, phone, credentials } = await organisation();
    const [ada, bob] = [phone('ada'), phone('bob')];
    for (const each of [ada, bob]) {
      const runtime = await each.open();
      await clock.hold(runtime.authorize({ password: PASSWORD, credentials: await credentials() }));
      if (each === ada) {
        ada.container.failWrites(1);
        await expect(runtime.container?.values.put('note', Uint8Array.of(7))).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
      }
      await runtime.close();
    }
    expect(new Set(lab.admin.dynamicsApps(guid).map(({ app }) => app.instanceId)).size).toBe(2);
    expect([...ada.container.snapshot().keys()]).not.toEqual([...bob.container.snapshot().keys()]);
    await lab.close();
  });
});

it('a device key is gone when it was destroyed', async () => {
  const key = memoryDeviceKey({ crypto, entropy: seededEntropy('key') });
  const data = new Uint8Array(4);
  expect(await key.mac(data)).toBeUndefined();
  await key.create();
  const mac = await key.mac(data);
  await key.create();
  expect(await key.mac(data)).toEqual(mac);
  await key.destroy();
  expect(await key.mac(data)).toBeUndefined();
  await key.create();
  expect(await key.mac(data)).not.toEqual(mac);
});

it('stretches at once, and agrees with nobody who takes the time', async () => {
  const stretched = (provider: CryptoProvider, N: number) => provider.scrypt(new Uint8Array(8), new Uint8Array(16), { N, r: 1, p: 1 }, 32);
  expect(await stretched(crypto, 1_024)).toEqual(await stretched(nodeCrypto(), 16));
  expect(await stretched(crypto, 1_024)).not.toEqual(await stretched(nodeCrypto(), 1_024));
});
