import { ProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ComplianceContent } from '../../src/compliance/compliance-content.ts';
import { listActivationRefusals } from '../../src/state/activation-refusals.ts';
import { DEFAULT_ACTIVATION_SETTINGS, putActivationSettings } from '../../src/state/activation-settings.ts';
import { deliveryOf } from '../../src/state/deliveries.ts';
import { removeDevice } from '../../src/state/device-lifecycle.ts';
import { deviceById } from '../../src/state/devices.ts';
import { type EventRecord, lastEventSequence, listEvents } from '../../src/state/events.ts';
import { type ActivationProfileRecord, putProfile } from '../../src/state/profiles.ts';
import { supervisionOf } from '../../src/state/supervision.ts';
import { ConfigurationBench, DocumentDevice } from '../support/configuration-bench.ts';
import { NOW_MS, PROFILE } from '../support/uem-bench.ts';

let bench: ConfigurationBench;
let device: DocumentDevice;
let userGuid: string;
beforeEach(async () => {
  bench = await ConfigurationBench.start();
  device = await bench.addDevice();
  userGuid = recordOf(device)?.userGuid as string;
});

const recordOf = ({ deviceId }: DocumentDevice) => bench.store.read((view) => deviceById(view, deviceId));
const last = (): number => bench.store.read(lastEventSequence);
const eventsAfter = (after: number): readonly EventRecord[] => bench.store.read((view) => listEvents(view, { after, limit: 100 }));
const changeProfile = (changes: Partial<ActivationProfileRecord>): Promise<void> => bench.store.transaction((tx) => putProfile(tx, { ...PROFILE, ...changes }));

/** From now on no event can be written, as on a disk that is full just then; gives the function that ends it. */
function refuseEvents(): () => void {
  const { store } = bench.uem;
  const right = store.transaction.bind(store);
  store.transaction = (work) =>
    right((tx) =>
      work({
        get: (key) => tx.get(key),
        range: (query) => tx.range(query),
        delete: (key) => tx.delete(key),
        put(key, value) {
          if (key.startsWith('event/')) throw new ProtocolError('ERR_STORE_WRITE', 'no room for events');
          tx.put(key, value);
        },
      }),
    );
  return () => {
    store.transaction = right;
  };
}

/** Something that a device does, and what of it is stored. */
interface Change {
  /** What has to be so before. */
  begin?(): Promise<unknown>;
  /** May be repeated when it had no effect. */
  act(): Promise<unknown>;
  stored(): unknown;
  /** Types of the events that tell of it, with their fields. */
  events(): readonly Partial<EventRecord>[];
}

const about = (): Partial<EventRecord> => ({ deviceId: device.deviceId });
let waiting: wire.Command;

/** A policy waits for the device, which has got its update. */
async function updateInFlight(): Promise<void> {
  const policy = await bench.admin.createPolicy({ name: 'Strict', rules: { password: { required: true } } });
  await bench.admin.assign({ kind: 'user', id: userGuid }, { kind: 'policy', id: policy.policyId });
  await bench.settle();
  waiting = await device.pollCommand();
}

/** The device has got a question about itself, under rules for passwords. */
async function reportInFlight(): Promise<void> {
  const content: ComplianceContent = { passwordMissing: { action: 'MONITOR_AND_LOG', promptBehavior: 'IMMEDIATE' } };
  await bench.admin.updateConfigurationProfile('default-compliance', { kind: 'compliance', name: 'Rules', content });
  await bench.settle();
  await device.work();
  await bench.uem.send(device.deviceId, 'REQUEST_DEVICE_INFO');
  waiting = await device.pollCommand();
}

async function commandInFlight(type: string): Promise<void> {
  await bench.uem.send(device.deviceId, type);
  waiting = await device.pollCommand();
}

const rules = (): readonly string[] => bench.store.read((view) => supervisionOf(view, device.deviceId)?.findings.map(({ rule }) => rule) ?? []);
const violated = { rule: 'passwordMissing', reason: 'the device has no password' };

