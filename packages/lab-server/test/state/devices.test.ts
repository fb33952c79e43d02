import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { enqueueCommand } from '../../src/state/command-queue.ts';
import { endDevice, MAX_ENDED_DEVICES, purgeDevice } from '../../src/state/device-lifecycle.ts';
import {
  type DeviceRecord,
  type DeviceStatus,
  deleteDevice,
  deviceById,
  deviceByKey,
  deviceCountsOf,
  isLive,
  listDevices,
  listDevicesOfUser,
  pendingDevicesOf,
  putDevice,
} from '../../src/state/devices.ts';
import { putInventory } from '../../src/state/inventory.ts';
import { putTunnelKey, tunnelKeyOf } from '../../src/state/tunnel-keys.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

const device = (deviceId: string, change: Partial<DeviceRecord> = {}): DeviceRecord => ({
  deviceId,
  userGuid: 'u',
  userId: 'ada@example.com',
  info: { platform: 'ios', osVersion: '17', model: 'm', clientVersion: '1' },
  status: 'pending',
  keyId: `key of ${deviceId}`.replaceAll(' ', '-'),
  serials: [],
  activationType: 't',
  profileId: 'default',
  pollIntervalS: 1,
  pollJitterS: 0,
  createdAtMs: 1,
  ...change,
});

describe('devices and their indexes', () => {
  it('agree after any history', async () => {
    const change = fc.record({
      deviceId: fc.constantFrom('a', 'b', 'c', 'd'),
      status: fc.constantFrom<DeviceStatus | 'gone'>('pending', 'active', 'deactivated', 'removed', 'gone'),
      keyId: fc.constantFrom('k1', 'k2'),
      secretId: fc.constantFrom('s1', 's2', undefined),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 30 }), async (changes) => {
        const store = new MemoryStore();
        const model = new Map<string, DeviceRecord>();
        await store.transaction((tx) => {
          for (const { deviceId, status, keyId, secretId } of changes) {
            // As the roles do: a key has one live device.
            const other = status === 'pending' || status === 'active' ? deviceByKey(tx, keyId) : undefined;
            if (other !== undefined && other.deviceId !== deviceId) continue;
            if (status === 'gone') deleteDevice(tx, deviceId);
            else putDevice(tx, device(deviceId, { status, keyId, secretId }));
            if (status === 'gone') model.delete(deviceId);
            else model.set(deviceId, device(deviceId, { status, keyId, secretId }));
          }
          const all = [...model.values()];
          for (const keyId of ['k1', 'k2']) expect(deviceByKey(tx, keyId)?.deviceId).toBe(all.find((one) => isLive(one) && one.keyId === keyId)?.deviceId);
          const of = (...states: DeviceStatus[]): DeviceRecord[] => all.filter((one) => states.includes(one.status));
          expect(deviceCountsOf(tx, 'u')).toEqual({ pending: of('pending').length, active: of('active').length, ended: of('deactivated', 'removed').length });
          expect(pendingDevicesOf(tx, 'u', { limit: 9 })).toEqual(
            of('pending')
              .map((one) => one.deviceId)
              .sort(),
          );
          expect(pendingDevicesOf(tx, 'u', { limit: 9, secretId: 's1' })).toEqual(
            of('pending')
              .filter((one) => one.secretId === 's1')
              .map((one) => one.deviceId)
              .sort(),
          );
          expect(listDevicesOfUser(tx, 'u', { limit: 9 }).length).toBe(model.size);
          expect(listDevices(tx, { limit: 9 }).map((row) => row.id)).toEqual([...model.keys()].sort());
        });
      }),
    );
  });

  it('keep a bounded history of ended devices', async () => {
    const store = new MemoryStore();
    await store.transaction((tx) => {
      for (let n = 0; n < MAX_ENDED_DEVICES + 5; n++) {
        const one = device(`d${n}`, { status: 'active', createdAtMs: n });
        putDevice(tx, one);
        endDevice(tx, one, { status: 'removed', reason: 'test' }, n);
      }
      expect(deviceCountsOf(tx, 'u').ended).toBe(MAX_ENDED_DEVICES);
      expect(deviceById(tx, 'd4')).toBeUndefined();
      expect(deviceById(tx, 'd5')).toMatchObject({ status: 'removed', message: 'test' });
    });
  });

  it('leave nothing behind but the counters and the events', async () => {
    const store = new MemoryStore();
    await store.transaction((tx) => {
      putDevice(tx, device('a', { status: 'active' }));
      putInventory(tx, 'a', { deviceInfoAtMs: 1 });
      putTunnelKey(tx, 'a', new Uint8Array(32));
      enqueueCommand(tx, { commandId: 'c'.repeat(32), deviceId: 'a', type: 'LOCK_DEVICE', properties: {} }, 1);
      expect(tunnelKeyOf(tx, 'a')).toEqual(new Uint8Array(32));
      purgeDevice(tx, 'a');
      expect(tx.range({ prefix: '', limit: 100 }).map((entry) => entry.key)).toEqual([
        'device-counts/u',
        'device-tenant-counts/all',
        'event-counter/this',
        'event/0000000000000001',
      ]);
    });
  });
});
