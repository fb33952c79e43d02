import { sameBytes, toHex, writeAppActivation } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEntitlementSweep, MAX_APPS_PER_STEP } from '../../src/configuration/entitlement-sweep.ts';
import { linkById } from '../../src/roles/noc/noc-links.ts';
import { MAX_FAILED_PROOFS, MAX_SET_UPS, USED_KEY_KEPT_MS } from '../../src/state/access-keys.ts';
import {
  type AppInstanceRecord,
  appInstanceById,
  deleteAppInstances,
  listAllAppInstances,
  listAppInstances,
  MAX_APP_INSTANCES_PER_USER,
  putAppInstance,
} from '../../src/state/app-instances.ts';
import { putApplicationServer } from '../../src/state/applications.ts';
import { deleteAssignment } from '../../src/state/assignments.ts';
import { endDevice } from '../../src/state/device-lifecycle.ts';
import { deviceById } from '../../src/state/devices.ts';
import { listEvents } from '../../src/state/events.ts';
import { nocMessage } from '../../src/state/noc-outbox.ts';
import { deleteUser } from '../../src/state/users.ts';
import type { LabStore } from '../../src/store/lab-store.ts';
import { APP_ID, AppLab, INSTANCE, KeyDevice, spoiled, TENANT, TestApp, type TestAppOptions } from '../support/app-bench.ts';
import { crypto, NOW_MS, ROOT, USER } from '../support/uem-bench.ts';

let lab: AppLab;
beforeEach(async () => {
  lab = await AppLab.start();
});

const OTHER = new Uint8Array(16).fill(7);
const instance = () => lab.uem.store.read((view) => appInstanceById(view, toHex(INSTANCE)));
const link = (linkId: Uint8Array) => lab.nocStore.read((view) => linkById(view, toHex(linkId)));
const isEnvelope = (frame: Uint8Array): boolean => wire.peekFrameName(frame) === 'nocEnvelope';
/** Loses the answer to the n-th envelope: 0 is M3, 1 is 0x41. */
const losing = (nth: number): Pick<TestAppOptions, 'onAnswer'> => {
  let seen = -1;
  return {
    onAnswer: (frame) => {
      if (isEnvelope(frame)) seen += 1;
      return isEnvelope(frame) && seen === nth ? undefined : frame;
    },
  };
};
const reasons = (): readonly string[] => lab.uem.reasons;

