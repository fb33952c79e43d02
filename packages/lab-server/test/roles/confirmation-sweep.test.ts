import { ProtocolError } from '@uemkit/protocol';
import { fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startLab } from '../../src/lab.ts';
import { type ConfirmationSweep, createConfirmationSweep, MAX_ENDED_PER_SWEEP } from '../../src/roles/uem/confirmation-sweep.ts';
import { certificateBySerial } from '../../src/state/certificates.ts';
import { type DeviceRecord, deviceById, deviceCountsOf, putDevice } from '../../src/state/devices.ts';
import { lastEventSequence, listEvents } from '../../src/state/events.ts';
import { LabDevice, overMemory, qrSecret } from '../support/lab-device.ts';
import { TestDevice } from '../support/test-device.ts';
import { alertIn, DAY_MS, frameIn, UemBench } from '../support/uem-bench.ts';

const REASON = 'the activation was not confirmed in time';
const WEEK_MS = 7 * DAY_MS;

let uem: UemBench;
let guid: string;
let sweep: ConfirmationSweep;
const failures: unknown[] = [];
beforeEach(async () => {
  uem = await UemBench.start({ allowedDevices: 9 });
  guid = await uem.addUser();
  failures.length = 0;
  sweep = createConfirmationSweep({ clock: uem.clock, store: uem.store, failed: (error) => void failures.push(error) });
  sweep.start();
});
afterEach(() => sweep.close());

const recordOf = (device: TestDevice): DeviceRecord | undefined => uem.store.read((view) => deviceById(view, device.deviceId));
const counts = (): unknown => uem.store.read((view) => deviceCountsOf(view, guid));
/** A device up to A6. */
async function begun(name: string): Promise<TestDevice> {
  const device = new TestDevice(uem, name);
  await device.activate(await uem.addQr({ expireAfterUse: false }), { onSend: (frame) => frame !== 'activationDone' });
  return device;
}

describe('an activation that nobody confirms', () => {
  it('ends after seven days by itself: certificate, record and event, as by an A7 that is late; its secret stays', async () => {
    const device = await begun('silent');
    await uem.clock.advance(WEEK_MS);
    expect(recordOf(device)?.status).toBe('pending');
    const before = uem.store.read(lastEventSequence);
    await uem.clock.advance(1);
    expect(recordOf(device)).toMatchObject({ status: 'removed', message: REASON });
    const serial = recordOf(device)?.serials.at(-1) ?? '';
    expect(uem.store.read((view) => certificateBySerial(view, serial))).toMatchObject({ revocationReason: REASON });
    expect(uem.store.read((view) => listEvents(view, { after: before, limit: 9 }))).toEqual([
      expect.objectContaining({ type: 'ACTIVATION_FAILED', deviceId: device.deviceId, userGuid: guid, reason: REASON }),
    ]);
    expect(alertIn(await device.done())).toBe('revoked');
    expect(counts()).toEqual({ pending: 0, active: 0, ended: 1 });
  });

  it('has the time from its newest A6, and one that is confirmed, begun anew while active, or declined has no end', async () => {
    const active = await begun('active');
    expect(frameIn(await active.done()).name).toBe('acknowledgement');
    await active.activate(await uem.addQr({ expireAfterUse: false }), { onSend: (frame) => frame !== 'activationDone' });
    const again = await begun('again');
    await uem.clock.advance(3 * DAY_MS);
    await again.activate(await uem.addQr({ expireAfterUse: false }), { onSend: (frame) => frame !== 'activationDone' });
    await uem.clock.advance(WEEK_MS);
    expect([active, again].map((device) => recordOf(device)?.status)).toEqual(['active', 'pending']);
    await uem.clock.advance(1);
    expect([active, again].map((device) => recordOf(device)?.status)).toEqual(['active', 'removed']);
    await uem.clock.advance(30 * DAY_MS);
    expect(recordOf(active)?.status).toBe('active');
  });

  it('is found within an hour by a clock that was set forward', async () => {
    const device = await begun('silent');
    uem.clock.jumpWallClock(30 * DAY_MS);
    await uem.clock.advance(3_600_000);
    expect(recordOf(device)?.status).toBe('removed');
  });

  it('ends with as many others as fit into one transaction, until none is left', async () => {
    const made = await begun('model');
    const model = recordOf(made) as DeviceRecord;
    const many = 2 * MAX_ENDED_PER_SWEEP + 5;
    await uem.store.transaction((tx) => {
      for (let n = 1; n < many; n++) putDevice(tx, { ...model, deviceId: `device-${n}`, keyId: `key-${n}`, serials: [] });
    });
    const sizes: number[] = [];
    const transaction = uem.store.transaction.bind(uem.store);
    uem.store.transaction = async (work) => {
      const before = uem.store.read((view) => deviceCountsOf(view, guid).pending);
      const result = await transaction(work);
      sizes.push(before - uem.store.read((view) => deviceCountsOf(view, guid).pending));
      return result;
    };
    await uem.clock.advance(WEEK_MS + 1);
    await uem.clock.advance(10);
    expect(sizes).toEqual([MAX_ENDED_PER_SWEEP, MAX_ENDED_PER_SWEEP, 5]);
    expect(counts()).toMatchObject({ pending: 0 });
  });

  it('is tried again when nothing can be stored, and nothing is after the end', async () => {
    const device = await begun('silent');
    uem.store.fault = 'disk-full';
    await uem.clock.advance(WEEK_MS + 1);
    expect(failures).toHaveLength(1);
    uem.store.fault = undefined;
    await uem.clock.advance(5_000);
    expect(recordOf(device)?.status).toBe('removed');
    sweep.close();
    sweep.start();
    await uem.clock.settle();
    expect(uem.clock.pendingTimers).toBe(0);
  });
});

it('a lab ends an activation whose device never comes again', async () => {
  const clock = fakeClock(Date.UTC(2026, 0, 1));
  const lab = await startLab({ clock, entropy: seededEntropy('unconfirmed') });
  const user = await lab.admin.createUser({ username: 'alice' });
  const carry = overMemory(lab);
  const device = new LabDevice(
    (service, frame, one) => {
      if (wire.peekFrameName(frame) === 'activationDone') throw new ProtocolError('ERR_TRANSPORT_CLOSED', 'gone');
      return carry(service, frame, one);
    },
    'device',
    () => clock.nowMs(),
  );
  await device.activate(qrSecret((await lab.admin.createQrCode(user.guid)).content)).catch(() => undefined);
  const stored = () => lab.admin.device(device.deviceId);
  await clock.advance(WEEK_MS);
  expect(stored).toThrow('there is no such device');
  await clock.advance(1);
  expect(stored()).toMatchObject({ status: 'removed', message: REASON });
  await lab.close();
});
