import { seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { activationVerdict, COMPLIANCE_RULES } from '../../src/compliance/activation-verdict.ts';
import { COMPLIANCE_ACTIONS, type ComplianceContent, DEFAULT_PROMPT_COUNT, DEFAULT_PROMPT_INTERVAL_S } from '../../src/compliance/compliance-content.ts';
import { enforce } from '../../src/compliance/enforce.ts';
import { createComplianceSweep } from '../../src/compliance/sweep.ts';
import { nextViolationMs, violationsOf } from '../../src/compliance/violations.ts';
import { activationProfileOf } from '../../src/configuration/activation-profile-of.ts';
import type { DeviceFacts } from '../../src/configuration/device-facts.ts';
import { timeText } from '../../src/mail/queue-mail.ts';
import { deviceById } from '../../src/state/devices.ts';
import { putEmailTemplate } from '../../src/state/email-templates.ts';
import { listMails, type MailRecord } from '../../src/state/mails.ts';
import { putProfile } from '../../src/state/profiles.ts';
import type { FindingRecord } from '../../src/state/supervision.ts';
import { dueSupervisions, supervisionOf } from '../../src/state/supervision.ts';
import { updateUser, userByGuid } from '../../src/state/users.ts';
import { ConfigurationBench, type DocumentDevice } from '../support/configuration-bench.ts';
import { DAY_MS, frameIn, NOW_MS, PROFILE } from '../support/uem-bench.ts';

const HOUR_MS = 3_600_000;
const action = 'MONITOR_AND_LOG';

const GOOD: DeviceFacts = {
  osFamily: 'IOS',
  os: 'ios',
  osVersion: '18.1',
  hardwareModel: 'Handset 12',
  activationType: 'mdm-controls',
  compromised: false,
  encrypted: true,
  passwordSet: true,
  installedApps: [{ id: 'com.mail', version: '1' }],
  lastContactMs: NOW_MS,
};

describe('rules', () => {
  it.each<[string, ComplianceContent, Partial<DeviceFacts>, string]>([
    ['jailbroken', { jailbroken: { action } }, { compromised: true }, 'jailbroken'],
    ['an old version', { osVersion: { minimum: [{ osFamily: 'IOS', version: '18.2' }], action } }, {}, 'osVersion'],
    ['a model that is not allowed', { hardwareModel: { mode: 'ALLOW', models: ['Handset 14'], action } }, {}, 'hardwareModel'],
    ['a model that is disallowed', { hardwareModel: { mode: 'DISALLOW', models: ['handset 12'], action } }, {}, 'hardwareModel'],
    ['no contact', { noContact: { days: 2, action } }, { lastContactMs: NOW_MS - 2 * DAY_MS }, 'noContact'],
    ['no password', { passwordMissing: { action } }, { passwordSet: false }, 'passwordMissing'],
    ['no encryption', { encryptionMissing: { action } }, { encrypted: false }, 'encryptionMissing'],
    ['a restricted app', { restrictedApps: { applications: ['com.mail', 'com.game'], action } }, {}, 'restrictedApps'],
    ['a missing app', { missingApps: { applications: ['com.vpn'], action } }, {}, 'missingApps'],
    ['a missing app that is assigned', { missingApps: { action } }, {}, 'missingApps'],
  ])('%s breaks its rule, and keeping it does not', (_what, content, bad, rule) => {
    const asked = { requiredApplications: ['com.vpn'], nowMs: NOW_MS };
    expect(violationsOf(content, { ...GOOD, ...bad }, asked).map((found) => found.rule)).toEqual([rule]);
    const good: DeviceFacts = { ...GOOD, osVersion: '18.2', hardwareModel: 'Handset 14', installedApps: [{ id: 'com.vpn', version: '1' }] };
    expect(violationsOf(content, good, asked)).toEqual([]);
    expect(violationsOf({}, { ...GOOD, ...bad }, asked)).toEqual([]);
  });

  it('what nobody knows breaks no rule', () => {
    const content: ComplianceContent = {
      jailbroken: { action },
      passwordMissing: { action },
      encryptionMissing: { action },
      restrictedApps: { applications: ['a'], action },
      missingApps: { applications: ['b'], action },
      osVersion: { minimum: [{ osFamily: 'ANDROID', version: '99' }], action },
    };
    const { compromised: _c, encrypted: _e, passwordSet: _p, installedApps: _i, ...unknown } = GOOD;
    expect(violationsOf(content, unknown, { requiredApplications: [], nowMs: NOW_MS })).toEqual([]);
  });

  it('says when time alone breaks a rule', () => {
    const content: ComplianceContent = { noContact: { days: 3, action } };
    expect(nextViolationMs(content, GOOD, NOW_MS)).toBe(NOW_MS + 3 * DAY_MS);
    expect(nextViolationMs(content, GOOD, NOW_MS + 3 * DAY_MS)).toBeUndefined();
    expect(nextViolationMs({}, GOOD, NOW_MS)).toBeUndefined();
  });

  it('jailbreak, version and model block an activation, whatever their action; the others do not', () => {
    const facts = { osFamily: 'IOS', osVersion: '17', hardwareModel: 'Old' } as const;
    expect(activationVerdict({ osVersion: { minimum: [{ osFamily: 'IOS', version: '18' }], action } }, facts)).toMatch(/version 18/);
    expect(activationVerdict({ hardwareModel: { mode: 'DISALLOW', models: ['old'], action } }, facts)).toMatch(/model Old/);
    expect(activationVerdict({ jailbroken: { action } }, { ...facts, compromised: true })).toMatch(/jailbroken/);
    expect(activationVerdict({ jailbroken: { action }, passwordMissing: { action }, noContact: { days: 1, action } }, facts)).toBeUndefined();
  });
});

describe('prompts and actions', () => {
  const broken = [{ rule: 'passwordMissing', displayName: 'x' }] as const;
  const run = (content: ComplianceContent, hours: number): { readonly prompts: readonly number[]; readonly actions: readonly [number, string][] } => {
    let findings: readonly FindingRecord[] = [];
    const prompts: number[] = [];
    const actions: [number, string][] = [];
    for (let hour = 0; hour <= hours; hour++) {
      const step = enforce(content, broken, findings, NOW_MS + hour * HOUR_MS);
      findings = step.findings;
      if (step.prompted.length > 0) prompts.push(hour);
      for (const taken of step.actions) actions.push([hour, taken]);
    }
    return { prompts, actions };
  };

  it('by default three prompts, four hours apart, then the action', () => {
    expect([DEFAULT_PROMPT_COUNT, DEFAULT_PROMPT_INTERVAL_S]).toEqual([3, 14_400]);
    expect(run({ passwordMissing: { action: 'UNTRUST' } }, 100)).toEqual({ prompts: [0, 4, 8], actions: [[12, 'UNTRUST']] });
  });

  it('as often and as far apart as the profile says, or not at all', () => {
    const content: ComplianceContent = { passwordMissing: { action: 'UNTRUST', promptCount: 2, promptIntervalS: 7_200 } };
    expect(run(content, 100)).toEqual({ prompts: [0, 2], actions: [[4, 'UNTRUST']] });
    expect(run({ passwordMissing: { action: 'UNTRUST', promptBehavior: 'IMMEDIATE' } }, 100)).toEqual({ prompts: [], actions: [[0, 'UNTRUST']] });
  });

  it('never asks more often than the profile says, never acts before, acts once; a rule that is kept again is forgotten', () => {
    const content = fc.record({
      promptCount: fc.integer({ min: 1, max: 5 }),
      promptIntervalS: fc.integer({ min: 60, max: 10_000 }),
      promptBehavior: fc.constantFrom('PROMPT' as const, 'IMMEDIATE' as const),
      action: fc.constantFrom(...COMPLIANCE_ACTIONS),
    });
    const looks = fc.array(fc.record({ afterS: fc.integer({ min: 0, max: 20_000 }), isBroken: fc.boolean() }), { maxLength: 40 });
    fc.assert(
      fc.property(content, looks, (rule, all) => {
        let [nowMs, prompts, acted, lastMs] = [NOW_MS, 0, 0, Number.NEGATIVE_INFINITY];
        let findings: readonly FindingRecord[] = [];
        for (const { afterS, isBroken } of all) {
          nowMs += afterS * 1_000;
          const step = enforce({ passwordMissing: rule }, isBroken ? broken : [], findings, nowMs);
          findings = step.findings;
          if (!isBroken) {
            [prompts, acted, lastMs] = [0, 0, Number.NEGATIVE_INFINITY];
            expect(step).toEqual({ findings: [], prompted: [], actions: [], dueMs: undefined });
            continue;
          }
          const isEarly = nowMs < lastMs + rule.promptIntervalS * 1_000;
          if (step.prompted.length > 0 || step.actions.length > 0) {
            expect(isEarly).toBe(false);
            lastMs = nowMs;
          } else expect(isEarly || acted > 0).toBe(true);
          prompts += step.prompted.length;
          acted += step.actions.length;
          expect(prompts).toBeLessThanOrEqual(rule.promptBehavior === 'PROMPT' ? rule.promptCount : 0);
          if (acted > 0 && rule.promptBehavior === 'PROMPT') expect(prompts).toBe(rule.promptCount);
          expect(acted).toBeLessThanOrEqual(1);
          expect(step.dueMs === undefined).toBe(acted > 0);
        }
      }),
    );
  });
});

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

describe('the activation profile of a user (F1.1b)', () => {
  it('is the one set with the user, then one assigned to the user, then one of a group, then the default', async () => {
    const bench = await ConfigurationBench.start();
    for (const profileId of ['a', 'b', 'c', 'own']) await bench.store.transaction((tx) => putProfile(tx, { ...PROFILE, profileId }));
    const guid = await bench.uem.addUser('eve@example.com');
    const profile = (): string | undefined => bench.store.read((view) => activationProfileOf(view, guid));
    expect(profile()).toBeUndefined();
    const group = await bench.admin.createUserGroup({ name: 'G' });
    await bench.admin.addUsersToGroup(group.groupId, [guid]);
    const assignee = { kind: 'userGroup', id: group.groupId } as const;
    for (const id of ['c', 'b']) await bench.admin.assign(assignee, { kind: 'activationProfile', id });
    expect(profile()).toBe('b');
    await bench.admin.assign({ kind: 'user', id: guid }, { kind: 'activationProfile', id: 'c' });
    expect(profile()).toBe('c');
    await bench.store.transaction((tx) => {
      const user = userByGuid(tx, guid);
      if (user !== undefined) updateUser(tx, { ...user, profileId: 'own' });
    });
    expect(profile()).toBe('own');
    const query = { match: 'ALL', conditions: [{ field: 'os', operator: 'EQUALS', value: 'ios' }] } as const;
    const devices = await bench.admin.createDeviceGroup({ name: 'D', query });
    const forDevices = bench.admin.assign({ kind: 'deviceGroup', id: devices.groupId }, { kind: 'activationProfile', id: 'a' });
    await expect(forDevices).rejects.toMatchObject({ id: 'INVALID_PROPERTY' });
  });
});
