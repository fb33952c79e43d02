import { ProtocolError } from '@uemkit/protocol';
import { expect, it } from 'vitest';
import { testDevice } from '../support/test-device.ts';

/** More commits than an activation makes. */
const MAX_COMMITS = 40;

it('an activation whose store takes nothing at any one commit says so, with its step, and goes on with one device', async () => {
  const steps: (string | undefined)[] = [];
  for (let commits = 0; ; commits++) {
    if (commits > MAX_COMMITS) throw new Error('the activation does not end');
    const device = await testDevice({ seed: `full at ${commits}` });
    const content = device.uem.qrCode('alice@example.com');
    const { store } = device;
    const commit = store.commit.bind(store);
    let left = commits;
    let refused = false;
    store.commit = (writes) => {
      if (left-- !== 0) return commit(writes);
      refused = true;
      return Promise.reject(new ProtocolError('ERR_STORE_WRITE', 'the disk is full'));
    };
    const outcome: unknown = await device.activate({ kind: 'qr', content }).catch((error: unknown) => error);
    if (!refused) break;
    expect(outcome, `commit ${commits}`).toMatchObject({ code: 'ERR_STORE_WRITE' });
    steps.push((outcome as ProtocolError).step);
    await device.activate({ kind: 'qr', content });
    expect([device.client.state, [...device.uem.devices.values()].map(({ state }) => state)]).toEqual(['active', ['active']]);
  }
  // The record of the activation, its key, the run that began; what A6 brought; what was configured, and that it was confirmed.
  expect(steps).toEqual(['F1.3', 'F1.3', 'F1.3', 'F1.4', 'F1.5', 'F1.5']);
});
