import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { quickStretching, testPhone } from '@uemkit/dynamics-sdk/testing';
import { startLab } from '@uemkit/lab-server';
import { nodeCrypto } from '@uemkit/protocol/node';
import { fakeClock, seededEntropy } from '@uemkit/protocol/testing';

test('an app on a phone in memory: started, killed while it writes, and started again', async (t) => {
  const clock = fakeClock(Date.UTC(2026, 0, 15)); // moves when the test says so: clock.advance(ms)
  const crypto = quickStretching(nodeCrypto()); // passwords at once instead of in 70 ms, for app and organisation
  const lab = await startLab({ crypto, clock, entropy: seededEntropy('organisation') });
  t.after(() => lab.close());
  const { guid } = await lab.admin.createUser({ username: 'ada@example.com' });
  const notes = await lab.admin.createApplication({ applicationId: 'com.example.notes', name: 'Notes', version: '1', platforms: ['ANDROID'] });
  await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: notes.guid }, 'OPTIONAL');
  const { accessKey } = await lab.admin.createAccessKey(guid);

  const phone = testPhone({ lab, crypto, clock, app: { appId: 'com.example.notes', version: '1.0.0.0', platform: 'android 16' } });
  const first = await phone.open();
  // Whatever takes real time, as deriving a key does, holds the clock, so that no timer of the test fires meanwhile.
  const activated = await clock.hold(first.authorize({ password: 'correct horse 7', credentials: { userId: 'ada@example.com', accessKey } }));
  assert.equal(activated.state, 'authorized');
  await first.container.values.put('shopping', Uint8Array.of(1));
  phone.container.failWrites(1); // the disk is full, once
  await assert.rejects(first.container.values.put('shopping', Uint8Array.of(2)), { code: 'ERR_STORE_WRITE' });
  phone.container.crashAfter(0); // the process dies at the next commit: that call never answers, and none after it
  void first.container.values.put('shopping', Uint8Array.of(3));
  while (!phone.container.crashed) await setImmediate();

  const second = await phone.open(); // the next start, over what was durable
  t.after(() => second.close());
  assert.equal((await clock.hold(second.authorize({ password: 'correct horse 7' }))).state, 'authorized');
  assert.deepEqual(await second.container.values.get('shopping'), Uint8Array.of(1));
});
