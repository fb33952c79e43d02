import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { activationVerdict } from '../../src/compliance/activation-verdict.ts';
import { COMPLIANCE_ACTIONS, type ComplianceContent, DEFAULT_PROMPT_COUNT, DEFAULT_PROMPT_INTERVAL_S } from '../../src/compliance/compliance-content.ts';
import { enforce } from '../../src/compliance/enforce.ts';
import { nextViolationMs, violationsOf } from '../../src/compliance/violations.ts';
import type { DeviceFacts } from '../../src/configuration/device-facts.ts';
import type { FindingRecord } from '../../src/state/supervision.ts';
import { DAY_MS, NOW_MS } from '../support/uem-bench.ts';

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
