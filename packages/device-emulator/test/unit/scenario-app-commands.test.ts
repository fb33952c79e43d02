import { nodeCrypto } from '@uemkit/protocol/node';
import { describe, expect, it } from 'vitest';
import { planReport } from '../../src/cli/plan-report.ts';
import { expectedApps } from '../../src/plan/commanded-apps.ts';
import { makePlan, type Plan } from '../../src/plan/plan.ts';
import { parseScenario } from '../../src/scenario/parse-scenario.ts';
import { problemsOf } from './problems-of.ts';

const HEAD = `
format: 1
name: apps
populations:
  - { name: androids, operatingSystem: android-enterprise, count: 4, labels: [field] }
  - { name: knox, operatingSystem: samsung-knox, count: 2, labels: [field, desk] }
  - { name: macs, operatingSystem: macos, count: 1, labels: [desk] }
apps:
  - { name: wiki, to: { population: androids }, key: uem-client }
  - { name: chat, to: { label: field }, key: mail, updateInterval: 2s }
`;
const BLOCK = '{ command: BLOCK_APPLICATION, properties: { title: Lost, body: Call us., actionId: lost } }';
const UNBLOCK = '{ command: UNBLOCK_APPLICATION, properties: { actionId: lost } }';
const withSteps = (...steps: readonly string[]): string => `${HEAD}timeline:\n${steps.map((step) => `  - ${step}\n`).join('')}`;

const planOf = (...steps: readonly string[]): Plan => makePlan(parseScenario(withSteps(...steps), 'file.yaml'), nodeCrypto());
/** Names and devices of the apps of each step. */
const chosenIn = ({ steps, apps }: Plan) => steps.map((step) => step.apps?.map((ordinal) => `${apps[ordinal]?.name} ${apps[ordinal]?.device}`));