describe('an app with a typed key (F3.7 to F3.11)', () => {
  it('gets its keys, configuration and policy from UEM; the key is used up, and the NOC hears of it', async () => {
    const guid = `guid-of-${APP_ID}`;
    const servers = [
      { host: 'b.example', port: 8_443, priority: 2 },
      { host: 'a.example', port: 443, priority: 1 },
    ];
    await lab.uem.store.transaction((tx) => putApplicationServer(tx, { guid: 's', name: 'S', applicationGuid: guid, servers, updatedAtMs: NOW_MS }));
    const { key, keyId } = await lab.typedKey();
    const app = new TestApp(lab, { key });
    expect(await app.run()).toBe('activated');
    const { data, link: given } = app.output as NonNullable<typeof app.output>;
    expect(data).toMatchObject({ proxies: [], tenantRoots: [ROOT], policy: {} });
    expect([data.deviceId, data.deviceKeyHash]).toEqual([undefined, undefined]);
    expect(data.configuration).toMatchObject({
      appServers: [
        { server: 'a.example', port: 443, priority: 1 },
        { server: 'b.example', port: 8_443, priority: 2 },
      ],
      appHost: 'a.example',
      appPort: 443,
      userId: USER,
      containerId: toHex(INSTANCE),
      enterpriseId: TENANT,
    });
    expect(instance()).toMatchObject({ appId: APP_ID, appVersion: '1.0.0.0', platform: 'android', keyId, linkId: toHex(given.linkId) });
    expect(toHex(instance()?.masterSessionKey as Uint8Array)).toBe(toHex(data.masterSessionKey));
    expect(lab.key(keyId)).toMatchObject({ used: { linkId: toHex(given.linkId) } });
    expect(lab.key(keyId)?.setUpPsk).toBeUndefined();
    expect(lab.events.map(({ type }) => type)).toEqual(['ACCESS_KEY_CREATED', 'ACCESS_KEY_USED']);
    expect(lab.events[1]).toMatchObject({ keyId, userGuid: lab.userGuid, applicationId: APP_ID });
    await lab.sync();
    expect(link(given.linkId)).toMatchObject({ status: 'active' });
    expect(
      lab.uem.journal.entries().flatMap(({ role, step, answer }) => (role === 'uem' && step?.startsWith('F3') === true ? [`${step} ${answer}`] : [])),
    ).toEqual(['F3.10 handshakeReply', 'F3.11 record', 'F3.11 record']);
  });

  it('UEM’s static key is one for all apps, and a point', async () => {
    const keys: string[] = [];
    for (const instanceId of [INSTANCE, OTHER]) {
      const app = new TestApp(lab, { key: (await lab.typedKey()).key, instanceId });
      expect(await app.run()).toBe('activated');
      const { coreKeyExchangeKey } = (app.output as NonNullable<typeof app.output>).data;
      crypto.p256Ecdh(new Uint8Array(32).fill(1), coreKeyExchangeKey);
      keys.push(toHex(coreKeyExchangeKey));
    }
    expect(new Set(keys).size).toBe(1);
  });

  it('nothing that the NOC sees or holds opens what passes through it', async () => {
    const { key } = await lab.typedKey();
    const app = new TestApp(lab, { key });
    await app.run();
    const { data } = app.output as NonNullable<typeof app.output>;
    const stored = lab.nocStore.read((view) => view.range({ prefix: '', limit: 10_000 })).map(({ value }) => toHex(value));
    const seen = [...stored, ...app.sent.map(toHex), ...app.answers.map(toHex), JSON.stringify(lab.uem.journal.entries())].join('\n');
    const accessKey = Buffer.from(key.accessKey).toString('hex');
    for (const secret of [toHex(data.masterSessionKey), accessKey]) expect(seen).not.toContain(secret);
  });
});

describe('rule 1: whose key it is', () => {
  it.each([
    ['token', { tokenId: new Uint8Array(16) }],
    ['link', { linkId: new Uint8Array(16) }],
    ['tenant', { tenantId: 'other' }],
  ])('another %s around the message than the app knows is refused', async (_what, lie) => {
    const { key } = await lab.typedKey();
    const pass = lab.pass.bind(lab);
    lab.pass = (service, frame) =>
      pass(service, service === 'setUp' ? wire.nocSetUp.encode({ ...wire.nocSetUp.decode(wire.parseFrame(frame)), ...lie }) : frame);
    expect(await new TestApp(lab, { key }).run()).toBe('ERR_REJECTED_CREDENTIALS');
    expect(instance()).toBeUndefined();
  });

  it('another tenant is refused, also when the NOC has told the app the same lie', async () => {
    const { key } = await lab.typedKey();
    const pass = lab.pass.bind(lab);
    lab.pass = (service, frame) =>
      pass(service, service === 'setUp' ? wire.nocSetUp.encode({ ...wire.nocSetUp.decode(wire.parseFrame(frame)), tenantId: 'other' }) : frame);
    const onAnswer: TestAppOptions['onAnswer'] = (frame) =>
      wire.peekFrameName(frame) === 'nocProvision'
        ? wire.nocProvision.encode({ ...wire.nocProvision.decode(wire.parseFrame(frame)), tenantId: 'other' })
        : frame;
    expect(await new TestApp(lab, { key }).run({ onAnswer })).toBe('ERR_REJECTED_CREDENTIALS');
  });

  it('a key that was used opens nothing any more, whatever the NOC says', async () => {
    const { key, keyId } = await lab.typedKey();
    const app = new TestApp(lab, { key });
    await app.run();
    // The NOC has not heard of it, and lets the token through again.
    const [setUp] = app.sent.filter((frame) => wire.peekFrameName(frame) === 'handshakeStart');
    const told = lab.passed.find(({ service }) => service === 'setUp')?.frame as Uint8Array;
    expect(setUp).toBeDefined();
    const answer = await lab.pass('setUp', told);
    expect(answer.status === 'answered' ? wire.peekFrameName(answer.frame) : answer.status).toBe('alert');
    expect(reasons().at(-1)).toBe('no such access key, or it is used, expired or dead');
    expect(lab.key(keyId)?.used).toBeDefined();
  });

  it('an expired key is none, also for a set-up message that the NOC has let through in time', async () => {
    const { key } = await lab.typedKey({ lifeMs: 60_000 });
    const pass = lab.pass.bind(lab);
    let held: Uint8Array | undefined;
    lab.pass = async (_service, frame) => {
      held = frame;
      return { status: 'busy', retryAfterS: 1 };
    };
    expect(await new TestApp(lab, { key }).run()).toBe('lost');
    await lab.uem.clock.advance(60_000);
    const answer = await pass('setUp', held as Uint8Array);
    expect(answer.status === 'answered' ? wire.peekFrameName(answer.frame) : answer.status).toBe('alert');
    expect(reasons().at(-1)).toBe('no such access key, or it is used, expired or dead');
  });
});

