import { nodeCrypto } from '@uemkit/protocol/node';
import { describe, expect, it } from 'vitest';
import { brokenRules, type InspectedDevice } from '../../src/plan/activation-refusals.ts';
import { inspected, makePlan, type Plan } from '../../src/plan/plan.ts';
import { SeededDraw } from '../../src/plan/seeded-draw.ts';
import { parseScenario } from '../../src/scenario/parse-scenario.ts';
import type { ConfigurationContent } from '../../src/scenario/scenario.ts';

const crypto = nodeCrypto();
const DEVICE: InspectedDevice = { osFamily: 'IOS', osVersion: '18.2', model: 'Emulated Handset 12', compromised: false };
const minimum = (version: string, osFamily = 'IOS'): ConfigurationContent => ({ osVersion: { minimum: [{ osFamily, version }], action: 'UNTRUST' } });
const models = (mode: string, ...names: readonly string[]): ConfigurationContent => ({ hardwareModel: { mode, models: names, action: 'UNTRUST' } });

describe('compliance rules that block an activation, as the plan knows them', () => {
  const cases: readonly (readonly [string, ConfigurationContent, Partial<InspectedDevice>, readonly string[]])[] = [
    ['no rule', {}, { compromised: true }, []],
    ['jailbroken', { jailbroken: { action: 'MONITOR_AND_LOG' } }, { compromised: true }, ['jailbroken']],
    ['not jailbroken', { jailbroken: { action: 'MONITOR_AND_LOG' } }, {}, []],
    ['a version that is too old', minimum('18.2.1'), {}, ['osVersion']],
    ['one that is old in its first part', minimum('19'), { osVersion: '18.9' }, ['osVersion']],
    ['the version itself', minimum('18.2.0'), {}, []],
    ['a later one, where digits are more than one', minimum('18.2'), { osVersion: '18.10' }, []],
    ['a version of another family', minimum('99', 'ANDROID'), {}, []],
    ['a model that is disallowed', models('DISALLOW', 'emulated handset 12'), {}, ['hardwareModel']],
    ['one that is not', models('DISALLOW', 'Other'), {}, []],
    ['a model that is not among those allowed', models('ALLOW', 'Other'), {}, ['hardwareModel']],
    ['one that is', models('ALLOW', 'Other', 'Emulated Handset 12'), {}, []],
  ];
  it.each(cases)('%s', (_what, content, device, broken) => {
    expect(brokenRules(content, { ...DEVICE, ...device })).toEqual(broken);
  });
});

describe('a plan whose rules come before the activation', () => {
  const plan = (when: string, to = ''): Plan =>
    makePlan(
      parseScenario(
        `
format: 1
name: r
populations:
  - { name: rooted, operatingSystem: ios, count: 2, compromised: 100% }
  - { name: other, operatingSystem: ios, count: 1, compromised: 100% }
  - { name: known, operatingSystem: ios, activationType: 2fa-registration, count: 1, compromised: 100% }
  - { name: sound, operatingSystem: macos, count: 1 }
timeline:
  - { ${when} configure: [{ profile: rules, kind: compliance, content: { jailbroken: { action: UNTRUST } } }]${to} }
  - send: [{ command: LOCK_DEVICE }]
`,
        'r.yaml',
      ),
      crypto,
    );
  const refused = ({ devices }: Plan): readonly string[] => devices.filter(({ refusedFor }) => refusedFor !== undefined).map(({ population }) => population);

  it('refuses who has the rule by then, and sends them nothing', () => {
    const made = plan('before: activation,', ', to: { population: rooted }');
    expect(refused(made)).toEqual(['rooted', 'rooted']);
    expect(made.steps[0]?.devices).toHaveLength(2);
    expect(made.steps[1]?.devices.map((index) => made.devices[index]?.population).sort()).toEqual(['known', 'other', 'sound']);
  });

  it('refuses all who are jailbroken but those that are only registered, which have no profile', () => {
    expect(refused(plan('before: activation,')).toSorted()).toEqual(['other', 'rooted', 'rooted']);
  });

  it('refuses nobody for a rule that comes later', () => {
    const made = plan('at: 0s,');
    expect(refused(made)).toEqual([]);
    expect(made.steps[1]?.devices).toHaveLength(5);
  });

  it('has to begin with what comes before the activation, and that names no other time', () => {
    const late = 'send: [{ command: LOCK_DEVICE }] }\n  - { before: activation,';
    expect(() => plan(late)).toThrow('timeline[1]: what comes before the activation stands first in the timeline');
    expect(() => plan('before: activation, at: 1s,')).toThrow('before belongs to configure, and to no other time');
    expect(() => plan('before: activation, after: drained,')).toThrow('before belongs to configure, and to no other time');
  });

  it('knows version and model that the device will have', () => {
    const { devices, fleetId } = plan('at: 0s,');
    const draw = new SeededDraw(crypto, fleetId);
    const [iphone, mac] = ['rooted', 'sound'].map((name) => inspected(devices.find(({ population }) => population === name) ?? devices[0]!, draw));
    expect(iphone).toMatchObject({ osFamily: 'IOS', compromised: true });
    expect(mac).toMatchObject({ osFamily: 'MACOS', compromised: false });
    expect([iphone?.osVersion, iphone?.model].every((text) => text !== undefined && text.length > 0)).toBe(true);
  });
});