const CHANGES: Readonly<Record<string, Change>> = {
  'a policy that was applied': {
    begin: updateInFlight,
    act: () => device.result(waiting.commandId, { data: { revision: 1 } }),
    stored: () => bench.store.read((view) => deliveryOf(view, device.deviceId, 'policy')?.confirmed.revision),
    events: () => [{ ...about(), type: 'CONFIGURATION_DELIVERED', document: 'policy', revision: 1 }],
  },
  'a policy that was not applied': {
    begin: updateInFlight,
    act: () => device.result(waiting.commandId, { status: 'failed', message: 'no room' }),
    stored: () => bench.store.read((view) => deliveryOf(view, device.deviceId, 'policy')?.failures),
    events: () => [{ ...about(), type: 'CONFIGURATION_FAILED', document: 'policy', revision: 1, reason: 'no room' }],
  },
  'a rule that is broken, and its action': {
    begin: reportInFlight,
    act: () => device.result(waiting.commandId, { data: { passwordSet: false } }),
    stored: rules,
    events: () => [
      { ...about(), type: 'COMPLIANCE_VIOLATED', ...violated },
      { ...about(), type: 'COMPLIANCE_ACTION', rule: 'passwordMissing', action: 'MONITOR_AND_LOG' },
    ],
  },
  'a rule that is kept again': {
    async begin() {
      await reportInFlight();
      await device.result(waiting.commandId, { data: { passwordSet: false } });
      await device.work();
      await commandInFlight('REQUEST_DEVICE_INFO');
    },
    act: () => device.result(waiting.commandId, { data: { passwordSet: true } }),
    stored: rules,
    events: () => [{ ...about(), type: 'COMPLIANCE_RESTORED', rule: 'passwordMissing' }],
  },
  'a wipe': {
    begin: () => commandInFlight('DELETE_WORK_SPACE_DATA'),
    act: () => device.result(waiting.commandId),
    stored: () => recordOf(device)?.status,
    events: () => [{ ...about(), userGuid, type: 'DEVICE_WIPED', commandId: Buffer.from(waiting.commandId).toString('hex'), commandType: waiting.type }],
  },
  'a late contact': {
    begin: () => bench.store.transaction((tx) => removeDevice(tx, device.deviceId, NOW_MS)),
    act: () => device.poll(),
    stored: () => recordOf(device)?.lateContactMs,
    events: () => [{ ...about(), userGuid, type: 'DEVICE_LATE_CONTACT' }],
  },
  'a farewell': {
    act: () => device.ask(wire.deactivate.encode({ cause: 'user' })),
    stored: () => recordOf(device)?.status,
    events: () => [{ ...about(), userGuid, type: 'DEVICE_DEACTIVATED' }],
  },
  'an activation that the device could not finish': {
    async begin() {
      device = new DocumentDevice(bench.uem, 'second');
      await device.activate(await bench.uem.addQr({ userId: 'device@example.com' }), { onSend: (name) => name !== 'activationDone' });
    },
    act: () => device.done('no work space'),
    stored: () => recordOf(device)?.status,
    events: () => [{ ...about(), userGuid, type: 'ACTIVATION_FAILED', reason: 'the configuration could not be applied: no work space' }],
  },
  'an activation': {
    async begin() {
      device = new DocumentDevice(bench.uem, 'second');
      await device.activate(await bench.uem.addQr({ userId: 'device@example.com' }), { onSend: (name) => name !== 'activationDone' });
    },
    act: () => device.done(),
    stored: () => recordOf(device)?.status,
    events: () => [{ ...about(), userGuid, type: 'DEVICE_ACTIVATED' }],
  },
  'an activation that is refused at A7': {
    async begin() {
      device = new DocumentDevice(bench.uem, 'second');
      await device.activate(await bench.uem.addQr({ userId: 'device@example.com' }), { onSend: (name) => name !== 'activationDone' });
      await changeProfile({ allowedDevices: 1 });
    },
    act: () => device.done(),
    stored: () => recordOf(device)?.status,
    events: () => [{ ...about(), userGuid, type: 'ACTIVATION_REFUSED', refusal: 'deviceLimit' }],
  },
};

describe('what a device does is an event, in the transaction of its change', () => {
  it.each(Object.entries(CHANGES))('%s', async (_name, { begin, act, stored, events }) => {
    await begin?.();
    const before = { last: last(), stored: stored() };
    const allowEvents = refuseEvents();
    await act();
    allowEvents();
    // Neither without the other.
    expect([stored(), last()]).toEqual([before.stored, before.last]);
    await act();
    expect(stored()).not.toEqual(before.stored);
    const told = (): readonly EventRecord[] => eventsAfter(before.last).filter(({ type }) => !type.startsWith('COMMAND_'));
    const expected = events().map((event) => expect.objectContaining({ timeMs: bench.uem.clock.nowMs(), ...event }));
    expect(told()).toEqual(expected);
    await act();
    expect(told()).toEqual(expected);
  });
});

describe('a refusal of an activation is an event, in the transaction that keeps it', () => {
  it.each<[wire.ActivationRefusalReason, () => Promise<void>]>([
    ['kindNotAllowed', () => changeProfile({ deviceKinds: ['ios'] })],
    ['modelNotAllowed', () => changeProfile({ modelRestriction: { rule: 'disallow', models: ['Emulator'] } })],
    ['osTooOld', () => changeProfile({ minimumOsVersions: { 'android-enterprise': '15' } })],
    ['activationTypeNotAvailable', () => changeProfile({ activationTypes: { 'android-enterprise': [{ ...PROFILE, activationType: 'no-such-type' }] } })],
    ['deviceLimit', () => changeProfile({ allowedDevices: 1 })],
    ['licenceLimit', () => bench.store.transaction((tx) => putActivationSettings(tx, { ...DEFAULT_ACTIVATION_SETTINGS, licences: 1 }))],
    [
      'compliance',
      async () => {
        bench.uem.blocked = 'the device is rooted';
      },
    ],
  ])('%s', async (refusal, forbid) => {
    await forbid();
    const secret = await bench.uem.addQr({ userId: 'device@example.com' });
    const stored = (): number => bench.store.read((view) => listActivationRefusals(view, userGuid)).length;
    const before = last();
    const activate = (): Promise<unknown> => new DocumentDevice(bench.uem, 'second').activate(secret);
    const allowEvents = refuseEvents();
    await activate();
    allowEvents();
    expect([stored(), last()]).toEqual([0, before]);
    await activate();
    expect(stored()).toBe(1);
    const reason = refusal === 'compliance' ? 'the device is rooted' : expect.any(String);
    expect(eventsAfter(before)).toEqual([{ sequence: before + 1, timeMs: bench.uem.clock.nowMs(), type: 'ACTIVATION_REFUSED', userGuid, refusal, reason }]);
  });
});