describe('rule 2: failed proofs', () => {
  it('five kill the key: wrong mac1 and wrong mac3 together; the NOC is told, the event says so', async () => {
    const { key, keyId } = await lab.typedKey();
    const wrongStart: TestAppOptions['onSend'] = (name, frame) => (name === 'handshakeStart' ? spoiled(frame) : frame);
    const wrongFinish: TestAppOptions['onSend'] = (name, frame) => {
      if (name !== 'nocEnvelope') return frame;
      const { sessionId, frame: inner } = wire.nocEnvelope.decode(wire.parseFrame(frame));
      return wire.nocEnvelope.encode({ sessionId, frame: spoiled(inner) });
    };
    for (let index = 0; index < MAX_FAILED_PROOFS; index++) {
      expect(lab.key(keyId)?.failedProofs).toBe(index);
      const app = new TestApp(lab, { key });
      // A wrong mac3 was made on the way: UEM has proved by then that it has the key.
      const [onSend, ends] = index % 2 === 0 ? ([wrongStart, 'ERR_REJECTED_CREDENTIALS'] as const) : ([wrongFinish, 'ERR_TRANSPORT_CLOSED'] as const);
      expect(await app.run({ onSend })).toBe(ends);
    }
    expect(lab.key(keyId)).toBeUndefined();
    expect(lab.events.at(-1)).toMatchObject({ type: 'ACCESS_KEY_REFUSED', keyId, reason: '5 failed proofs: the key is dead' });
    expect([lab.uem.told.at(-1), lab.uem.store.read((view) => nocMessage(view, keyId))]).toEqual([keyId, { kind: 'withdraw' }]);
    await lab.sync();
    expect(await new TestApp(lab, { key }).run()).toBe('ERR_REJECTED_CREDENTIALS');
  });

  it('are counted for the key, not for the session or the app', async () => {
    const { key, keyId } = await lab.typedKey();
    const onSend: TestAppOptions['onSend'] = (name, frame) => (name === 'handshakeStart' ? spoiled(frame) : frame);
    await new TestApp(lab, { key }).run({ onSend });
    await new TestApp(lab, { key, instanceId: OTHER }).run({ onSend });
    expect(lab.key(keyId)?.failedProofs).toBe(2);
    expect(await new TestApp(lab, { key }).run()).toBe('activated');
  });

  it('that cannot be written down is no proof at all: UEM is busy, and the session is given up', async () => {
    const { key, keyId } = await lab.typedKey();
    const app = new TestApp(lab, { key });
    let writes = 0;
    const transaction = lab.uem.store.transaction.bind(lab.uem.store);
    lab.uem.store.transaction = (fn) => {
      // The charge is the first write of the run, the count the second.
      if (++writes === 2) lab.uem.store.fault = 'disk-full';
      return transaction(fn).finally(() => {
        lab.uem.store.fault = undefined;
      });
    };
    expect(await app.run({ onSend: (name, frame) => (name === 'handshakeStart' ? spoiled(frame) : frame) })).toBe('lost');
    expect(lab.key(keyId)?.failedProofs).toBe(0);
  });
});