describe('commands to apps in a timeline', () => {
  it('are read with their properties and their selection', () => {
    const { timeline, apps } = parseScenario(
      withSteps(`{ at: 1s, sendToApps: [{ command: LOCK_APPLICATION }, ${BLOCK}], to: { app: wiki, share: 50% } }`),
      'file.yaml',
    );
    expect(timeline).toEqual([
      {
        kind: 'sendToApps',
        atMs: 1_000,
        after: undefined,
        sendToApps: [
          { command: 'LOCK_APPLICATION', properties: {} },
          { command: 'BLOCK_APPLICATION', properties: { title: 'Lost', body: 'Call us.', actionId: 'lost' } },
        ],
        to: { app: 'wiki', population: undefined, label: undefined, share: 0.5 },
      },
    ]);
    expect(apps.map(({ updateIntervalMs }) => updateIntervalMs)).toEqual([undefined, 2_000]);
  });

  it.each([
    [
      'an unknown command',
      '{ sendToApps: [{ command: LOCK_APLICATION }] }',
      'file.yaml:12:31: timeline[0].sendToApps[0].command: expected one of LOCK_APPLICATION',
    ],
    ['an unknown command, with what was meant', '{ sendToApps: [{ command: LOCK_APLICATION }] }', '(did you mean LOCK_APPLICATION?)'],
    ['a command of devices', '{ sendToApps: [{ command: LOCK_DEVICE }] }', 'expected one of LOCK_APPLICATION, BLOCK_APPLICATION'],
    [
      'an app that is not there',
      '{ sendToApps: [{ command: LOCK_APPLICATION }], to: { app: wikki } }',
      'timeline[0].to.app: no app called wikki (did you mean wiki?)',
    ],
    [
      'an app on none of the devices',
      '{ sendToApps: [{ command: LOCK_APPLICATION }], to: { app: wiki, population: knox } }',
      'to: the app wiki is on none of these devices',
    ],
    ['devices without any app', '{ sendToApps: [{ command: LOCK_APPLICATION }], to: { population: macs } }', 'to: no app is on any of these devices'],
    [
      'a population that is not there',
      '{ sendToApps: [{ command: LOCK_APPLICATION }], to: { population: nox } }',
      'no population called nox (did you mean knox?)',
    ],
    [
      'a label that is not there',
      '{ sendToApps: [{ command: LOCK_APPLICATION }], to: { label: filed } }',
      'no population has the label filed (did you mean field?)',
    ],
    ['a field that is not there', '{ sendToApps: [{ command: LOCK_APPLICATION }], to: { apps: wiki } }', 'to.apps: unknown field (did you mean app?)'],
    ['another name of the step', '{ sendToApp: [{ command: LOCK_APPLICATION }] }', 'sendToApp: unknown field (did you mean sendToApps?)'],
    [
      'a block without its text',
      '{ sendToApps: [{ command: BLOCK_APPLICATION, properties: { title: a, actionId: b } }] }',
      'BLOCK_APPLICATION needs properties.body',
    ],
    ['an unblock of nothing', '{ sendToApps: [{ command: UNBLOCK_APPLICATION }] }', 'UNBLOCK_APPLICATION needs properties.actionId'],
    [
      'a property too many',
      '{ sendToApps: [{ command: LOCK_APPLICATION, properties: { title: a } }] }',
      'LOCK_APPLICATION has no property title (it has none)',
    ],
    ['a property with a slip', `{ sendToApps: [${UNBLOCK.replace('actionId', 'actionid')}] }`, 'properties.actionid: unknown field (did you mean actionId?)'],
    ['a title of two lines', `{ sendToApps: [${BLOCK.replace('Lost', '"a\\nb"')}] }`, 'properties.title: expected text of one line'],
    ['something behind a wipe', '{ sendToApps: [{ command: DELETE_APPLICATION }, { command: LOCK_APPLICATION }] }', 'DELETE_APPLICATION comes last'],
    [
      'two kinds of step',
      '{ sendToApps: [{ command: LOCK_APPLICATION }], send: [{ command: LOCK_DEVICE }] }',
      'has one of send, sendToApps, configure and fault',
    ],
    ['a time', '{ sendToApps: [{ command: LOCK_APPLICATION }], for: 2s }', 'for belongs to a fault'],
    ['the time before the activation', '{ before: activation, sendToApps: [{ command: LOCK_APPLICATION }] }', 'before belongs to configure'],
    ['an app of a device command', '{ send: [{ command: LOCK_DEVICE }], to: { app: wiki } }', 'to.app: unknown field'],
  ])('are refused with %s', (_what, step, problem) => {
    expect(problemsOf(withSteps(step))).toContain(problem);
  });

  it('are refused where the scenario has no apps, and apps that ask too often', () => {
    const without = withSteps('{ sendToApps: [{ command: LOCK_APPLICATION }] }').replace(/apps:\n.*\n.*\n/, '');
    expect(problemsOf(without)).toContain('timeline[0].sendToApps: the scenario has no apps (add apps:');
    expect(problemsOf(HEAD.replace('updateInterval: 2s', 'updateInterval: 20ms'))).toContain('apps[1].updateInterval: expected at least 100ms');
  });

  it('go to the apps of the chosen devices, exactly the share of those that have the app', () => {
    const plan = planOf(
      '{ sendToApps: [{ command: LOCK_APPLICATION }], to: { app: wiki, share: 50% } }',
      '{ sendToApps: [{ command: LOCK_APPLICATION }], to: { population: knox } }',
      '{ sendToApps: [{ command: LOCK_APPLICATION }] }',
    );
    const [wiki, knox, all] = chosenIn(plan);
    expect(wiki).toHaveLength(2);
    expect(wiki?.every((app) => app.startsWith('wiki '))).toBe(true);
    expect(knox?.map((app) => app.split(' ')[0])).toEqual(['chat', 'chat']);
    expect(all).toHaveLength(10);
    expect(plan.steps[0]?.devices).toHaveLength(2);
    expect(plan.digest).not.toBe(planOf('{ sendToApps: [{ command: LOCK_APPLICATION }], to: { app: wiki, share: 25% } }').digest);
  });

  it('go to no app that an earlier step wipes', () => {
    const plan = planOf(
      '{ at: 2s, sendToApps: [{ command: LOCK_APPLICATION }], to: { population: androids } }',
      '{ at: 1s, sendToApps: [{ command: DELETE_APPLICATION }], to: { app: wiki, share: 50% } }',
    );
    const [wiped, locked] = chosenIn(plan);
    expect(wiped).toHaveLength(2);
    expect(locked).toHaveLength(6);
    expect(locked?.filter((app) => wiped?.includes(app))).toEqual([]);
  });

  it('leave each app as the last of them wants it', () => {
    const conditionsAfter = (...sendToApps: readonly string[]) => {
      const { steps, apps } = planOf(...sendToApps.map((one) => `{ sendToApps: [${one}], to: { app: wiki, share: 25% } }`));
      const expected = [...expectedApps(steps)];
      expect(expected.map(([ordinal]) => apps[ordinal]?.name)).toEqual(['wiki']);
      const [, app] = expected[0] ?? [];
      return [app?.condition, app?.blocks.map(({ actionId }) => actionId), app?.isEverClosed, app?.commands.length];
    };
    const other = BLOCK.replace('actionId: lost', 'actionId: other');
    expect(conditionsAfter('{ command: LOCK_APPLICATION }')).toEqual(['locked', [], true, 1]);
    expect(conditionsAfter(`${BLOCK}, ${other}`)).toEqual(['blocked', ['lost', 'other'], true, 2]);
    expect(conditionsAfter(`${BLOCK}, ${other}`, BLOCK)).toEqual(['blocked', ['other', 'lost'], true, 3]);
    expect(conditionsAfter(BLOCK, UNBLOCK)).toEqual(['open', [], true, 2]);
    expect(conditionsAfter(UNBLOCK)).toEqual(['open', [], false, 1]);
    expect(conditionsAfter('{ command: LOCK_APPLICATION }', BLOCK, UNBLOCK)).toEqual(['locked', [], true, 3]);
    expect(conditionsAfter(BLOCK, '{ command: DELETE_APPLICATION }', '{ command: LOCK_APPLICATION }')).toEqual(['wiped', ['lost'], true, 2]);
  });

  it('have apps ask UEM, each from a moment of its own on: as the scenario says, or every 5 seconds, and else only by themselves', () => {
    const { apps } = planOf('{ sendToApps: [{ command: LOCK_APPLICATION }] }');
    const of = (name: string) => apps.filter((app) => app.name === name).map(({ updates }) => updates);
    expect(new Set(of('wiki').map((updates) => updates?.intervalMs))).toEqual(new Set([5_000]));
    expect(new Set(of('chat').map((updates) => updates?.intervalMs))).toEqual(new Set([2_000]));
    expect(of('chat').every((updates) => (updates?.firstMs ?? -1) >= 0 && (updates?.firstMs ?? 2_000) < 2_000)).toBe(true);
    expect(new Set(of('chat').map((updates) => updates?.firstMs)).size).toBeGreaterThan(1);
    const dynamics = planOf('{ configure: [{ profile: strict, kind: dynamics, content: {} }], to: { population: macs } }').apps;
    expect(dynamics.every(({ updates }) => updates !== undefined)).toBe(true);
    const alone = planOf('{ send: [{ command: LOCK_DEVICE }] }').apps;
    expect(alone.map(({ updates }) => updates?.intervalMs)).toEqual(alone.map(({ name }) => (name === 'chat' ? 2_000 : undefined)));
  });

  it('are shown in the words of the plan', () => {
    const words = planReport(planOf(`{ at: 2s, sendToApps: [${BLOCK}, ${UNBLOCK}], to: { app: wiki, share: 50% } }`));
    expect(words).toContain('2 s  BLOCK_APPLICATION, UNBLOCK_APPLICATION to wiki on 2 devices');
  });
});
