import { startLab } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy } from '@uemkit/protocol/node';
import { fakeClock, memoryStore } from '@uemkit/protocol/testing';
import { createUemClient, softwareKeyStore } from '@uemkit/uem-client';
import { expect, it } from 'vitest';
import { story } from '../src/story.ts';
import { talkingTablet } from '../src/talking-tablet.ts';

it('activates, wakes and manages one device in virtual time', async () => {
  const clock = fakeClock(Date.UTC(2026, 0, 15));
  const entropy = nodeEntropy();
  const native = nodeCrypto();
  // scrypt really takes time, so the clock waits for it.
  const crypto = { ...native, scrypt: (...call: Parameters<typeof native.scrypt>) => clock.hold(native.scrypt(...call)) };
  const lab = await startLab({ clock, crypto, entropy });
  const store = memoryStore();
  const keyStore = softwareKeyStore({ crypto, entropy, store });
  const client = createUemClient({ crypto, entropy, clock, store, keyStore, transport: lab.transport(), operatingSystem: talkingTablet });

  const admin = {
    async addUser(username: string) {
      const { guid } = await lab.admin.createUser({ username });
      return (await lab.admin.setActivationPassword(guid)).password;
    },
    async send(_userId: string, deviceId: string, type: string) {
      await lab.admin.sendCommand(deviceId, { type });
    },
  };
  const lines: string[] = [];
  const infrastructure = { address: lab.connection.infrastructure, trust: lab.trust };
  let ended = false;
  const told = story({ client, admin, infrastructure, say: (line) => lines.push(line) }).finally(() => {
    ended = true;
  });
  for (let second = 0; second < 3_600 && !ended; second++) await clock.advance(1_000);
  await told;

  expect(lines).toEqual([
    'F1.2 credentialsTaken',
    'F1.3 discovered',
    'F1.3 requested',
    'F1.4 serverAuthenticated',
    'F1.4 certificateReceived',
    'F1.5 configured',
    'F1.5 confirmed',
    'F5.2 woken up',
    'F5.5 LOCK_DEVICE done',
    'F5.2 woken up',
    'F5.5 REQUEST_DEVICE_INFO done',
  ]);
  expect([...lab.admin.devices()].map(({ status }) => status)).toEqual(['active']);
  lab.assertNoUnknownRequests();
  await lab.close();
});