describe('rule 3: set-up messages', () => {
  it('are five in ten minutes for each key', async () => {
    const { key, keyId } = await lab.typedKey();
    const app = new TestApp(lab, { key });
    const stop: Pick<TestAppOptions, 'onSend'> = { onSend: (name, frame) => (name === 'nocEnvelope' ? undefined : frame) };
    for (let index = 0; index < MAX_SET_UPS; index++) expect(await app.run(stop)).toBe('lost');
    expect(lab.key(keyId)?.setUpsMs).toHaveLength(MAX_SET_UPS);
    expect(await app.run()).toBe('ERR_TRANSPORT_CLOSED');
    expect(reasons().at(-1)).toBe('more than 5 set-up messages in ten minutes');
    await lab.uem.clock.advance(600_000);
    expect(await new TestApp(lab, { key }).run()).toBe('activated');
  });

  it('the same bytes in a live session get the same answer and cost nothing', async () => {
    const { key, keyId } = await lab.typedKey();
    const app = new TestApp(lab, { key });
    await app.run({ onSend: (name, frame) => (name === 'nocEnvelope' ? undefined : frame) });
    const { frame, answer } = lab.passed.at(-1) as (typeof lab.passed)[number];
    const again = await lab.pass('setUp', frame);
    expect(again.status === 'answered' && sameBytes(again.frame, answer as Uint8Array)).toBe(true);
    expect(lab.key(keyId)?.setUpsMs).toHaveLength(1);
  });

  it('a run ends after 30 seconds, with its secrets; the same bytes begin another one', async () => {
    const { key, keyId } = await lab.typedKey();
    const app = new TestApp(lab, { key });
    let finish: Uint8Array | undefined;
    await app.run({
      onSend: (name, frame) => {
        if (name !== 'nocEnvelope') return frame;
        finish = frame;
        return undefined;
      },
    });
    await lab.uem.clock.advance(wire.LIMITS.handshakeMs);
    const answer = await lab.pass('envelopes', finish as Uint8Array);
    expect(answer.status === 'answered' ? wire.peekFrameName(answer.frame) : answer.status).toBe('alert');
    expect(reasons().at(-1)).toBe('no such session');
    const { frame } = lab.passed.find(({ service }) => service === 'setUp') as (typeof lab.passed)[number];
    await lab.pass('setUp', frame);
    expect(lab.key(keyId)?.setUpsMs).toHaveLength(2);
  });
});

describe('rule 4: the first installation', () => {
  it('that proves a key is the only one; another is refused and reported', async () => {
    const { key, keyId } = await lab.typedKey();
    const first = new TestApp(lab, { key });
    expect(await first.run(losing(0))).toBe('lost');
    expect(lab.key(keyId)?.boundTo).toMatchObject({ instanceId: toHex(INSTANCE), appId: APP_ID });
    const second = new TestApp(lab, { key, instanceId: OTHER });
    expect(await second.run()).toBe('ERR_REJECTED_CREDENTIALS');
    expect(lab.events.at(-1)).toMatchObject({
      type: 'ACCESS_KEY_REFUSED',
      keyId,
      applicationId: APP_ID,
      reason: 'another installation, or another token, proved it first',
    });
    expect(await first.run()).toBe('activated');
  });

  it.each([
    ['another installation', { instanceId: OTHER }],
    ['another app', { appId: 'com.example.other' }],
  ])('%s with the same token is refused', async (_what, other) => {
    await lab.addApplication('com.example.other');
    const { key } = await lab.typedKey();
    const first = new TestApp(lab, { key });
    await first.run(losing(0));
    const second = new TestApp(lab, { key, ...other });
    const { key: place, value } = writeAppActivation({ ...first.record, ...other });
    second.store.set(place, value as Uint8Array);
    expect(await second.run()).toBe('ERR_REJECTED_CREDENTIALS');
    expect(second.sent.map((frame) => wire.peekFrameName(frame))).toEqual(['handshakeStart', 'nocEnvelope']);
    expect(lab.events.at(-1)?.reason).toBe('another installation, or another token, proved it first');
  });

  it('keeps its token: the same installation with another one is refused', async () => {
    const { key } = await lab.typedKey();
    expect(await new TestApp(lab, { key }).run(losing(0))).toBe('lost');
    // Everything that it had is gone, its token too.
    expect(await new TestApp(lab, { key }).run()).toBe('ERR_REJECTED_CREDENTIALS');
    expect(lab.events.at(-1)?.reason).toBe('another installation, or another token, proved it first');
  });
});

