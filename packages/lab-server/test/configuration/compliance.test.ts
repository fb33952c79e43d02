import { seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { COMPLIANCE_RULES } from '../../src/compliance/activation-verdict.ts';
import type { ComplianceContent } from '../../src/compliance/compliance-content.ts';
import { createComplianceSweep } from '../../src/compliance/sweep.ts';
import { timeText } from '../../src/mail/queue-mail.ts';
import { deviceById } from '../../src/state/devices.ts';
import { putEmailTemplate } from '../../src/state/email-templates.ts';
import { listMails, type MailRecord } from '../../src/state/mails.ts';
import { dueSupervisions, supervisionOf } from '../../src/state/supervision.ts';
import { updateUser, userByGuid } from '../../src/state/users.ts';
import { ConfigurationBench, type DocumentDevice } from '../support/configuration-bench.ts';
import { DAY_MS, frameIn, NOW_MS } from '../support/uem-bench.ts';

const HOUR_MS = 3_600_000;

describe('UEM watches a device in virtual time', () => {
  let bench: ConfigurationBench;
  let device: DocumentDevice;
  let sweep: ReturnType<typeof createComplianceSweep>;
  const failures: unknown[] = [];
  /** How often the sweep told the mailer to look. */
  let mailsTold = 0;

  beforeEach(async () => {
    mailsTold = 0;
    bench = await ConfigurationBench.start();
    device = await bench.addDevice();
    failures.length = 0;
    startSweep();
  });

  function startSweep(): void {
    const { clock, store } = bench.uem;
    sweep = createComplianceSweep({
      clock,
      store,
      entropy: seededEntropy('sweep'),
      wake: (id) => bench.woken.push(id),
      mailWaits: () => void mailsTold++,
      failed: (error) => failures.push(error),
    });
    sweep.start();
  }

  const comply = async (content: ComplianceContent): Promise<void> => {
    await bench.admin.updateConfigurationProfile('default-compliance', { kind: 'compliance', name: 'Rules', content });
    sweep.start();
    await bench.settle();
  };
  const report = async (data: object): Promise<readonly string[]> => {
    device.answers.set('REQUEST_DEVICE_INFO', { data: data as never });
    await bench.uem.send(device.deviceId, 'REQUEST_DEVICE_INFO');
    return device.work();
  };
  const status = (): string | undefined => bench.store.read((view) => deviceById(view, device.deviceId)?.status);
  const findings = () => bench.admin.complianceFindings(device.deviceId);

  it('asks three times, then deletes work data; the device hears it with each poll', async () => {
    await comply({ passwordMissing: { action: 'DELETE_WORK_DATA' } });
    expect(await device.work()).toEqual(['UPDATE_PROFILES']);
    expect(await report({ passwordSet: false })).toEqual(['REQUEST_DEVICE_INFO', 'UPDATE_COMPLIANCE_STATUS']);
    expect(findings()).toMatchObject([{ rule: 'passwordMissing', displayName: 'the device has no password', sinceMs: NOW_MS, prompts: 1 }]);
    for (const prompts of [2, 3]) {
      await bench.uem.clock.advance(4 * HOUR_MS - 1);
      expect(await device.work()).toEqual([]);
      await bench.uem.clock.advance(1);
      expect(bench.woken.at(-1)).toBe(device.deviceId);
      expect(await device.work()).toEqual(['UPDATE_COMPLIANCE_STATUS']);
      expect(findings()).toMatchObject([{ prompts }]);
    }
    await bench.uem.clock.advance(4 * HOUR_MS);
    expect(await device.work()).toEqual(['DELETE_WORK_SPACE_DATA']);
    expect(status()).toBe('deactivated');
    expect(bench.store.read((view) => dueSupervisions(view, 10))).toEqual([]);
    expect(failures).toEqual([]);
  });

  it('stops asking when the device keeps the rules again, and tells it', async () => {
    await comply({ passwordMissing: { action: 'REMOVE_FROM_SERVER' } });
    await device.work();
    await report({ passwordSet: false });
    expect(await report({ passwordSet: true })).toEqual(['REQUEST_DEVICE_INFO', 'UPDATE_COMPLIANCE_STATUS']);
    expect(findings()).toEqual([]);
    await bench.uem.clock.advance(5 * DAY_MS);
    expect(await device.work()).toEqual([]);
    expect(status()).toBe('active');
  });

  it('a status that nobody has got yet is replaced by the newer one', async () => {
    await comply({ passwordMissing: { action: 'UNTRUST' } });
    await device.work();
    await report({ passwordSet: false });
    await bench.uem.clock.advance(9 * HOUR_MS);
    expect(bench.waiting(device.deviceId)).toEqual(['UPDATE_COMPLIANCE_STATUS']);
  });

  it('an untrusted device loses the resources of the company, and gets them back', async () => {
    const wifi = await bench.admin.createConfigurationProfile({ kind: 'wi-fi', name: 'Office', content: { ssid: 'Office', security: 'OPEN' } });
    await bench.admin.assign({ kind: 'user', id: 'guid-of-device@example.com' }, { kind: 'profile', id: wifi.profileId });
    await comply({ jailbroken: { action: 'UNTRUST', promptBehavior: 'IMMEDIATE' } });
    await device.work();
    expect(Object.keys(device.documents.profiles.parts)).toContain(wifi.profileId);
    await report({ compromised: true });
    expect(Object.keys(device.documents.profiles.parts)).not.toContain(wifi.profileId);
    expect(findings()).toMatchObject([{ acted: 'UNTRUST' }]);
    await report({ compromised: false });
    expect(Object.keys(device.documents.profiles.parts)).toContain(wifi.profileId);
  });

  it.each([
    ['android-enterprise', 'work-and-personal-full-control', 'DELETE_DEVICE_DATA'],
    ['android-enterprise', 'work-and-personal-user-privacy', 'DELETE_WORK_SPACE_DATA'],
    ['ios', 'user-privacy', 'DELETE_WORK_SPACE_DATA'],
  ])('all data of a device of kind %s with %s: %s', async (platform, activationType, type) => {
    const ids = await bench.addFleet(1, () => ({ info: { platform, osVersion: '15', model: 'Handset', clientVersion: '1' }, activationType }));
    await comply({ hardwareModel: { mode: 'DISALLOW', models: ['Handset'], action: 'DELETE_ALL_DATA', promptBehavior: 'IMMEDIATE' } });
    expect(bench.waiting(ids[0] as string)).toContain(type);
  });

  it('days without contact: the action comes when they are over, and contact in time puts it off', async () => {
    await comply({ noContact: { days: 7, action: 'REMOVE_FROM_SERVER', promptBehavior: 'IMMEDIATE' } });
    await device.work();
    await bench.uem.clock.advance(6 * DAY_MS);
    await device.work();
    await bench.uem.clock.advance(6 * DAY_MS);
    expect(status()).toBe('active');
    await bench.uem.clock.advance(DAY_MS);
    expect(status()).toBe('removed');
  });

  describe('days without contact are days on which UEM was there', () => {
    const rule = { noContact: { days: 7, action: 'DELETE_WORK_DATA', promptBehavior: 'IMMEDIATE' } } as const;

    it('a clock set forward by a year deletes nothing, and the device that stays away is found out after its days', async () => {
      await comply(rule);
      await device.work();
      bench.uem.clock.jumpWallClock(365 * DAY_MS);
      // As an administrator does, and before anything else has looked at the clock.
      await bench.admin.updatePolicy('default', { name: 'Default', rules: { password: { required: true } } });
      await bench.settle();
      await bench.uem.clock.advance(6 * DAY_MS);
      expect([findings(), bench.waiting(device.deviceId)]).toEqual([[], ['UPDATE_IT_POLICY']]);
      await bench.uem.clock.advance(DAY_MS);
      expect(bench.waiting(device.deviceId)).toContain('DELETE_WORK_SPACE_DATA');
    });

    it('nor does one that comes back, and devices that were dated into the future are found out all the same', async () => {
      await comply(rule);
      await device.work();
      bench.uem.clock.jumpWallClock(365 * DAY_MS);
      await bench.uem.clock.advance(HOUR_MS);
      // Refused by the clock, and there all the same.
      expect(wire.alert.decode(frameIn(await device.poll())).code).toBe('expired');
      bench.uem.clock.jumpWallClock(-365 * DAY_MS);
      await bench.uem.clock.advance(6 * DAY_MS);
      expect(findings()).toEqual([]);
      await bench.uem.clock.advance(DAY_MS + HOUR_MS);
      expect(findings()).toMatchObject([{ rule: 'noContact' }]);
    });

    it('devices that a wrong clock refuses make contact', async () => {
      await comply(rule);
      await device.work();
      bench.uem.clock.jumpWallClock(365 * DAY_MS);
      for (let day = 0; day < 10; day++) {
        await bench.uem.clock.advance(DAY_MS);
        expect(wire.alert.decode(frameIn(await device.poll())).code).toBe('expired');
      }
      expect([findings(), bench.waiting(device.deviceId)]).toEqual([[], []]);
    });

    it('a month in which UEM was off deletes nothing when it comes back', async () => {
      await comply(rule);
      await device.work();
      sweep.close();
      bench.uem.clock.jumpWallClock(30 * DAY_MS);
      bench.restart();
      startSweep();
      await bench.uem.clock.advance(HOUR_MS);
      expect(findings()).toEqual([]);
      expect(await device.work()).toEqual([]);
      expect(status()).toBe('active');
    });

    it('nor does a day on which it could store nothing', async () => {
      await comply({ noContact: { ...rule.noContact, days: 1 } });
      bench.uem.store.fault = 'disk-full';
      await bench.uem.clock.advance(DAY_MS + HOUR_MS);
      bench.uem.store.fault = undefined;
      await bench.uem.clock.advance(60_000);
      expect(failures.length).toBeGreaterThan(0);
      expect(findings()).toEqual([]);
      await bench.uem.clock.advance(DAY_MS);
      expect(findings()).toMatchObject([{ rule: 'noContact' }]);
    });
  });

  it('contact after days without ends the finding', async () => {
    await comply({ noContact: { days: 1, action: 'UNTRUST' } });
    await device.work();
    await bench.uem.clock.advance(DAY_MS + HOUR_MS);
    expect(findings()).toMatchObject([{ rule: 'noContact', prompts: 1 }]);
    expect(await device.work()).toEqual(['UPDATE_COMPLIANCE_STATUS', 'UPDATE_COMPLIANCE_STATUS']);
    expect(findings()).toEqual([]);
  });

  it('monitor and log: nothing happens to the device, the administrator sees it', async () => {
    await comply({ osVersion: { minimum: [{ osFamily: 'ANDROID', version: '15' }], action: 'MONITOR_AND_LOG', promptMethod: 'EMAIL' } });
    await bench.uem.clock.advance(DAY_MS);
    expect(findings()).toMatchObject([{ rule: 'osVersion', acted: 'MONITOR_AND_LOG', prompts: 3 }]);
    expect(status()).toBe('active');
    // A rule that is gone is broken by nobody.
    await comply({});
    expect(findings()).toEqual([]);
  });

  describe('prompts by mail', () => {
    const mails = (): readonly MailRecord[] => bench.store.read((view) => listMails(view, { limit: 100 }).map(({ record }) => record));
    const giveAddress = (): Promise<void> =>
      bench.store.transaction((tx) => {
        const user = userByGuid(tx, 'guid-of-device@example.com');
        if (user !== undefined) updateUser(tx, { ...user, email: 'Device@Example.com' });
      });

    it('each is sent once, also over kill -9 and looks in between, and is of no use when the next one is due', async () => {
      await giveAddress();
      await comply({ passwordMissing: { action: 'DELETE_WORK_DATA', promptMethod: 'EMAIL' } });
      await device.work();
      expect(await report({ passwordSet: false })).toEqual(['REQUEST_DEVICE_INFO']);
      for (const count of [1, 2, 3]) {
        const dueMs = NOW_MS + count * 4 * HOUR_MS;
        const next = count < 3 ? 'you are asked again' : 'the work data on the device is deleted';
        expect(mails()).toHaveLength(count);
        const [createdAtMs, to, templateId] = [dueMs - 4 * HOUR_MS, 'Device@Example.com', 'compliance'];
        expect(mails().at(-1)).toMatchObject({ status: 'waiting', to, deviceId: device.deviceId, templateId, createdAtMs, expiresAtMs: dueMs });
        expect(mails().at(-1)?.content?.text).toContain(`- the device has no password (notice ${count} of 3; ${timeText(dueMs)}: ${next})`);
        sweep.close();
        bench.restart();
        startSweep();
        await report({ passwordSet: false });
        expect(mails()).toHaveLength(count);
        await bench.uem.clock.advance(4 * HOUR_MS);
      }
      expect(mails()).toHaveLength(3);
      expect(mailsTold).toBe(2);
      expect(await device.work()).toEqual(['DELETE_WORK_SPACE_DATA']);
    });

    it('both ways tell the device as well', async () => {
      await giveAddress();
      await comply({ passwordMissing: { action: 'UNTRUST', promptMethod: 'BOTH' } });
      await device.work();
      expect(await report({ passwordSet: false })).toEqual(['REQUEST_DEVICE_INFO', 'UPDATE_COMPLIANCE_STATUS']);
      expect(mails()).toHaveLength(1);
    });

    it('a device notification is no mail, and a user without an address is told on the device', async () => {
      await comply({ passwordMissing: { action: 'UNTRUST', promptMethod: 'EMAIL' } });
      await device.work();
      expect(await report({ passwordSet: false })).toEqual(['REQUEST_DEVICE_INFO', 'UPDATE_COMPLIANCE_STATUS']);
      await giveAddress();
      await comply({ jailbroken: { action: 'UNTRUST' } });
      await report({ compromised: true });
      expect(mails()).toEqual([]);
    });

    it('say it in the words of the administrator', async () => {
      await giveAddress();
      const template = { templateId: 'compliance', name: 'Mine', subject: 'Mend {{device}}', text: '{{findings}}!', html: '<p>{{findings}}</p>' };
      await bench.store.transaction((tx) => putEmailTemplate(tx, { ...template, changedAtMs: NOW_MS }));
      await comply({ passwordMissing: { action: 'UNTRUST', promptMethod: 'EMAIL', promptCount: 1, promptIntervalS: 60 } });
      await device.work();
      await report({ passwordSet: false });
      const text = expect.stringMatching(/^- the device has no password \(notice 1 of 1; .*: the device loses access/);
      expect(mails()[0]).toMatchObject({ templateVersion: 1, content: { text } });
    });
  });

  it('goes on after kill -9, and after a clock that was set forward by a year', async () => {
    await comply({ passwordMissing: { action: 'UNTRUST' } });
    await device.work();
    await report({ passwordSet: false });
    sweep.close();
    bench.restart();
    startSweep();
    await bench.uem.clock.advance(4 * HOUR_MS);
    expect(findings()).toMatchObject([{ prompts: 2 }]);
    bench.uem.clock.jumpWallClock(365 * DAY_MS);
    await bench.uem.clock.advance(60_000);
    // The user is still asked the last time before anything is done.
    expect(findings()).toMatchObject([{ prompts: 3 }]);
    expect(bench.store.read((view) => supervisionOf(view, device.deviceId)?.isUntrusted)).toBeUndefined();
  });

  it('asks for the inventory as often as the management agent profile says, and polls follow it', async () => {
    const content = { inventoryIntervalS: 86_400, pollIntervalS: 60, pollJitterS: 5 };
    await bench.admin.updateConfigurationProfile('default-enterprise-management-agent', { kind: 'enterprise-management-agent', name: 'Agent', content });
    sweep.start();
    await bench.settle();
    expect(bench.store.read((view) => deviceById(view, device.deviceId))).toMatchObject({ pollIntervalS: 60, pollJitterS: 5 });
    await device.work();
    await bench.uem.clock.advance(DAY_MS);
    expect(await device.work()).toEqual(['REQUEST_DEVICE_INFO', 'REQUEST_INSTALLED_APPS']);
    await bench.uem.clock.advance(DAY_MS - HOUR_MS);
    expect(await device.work()).toEqual([]);
    await bench.uem.clock.advance(HOUR_MS);
    expect(await device.work()).toHaveLength(2);
    await bench.admin.updateConfigurationProfile('default-enterprise-management-agent', { kind: 'enterprise-management-agent', name: 'Agent', content: {} });
    await bench.settle();
    expect(bench.store.read((view) => deviceById(view, device.deviceId))).toMatchObject({ pollIntervalS: 900, pollJitterS: 60 });
  });

  it('loses nothing while nothing can be stored, and rests while there is no rule', async () => {
    sweep.close();
    const before = bench.uem.clock.pendingTimers;
    startSweep();
    await bench.uem.clock.settle();
    expect(bench.uem.clock.pendingTimers).toBe(before);
    await comply({ noContact: { days: 1, action: 'UNTRUST', promptBehavior: 'IMMEDIATE' } });
    // Not for long: while nothing can be stored no device can make contact that counts.
    await bench.uem.clock.advance(DAY_MS - HOUR_MS / 2);
    bench.uem.store.fault = 'disk-full';
    await bench.uem.clock.advance(HOUR_MS / 2 + 60_000);
    expect(failures.length).toBeGreaterThan(0);
    expect(findings()).toEqual([]);
    bench.uem.store.fault = undefined;
    await bench.uem.clock.advance(60_000);
    expect(findings()).toMatchObject([{ acted: 'UNTRUST' }]);
  });

  it('rubbish in a report is no verdict', async () => {
    await comply({
      passwordMissing: { action: 'REMOVE_FROM_SERVER', promptBehavior: 'IMMEDIATE' },
      restrictedApps: { applications: ['x'], action: 'REMOVE_FROM_SERVER' },
    });
    await device.work();
    await report({ passwordSet: 'no', encrypted: 0, osVersion: 'x'.repeat(1_000), hardwareModel: ['a'], compromised: { deep: [true] } });
    device.answers.set('REQUEST_INSTALLED_APPS', { data: { applications: [1, 'x', { id: 7 }, { id: '' }, [], { name: 'x' }] } as never });
    await bench.uem.send(device.deviceId, 'REQUEST_INSTALLED_APPS');
    await device.work();
    expect(findings()).toEqual([]);
    expect(status()).toBe('active');
  });

  it('an app that must not be there, in the report of the device', async () => {
    await comply({ restrictedApps: { applications: ['com.game'], action: 'REMOVE_FROM_SERVER', promptBehavior: 'IMMEDIATE' } });
    await device.work();
    device.answers.set('REQUEST_INSTALLED_APPS', { data: { applications: [{ id: 'com.game', version: '1' }] } });
    await bench.uem.send(device.deviceId, 'REQUEST_INSTALLED_APPS');
    await bench.uem.send(device.deviceId, 'REQUEST_DEVICE_INFO');
    await device.result((await device.pollCommand()).commandId, device.answers.get('REQUEST_INSTALLED_APPS'));
    await device.poll();
    expect(status()).toBe('removed');
    expect(bench.waiting(device.deviceId)).toEqual([]);
    expect(bench.commands(device.deviceId).every(({ state }) => state !== 'sent')).toBe(true);
  });

  it('blocks new activations by the rules of the user and the groups', async () => {
    const strict = await bench.admin.createConfigurationProfile({
      kind: 'compliance',
      name: 'Strict',
      content: { osVersion: { minimum: [{ osFamily: 'ANDROID', version: '16' }], action: 'MONITOR_AND_LOG' } },
    });
    const userGuid = 'guid-of-device@example.com';
    const blocked = (): string | undefined =>
      bench.store.read((view) =>
        COMPLIANCE_RULES.blockedActivation(view, {
          userGuid,
          profileId: 'default',
          info: { platform: 'android-enterprise', osVersion: '15', model: 'M', clientVersion: '1' },
        }),
      );
    expect(blocked()).toBeUndefined();
    const group = await bench.admin.createUserGroup({ name: 'G' });
    await bench.admin.assign({ kind: 'userGroup', id: group.groupId }, { kind: 'profile', id: strict.profileId });
    await bench.admin.addUsersToGroup(group.groupId, [userGuid]);
    expect(blocked()).toBe('version 16 or later of the operating system is needed');
  });
});
