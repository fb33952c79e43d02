import { toHex } from '@uemkit/protocol';
import type { CrashPoint } from '@uemkit/protocol/testing';
import { describe, expect, it } from 'vitest';
import { activeTestDevice, type TestDevice, testDevice } from '../support/test-device.ts';

const DAY_MS = 86_400_000;
const POINTS: readonly CrashPoint[] = ['before', 'after'];
/** More commits than any of the runs below makes; reaching it means that a run never ends. */
const MAX_COMMITS = 40;

/** Kills the device at each of its commits in turn, restarts it, and hands both lives to `check`. */
async function atEveryCommit(
  prepare: (seed: string) => Promise<TestDevice>,
  run: (device: TestDevice) => void,
  recover: (device: TestDevice, restarted: TestDevice) => Promise<void>,
): Promise<number> {
  let crashes = 0;
  for (const point of POINTS) {
    for (let commits = 0; ; commits++) {
      if (commits > MAX_COMMITS) throw new Error('the run does not end');
      const device = await prepare(`crash ${point} ${commits}`);
      device.store.crashAfter(commits, point);
      run(device);
      await device.clock.settle();
      if (!device.store.crashed) break;
      crashes++;
      // A dead process holds no connections and no timers.
      device.uem.pushes.clear();
      const restarted = device.restarted();
      await restarted.client.open();
      await recover(device, restarted);
    }
  }
  return crashes;
}

describe('a device that is killed at any commit', () => {
  it('of an activation goes on with the same key and leaves one device on the server', async () => {
    const contents = new Map<TestDevice, string>();
    const crashes = await atEveryCommit(
      async (seed) => {
        const device = await testDevice({ seed });
        contents.set(device, device.uem.qrCode('alice@example.com'));
        return device;
      },
      (device) => void device.activate({ kind: 'qr', content: contents.get(device) as string }).catch(() => undefined),
      async (device, restarted) => {
        if (restarted.client.state !== 'active') await restarted.activate({ kind: 'qr', content: contents.get(device) as string });
        expect([restarted.client.state, [...device.uem.devices.values()].map(({ state }) => state)]).toEqual(['active', ['active']]);
        expect(restarted.client.deviceId).toBe(device.uem.only.deviceId);
        await restarted.client.poll();
      },
    );
    expect(crashes).toBeGreaterThanOrEqual(2 * 4);
  });

  it('of an activation that replaces one that is out of date has the one or the other, and deletes the old one once it is accepted', async () => {
    const contents = new Map<TestDevice, string>();
    const crashes = await atEveryCommit(
      async (seed) => {
        const device = await activeTestDevice({ seed, certificateLifeMs: DAY_MS, schedule: { pollIntervalS: 30 * 86_400, pollJitterS: 0 } });
        await device.clock.advance(DAY_MS + 1_000);
        await expect(device.client.poll()).rejects.toMatchObject({ code: 'ERR_REJECTED_EXPIRED' });
        await device.client.stop();
        contents.set(device, device.uem.qrCode('alice@example.com'));
        return device;
      },
      (device) => void device.activate({ kind: 'qr', content: contents.get(device) as string }).catch(() => undefined),
      async (device, restarted) => {
        const [old] = device.uem.devices.keys();
        if (restarted.client.deviceId === old) {
          expect([device.os.deactivations, restarted.os.deactivations]).toEqual([[], []]);
          await expect(restarted.client.poll()).rejects.toMatchObject({ code: 'ERR_REJECTED_EXPIRED' });
          await restarted.activate({ kind: 'qr', content: contents.get(device) as string });
        }
        expect([restarted.client.state, device.uem.devices.size]).toEqual(['active', 2]);
        expect(restarted.client.deviceId).not.toBe(old);
        // Once in each life at most, and never not at all.
        expect(new Set([...device.os.deactivations, ...restarted.os.deactivations])).toEqual(new Set(['expired']));
        await restarted.client.poll();
        expect(await restarted.store.get('uem/former-key')).toBeUndefined();
      },
    );
    expect(crashes).toBeGreaterThanOrEqual(2 * 5);
  });

  it('of a command neither repeats nor loses it', async () => {
    const ids = new Map<TestDevice, string>();
    const crashes = await atEveryCommit(
      async (seed) => {
        const device = await activeTestDevice({ seed });
        ids.set(device, toHex(device.uem.send(device.uem.only, 'LOCK_DEVICE')));
        device.uem.send(device.uem.only, 'REQUEST_DEVICE_INFO');
        return device;
      },
      (device) => void device.client.poll().catch(() => undefined),
      async (device, restarted) => {
        restarted.client.start();
        await restarted.clock.settle();
        const id = ids.get(device) as string;
        expect(device.uem.only.results.map(({ status }) => status)).toEqual(['done', 'done']);
        // What was committed happened once; what was not committed never happened.
        expect(await restarted.os.count(id)).toBe(1);
        await restarted.client.stop();
      },
    );
    expect(crashes).toBeGreaterThanOrEqual(2 * 6);
  });

  it('of its removal reports it once and leaves nothing behind', async () => {
    const crashes = await atEveryCommit(
      async (seed) => {
        const device = await activeTestDevice({ seed });
        device.uem.send(device.uem.only, 'DELETE_DEVICE_DATA');
        return device;
      },
      (device) => void device.client.poll().catch(() => undefined),
      async (device, restarted) => {
        if (restarted.client.state === 'active') {
          restarted.client.start();
          await restarted.clock.settle();
        }
        const known = [...device.uem.devices.values()];
        expect(known.map(({ state, results }) => [state, results.length])).toEqual([['deactivated', 1]]);
        expect(restarted.client.state).toBe('inactive');
        expect([...restarted.store.snapshot().keys()].filter((key) => !key.startsWith('os/'))).toEqual(['uem/departure']);
        expect(restarted.os.deactivations.length + device.os.deactivations.length).toBeGreaterThan(0);
      },
    );
    expect(crashes).toBeGreaterThanOrEqual(2 * 5);
  });

  it('of a verdict ends in the same state', async () => {
    const crashes = await atEveryCommit(
      async (seed) => {
        const device = await activeTestDevice({ seed });
        device.uem.only.state = 'revoked';
        return device;
      },
      (device) => void device.client.poll().catch(() => undefined),
      async (_device, restarted) => {
        if (restarted.client.state === 'active') await restarted.client.poll().catch(() => undefined);
        await restarted.clock.settle();
        expect(restarted.client.state).toBe('revoked');
        expect([...restarted.store.snapshot().keys()]).toEqual(['uem/departure']);
      },
    );
    expect(crashes).toBeGreaterThanOrEqual(2 * 2);
  });

  it('of a renewal keeps a certificate that works', async () => {
    const dayMs = 86_400_000;
    const crashes = await atEveryCommit(
      async (seed) => {
        const device = await activeTestDevice({ seed, certificateLifeMs: 31 * dayMs, schedule: { pollIntervalS: 86_400, pollJitterS: 0 } });
        await device.clock.advance(19 * dayMs);
        device.clock.jumpWallClock(2 * dayMs);
        return device;
      },
      (device) => void device.client.poll().catch(() => undefined),
      async (_device, restarted) => {
        await restarted.client.poll();
        await restarted.clock.settle();
        expect(restarted.client.state).toBe('active');
        expect(restarted.told('renewalfailed')).toEqual([]);
      },
    );
    expect(crashes).toBeGreaterThanOrEqual(2);
  });
});