describe('rule 5: an assisted key', () => {
  it('activates the app that asked for it, on the device that asked', async () => {
    const device = await KeyDevice.activated(lab);
    const { key, keyId } = await device.key();
    const app = new TestApp(lab, { key, device: device.identity });
    expect(await app.run()).toBe('activated');
    const { data } = app.output as NonNullable<typeof app.output>;
    expect([data.deviceId, toHex(data.deviceKeyHash as Uint8Array)]).toEqual([device.deviceId, toHex(device.identity.deviceKeyHash)]);
    expect(instance()).toMatchObject({ deviceId: device.deviceId, keyId });
    expect(lab.events.at(-1)).toMatchObject({ type: 'ACCESS_KEY_USED', deviceId: device.deviceId });
  });

  it.each<[string, (device: KeyDevice) => Partial<TestAppOptions>]>([
    ['another app', (device) => ({ appId: 'com.example.other', device: device.identity })],
    ['another installation', (device) => ({ instanceId: OTHER, device: device.identity })],
    ['another device', (device) => ({ device: { ...device.identity, deviceId: 'other' } })],
    ['another key of the device', (device) => ({ device: { ...device.identity, deviceKeyHash: new Uint8Array(32) } })],
    ['no device', () => ({})],
  ])('does not activate %s', async (_what, options) => {
    const device = await KeyDevice.activated(lab);
    await lab.addApplication('com.example.other');
    const { key } = await device.key();
    expect(await new TestApp(lab, { key, ...options(device) }).run()).toBe('ERR_REJECTED_CREDENTIALS');
    expect(instance()).toBeUndefined();
  });
});

describe('the app', () => {
  it.each([
    ['is not in the catalogue', 'com.example.unknown'],
    ['is not assigned to the user', 'com.example.unassigned'],
  ])('that %s is refused and reported, on the typed path too', async (_what, appId) => {
    await lab.addApplication('com.example.unassigned', { assigned: false });
    const { key, keyId } = await lab.typedKey();
    expect(await new TestApp(lab, { key, appId }).run()).toBe('ERR_REJECTED_CREDENTIALS');
    expect(lab.events.at(-1)).toMatchObject({ type: 'ACCESS_KEY_REFUSED', keyId, applicationId: appId });
    expect(lab.key(keyId)?.used).toBeUndefined();
  });

  it('of a user who was deleted meanwhile is refused', async () => {
    const { key } = await lab.typedKey();
    await lab.uem.store.transaction((tx) => void deleteUser(tx, lab.userGuid));
    expect(await new TestApp(lab, { key }).run()).toBe('ERR_REJECTED_CREDENTIALS');
  });
});

