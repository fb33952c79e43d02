import { nodeCrypto } from '@uemkit/protocol/node';
import { describe, expect, it } from 'vitest';
import { ConfigurationTargets, devicesOf } from '../../src/plan/configuration-targets.ts';
import { makePlan, type Plan } from '../../src/plan/plan.ts';
import type { PlannedStep } from '../../src/plan/planned-step.ts';
import { parseScenario } from '../../src/scenario/parse-scenario.ts';

const HEAD = `
format: 1
name: c
populations:
  - { name: one, operatingSystem: ios, count: 1, labels: [a] }
  - { name: two, operatingSystem: macos, count: 1, labels: [a, b] }
  - { name: known, operatingSystem: ios, activationType: 2fa-registration, count: 1, labels: [a] }
timeline:
`;
const planOf = (timeline: string): Plan => makePlan(parseScenario(HEAD + timeline, 'c.yaml'), nodeCrypto());
const rules = (length: number): string => `{ password: { minimumLength: ${length} } }`;

/** What each device is to hold when all steps, or the given ones, have begun: names with what they say. */
function wanted({ steps, devices }: Plan, begun: readonly PlannedStep[] = steps): readonly unknown[] {
  const targets = new ConfigurationTargets(steps);
  for (const step of begun) targets.begin(step);
  return devices.map(({ index }) => {
    const planned = targets.ofDevice(index);
    return planned && [planned.policy?.entry.content, ...planned.profiles.map(({ entry }) => entry.name)];
  });
}

describe('what configure steps want in force', () => {
  it('gives a new policy to all devices that are managed, and changes it for those who have it', () => {
    const plan = planOf(`
  - { at: 0s, configure: [{ policy: staff, rules: ${rules(6)} }] }
  - { at: 1s, configure: [{ policy: staff, rules: ${rules(8)} }] }`);
    expect(plan.steps.map(({ devices }) => devices)).toEqual([[0, 1], []]);
    expect(wanted(plan, plan.steps.slice(0, 1))).toEqual([[{ password: { minimumLength: 6 } }], [{ password: { minimumLength: 6 } }], undefined]);
    expect(wanted(plan)).toEqual([[{ password: { minimumLength: 8 } }], [{ password: { minimumLength: 8 } }], undefined]);
    const targets = new ConfigurationTargets(plan.steps);
    for (const step of plan.steps) targets.begin(step);
    expect(devicesOf(targets, plan.steps[1] as PlannedStep)).toEqual([0, 1]);
  });

  it('says the same when a crash has steps begin in another order, or once more', () => {
    const plan = planOf(`
  - { at: 0s, configure: [{ policy: staff, rules: ${rules(6)} }], to: { label: a } }
  - { at: 1s, configure: [{ policy: some, rules: ${rules(7)} }], to: { label: b } }
  - { at: 2s, configure: [{ policy: staff, rules: ${rules(8)} }] }`);
    expect(wanted(plan, plan.steps.toReversed())).toEqual(wanted(plan));
    expect(wanted(plan, [...plan.steps, ...plan.steps.slice(0, 2)])).toEqual(wanted(plan));
  });

  it('of two policies for a device the one that the timeline names first goes first, whatever begins first', () => {
    const plan = planOf(`
  - { at: 5s, configure: [{ policy: late, rules: ${rules(5)} }], to: { label: a } }
  - { at: 1s, configure: [{ policy: some, rules: ${rules(7)} }], to: { label: b } }`);
    expect(wanted(plan)).toEqual([[{ password: { minimumLength: 5 } }], [{ password: { minimumLength: 7 } }], undefined]);
  });

  it('of ranked kinds one profile is in force, of the others all are', () => {
    const profile = (name: string, kind: string): string => `{ profile: ${name}, kind: ${kind}, content: {} }`;
    const plan = planOf(`
  - configure: [${profile('wifi', 'wi-fi')}, ${profile('vpn', 'vpn')}, ${profile('first', 'compliance')}]
    to: { label: a }
  - configure: [${profile('office', 'wi-fi')}, ${profile('second', 'compliance')}, ${profile('agent', 'enterprise-management-agent')}]
    to: { label: b }`);
    expect(wanted(plan)).toEqual([[undefined, 'wifi', 'vpn', 'first'], [undefined, 'wifi', 'vpn', 'first', 'office', 'agent'], undefined]);
  });
});