describe('rule 6: master session keys', () => {
  it('live from their 0x41 on, and the one before is gone then', async () => {
    const { key } = await lab.typedKey();
    const first = new TestApp(lab, { key });
    expect(await first.run({ onSend: (name, frame) => (name === 'nocEnvelope' && first.sent.length > 2 ? undefined : frame) })).toBe('lost');
    expect(instance()).toBeUndefined();
    expect(await first.run()).toBe('activated');

    const again = new TestApp(lab, { key: (await lab.typedKey()).key });
    expect(await again.run()).toBe('activated');
    const { data } = again.output as NonNullable<typeof again.output>;
    expect(toHex(instance()?.masterSessionKey as Uint8Array)).toBe(toHex(data.masterSessionKey));
    expect(lab.uem.store.read((view) => listAppInstances(view, lab.userGuid))).toHaveLength(1);
  });

  it('a session that another one has overtaken finds the key used, and its own key never lives', async () => {
    const { key, keyId } = await lab.typedKey();
    const slow = new TestApp(lab, { key });
    const fast = new TestApp(lab, { key });
    let held: Uint8Array | undefined;
    let envelopes = 0;
    await slow.run({
      onSend: (name, frame) => {
        if (name !== 'nocEnvelope') return frame;
        // The same installation, as it was before it had its data: it dies now and begins again with the token.
        if (envelopes++ === 0) for (const [place, value] of slow.store) fast.store.set(place, value);
        else held = frame;
        return envelopes === 1 ? frame : undefined;
      },
    });
    expect(await fast.run()).toBe('activated');
    await lab.pass('envelopes', held as Uint8Array);
    expect(reasons().at(-1)).toBe('the access key was used or taken back meanwhile');
    expect(lab.events.filter(({ type }) => type === 'ACCESS_KEY_USED')).toHaveLength(1);
    const { data } = fast.output as NonNullable<typeof fast.output>;
    expect(toHex(instance()?.masterSessionKey as Uint8Array)).toBe(toHex(data.masterSessionKey));
    expect(lab.key(keyId)?.used).toBeDefined();
  });
});

describe('the link of an app that is none of the tenant any more (F10.2)', () => {
  const given = (app: TestApp): Uint8Array => (app.output as NonNullable<typeof app.output>).link.linkId;
  const activated = async (options: Omit<TestAppOptions, 'key'> & { readonly key?: TestAppOptions['key'] } = {}): Promise<TestApp> => {
    const app = new TestApp(lab, { ...options, key: options.key ?? (await lab.typedKey()).key });
    expect(await app.run()).toBe('activated');
    await lab.sync();
    expect(link(given(app))).toMatchObject({ status: 'active' });
    return app;
  };
  const waits = (app: TestApp): string | undefined => lab.uem.store.read((view) => nocMessage(view, toHex(given(app))))?.kind;

  it('ends when the same installation is activated again, and the new one lives', async () => {
    const first = await activated();
    const again = await activated();
    expect([link(given(first)), lab.ended]).toEqual([undefined, [toHex(given(first))]]);
    expect([link(given(again))?.status, waits(first)]).toEqual(['active', undefined]);
  });

  it('ends when its user is deleted, and that of others does not', async () => {
    const [first, second] = [await activated(), await activated({ instanceId: OTHER })];
    await lab.uem.store.transaction((tx) => deleteAppInstances(tx, lab.userGuid));
    // Durable with the deletion, so that a crash now loses neither.
    lab.uem.restart();
    expect([waits(first), waits(second)]).toEqual(['endLink', 'endLink']);
    await lab.sync();
    expect([link(given(first)), link(given(second)), waits(first)]).toEqual([undefined, undefined, undefined]);
  });

  it.each(['removed', 'deactivated'] as const)('ends when its device is %s; an app of another device stays', async (status) => {
    const device = await KeyDevice.activated(lab);
    const mine = await activated({ key: (await device.key()).key, device: device.identity });
    const elsewhere = await activated({ instanceId: OTHER });
    await lab.uem.store.transaction((tx) => {
      const record = deviceById(tx, device.identity.deviceId);
      if (record !== undefined) endDevice(tx, record, { status, reason: 'test' }, NOW_MS);
    });
    await lab.sync();
    expect([instance(), link(given(mine)), link(given(elsewhere))?.status]).toEqual([undefined, undefined, 'active']);
  });

  it('ends when it is not assigned to its user any more, also when that is found out after a start; a step that failed is tried again', async () => {
    const app = await activated();
    const failures: unknown[] = [];
    let isBroken = true;
    const store: LabStore = {
      read: (fn) => lab.uem.store.read(fn),
      transaction: (fn) => (isBroken ? Promise.reject(new Error('disk')) : lab.uem.store.transaction(fn)),
      close: async () => {},
    };
    const { clock } = lab.uem;
    const sweep = createEntitlementSweep({ clock, store, failed: (error) => void failures.push(error) });
    sweep.start();
    await clock.settle();
    expect([instance()?.appId, failures]).toEqual([APP_ID, []]);
    const object = { kind: 'application', id: `guid-of-${APP_ID}` } as const;
    await lab.uem.store.transaction((tx) => deleteAssignment(tx, { kind: 'user', id: lab.userGuid }, object));
    sweep.start();
    await clock.settle();
    expect([instance()?.appId, failures.length]).toEqual([APP_ID, 1]);
    isBroken = false;
    await clock.advance(1_000);
    // It may still hear that from UEM, and from nobody else.
    expect([instance()?.endingSinceMs !== undefined, waits(app)]).toEqual([true, 'narrowLink']);
    await lab.sync();
    expect(link(given(app))?.status).toBe('coreOnly');
    const ended = lab.uem.store.read((view) => listEvents(view, { after: 0, limit: 1_000 })).filter(({ type }) => type === 'APPLICATION_ENDED');
    expect(ended).toMatchObject([{ userGuid: lab.userGuid, applicationId: APP_ID, reason: 'the app is not assigned to its user any more' }]);
    // One that never asks ends with its session key.
    await clock.advance((instance() as AppInstanceRecord).sessionKeyExpiresAtMs - clock.nowMs());
    sweep.start();
    await clock.settle();
    expect([instance(), waits(app)]).toEqual([undefined, 'endLink']);
    sweep.close();
    sweep.start();
  });

  it('ends with those behind the first page; a change that comes while they are looked at is looked at, too', async () => {
    await activated();
    const record = instance() as AppInstanceRecord;
    const ids = Array.from({ length: MAX_APPS_PER_STEP + 1 }, (_, index) => (index + 1).toString(16).padStart(32, '0'));
    await lab.uem.store.transaction((tx) => {
      for (const instanceId of ids) putAppInstance(tx, { ...record, instanceId, linkId: instanceId });
    });
    const { clock, store } = lab.uem;
    const sweep = createEntitlementSweep({ clock, store, failed: () => {} });
    sweep.start();
    const object = { kind: 'application', id: `guid-of-${APP_ID}` } as const;
    await store.transaction((tx) => deleteAssignment(tx, { kind: 'user', id: lab.userGuid }, object));
    sweep.start();
    await clock.advance(10);
    const apps = store.read((view) => listAllAppInstances(view, { limit: MAX_APPS_PER_STEP * 2 }));
    expect(apps.filter(({ record: { endingSinceMs } }) => endingSinceMs === undefined)).toEqual([]);
    expect(apps).toHaveLength(MAX_APPS_PER_STEP + 2);
    sweep.close();
  });

  it('ends when it makes room for a newer app of its user', async () => {
    const oldest = await activated();
    const record = instance() as AppInstanceRecord;
    // Written again it is the same app.
    await lab.uem.store.transaction((tx) => putAppInstance(tx, record));
    expect(waits(oldest)).toBeUndefined();
    await lab.uem.store.transaction((tx) => {
      for (let index = 0; index < MAX_APP_INSTANCES_PER_USER; index++) {
        const instanceId = index.toString(16).padStart(32, '0');
        putAppInstance(tx, { ...record, instanceId, linkId: instanceId, activatedAtMs: record.activatedAtMs + 1 + index });
      }
    });
    expect([waits(oldest), instance()]).toEqual(['endLink', undefined]);
  });
});

describe('rule 7: a lost last answer', () => {
  it('is given again for the same 0x41, also after a restart of UEM; the key is used once', async () => {
    const { key } = await lab.typedKey();
    const app = new TestApp(lab, { key });
    expect(await app.run(losing(1))).toBe('lost');
    lab.uem.restart();
    await lab.sync();
    expect(await app.run()).toBe('activated');
    expect(sameBytes(app.sent.at(-1) as Uint8Array, app.sent.at(-2) as Uint8Array)).toBe(true);
    expect(lab.events.filter(({ type }) => type === 'ACCESS_KEY_USED')).toHaveLength(1);
    expect(reasons()).toContain('repeated');
  });

  it('is given to each of the same 0x41 when they come at once', async () => {
    const { key } = await lab.typedKey();
    let frames = 0;
    const last: (Uint8Array | undefined)[] = [];
    const way = {
      apps: 0,
      nowMs: () => lab.nowMs(),
      async exchange(frame: Uint8Array) {
        frames += 1;
        if (frames < 4) return lab.exchange(frame);
        last.push(...(await Promise.all([lab.exchange(frame.slice()), lab.exchange(frame.slice())])));
        return last[1];
      },
    };
    expect(await new TestApp(way, { key }).run()).toBe('activated');
    expect(last[0]).toEqual(last[1]);
    expect(lab.events.filter(({ type }) => type === 'ACCESS_KEY_USED')).toHaveLength(1);
  });

  it('is not given for other bytes, nor after a day', async () => {
    const { key } = await lab.typedKey();
    const app = new TestApp(lab, { key });
    await app.run(losing(1));
    const last = app.sent.at(-1) as Uint8Array;
    const told = async (frame: Uint8Array): Promise<string | undefined> => {
      const answer = await lab.pass('envelopes', frame);
      return answer.status === 'answered' ? wire.peekFrameName(answer.frame) : answer.status;
    };
    expect([await told(spoiled(last)), await told(last)]).toEqual(['alert', 'nocEnvelope']);
    await lab.uem.clock.advance(USED_KEY_KEPT_MS);
    expect(await told(last)).toBe('alert');
  });
});

describe('what the NOC passes on', () => {
  it('is taken from the NOC alone', async () => {
    const { key } = await lab.typedKey();
    lab.uem.caller = 'infrastructure';
    expect(await new TestApp(lab, { key }).run()).toBe('ERR_REJECTED_CREDENTIALS');
    lab.uem.caller = { refused: 'no role certificate' };
    expect(await new TestApp(lab, { key }).run()).toBe('ERR_REJECTED_CREDENTIALS');
    expect(reasons()).toEqual(expect.arrayContaining(['role infrastructure may not do this', 'no role certificate']));
  });

  it('a full disk is no verdict: UEM is busy, and the app goes on later', async () => {
    const { key } = await lab.typedKey();
    const app = new TestApp(lab, { key });
    await app.run({ onSend: (name, frame) => (name === 'handshakeStart' ? undefined : frame) });
    lab.uem.store.fault = 'disk-full';
    expect(await app.run()).toBe('ERR_REJECTED_BUSY');
    lab.uem.store.fault = undefined;
    expect(await app.run()).toBe('activated');
  });

  it('sessions are given up when UEM ends', async () => {
    const { key } = await lab.typedKey();
    const app = new TestApp(lab, { key });
    let finish: Uint8Array | undefined;
    await app.run({
      onSend: (name, frame) => {
        if (name === 'nocEnvelope') finish = frame;
        return name === 'nocEnvelope' ? undefined : frame;
      },
    });
    lab.uem.role?.close();
    await lab.pass('envelopes', finish as Uint8Array);
    expect(reasons().at(-1)).toBe('no such session');
  });

  it.each([
    ['setUp', wire.nocEnvelope.encode({ sessionId: OTHER, frame: new Uint8Array(1) })],
    ['envelopes', wire.poll.encode({ reason: 'request' })],
    ['setUp', Uint8Array.of(1, 0x32, 0, 0, 0, 0, 0, 1, 0xa0)],
  ] as const)('a frame that does not belong to %s is refused', async (service, frame) => {
    const answer = await lab.pass(service, frame);
    expect(answer.status === 'answered' ? wire.alert.decode(wire.parseFrame(answer.frame)).code : answer.status).toBe('badMessage');
  });
});
