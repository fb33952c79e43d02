import { COMMANDS } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { describe, expect, it } from 'vitest';
import { SYSTEM_IDS, SYSTEMS } from '../../src/operating-systems/systems.ts';
import { makePlan } from '../../src/plan/plan.ts';
import type { PlannedStep } from '../../src/plan/planned-step.ts';
import { parseScenario } from '../../src/scenario/parse-scenario.ts';
import type { Expectation } from '../../src/scenario/scenario.ts';

const crypto = nodeCrypto();

/** Steps of a scenario with one device of each given kind. */
function stepsOf(populations: readonly string[], timeline: readonly string[]): readonly PlannedStep[] {
  const source = ['format: 1', 'name: e', 'populations:', ...populations.map((text, index) => `  - { name: p${index}, count: 1, ${text} }`), 'timeline:'];
  return makePlan(parseScenario([...source, ...timeline.map((text) => `  - { ${text} }`)].join('\n'), 'e.yaml'), crypto).steps;
}

/** What is expected of the first device, step by step. */
const ofFirst = (population: string, ...timeline: readonly string[]): readonly (readonly Expectation[] | undefined)[] =>
  stepsOf([population], timeline).map(({ expected }) => expected[0]);

const IPHONE = 'operatingSystem: ios';
const ANDROID = 'operatingSystem: android-enterprise, activationType: work-and-personal-full-control';

describe('what a plan expects of its commands', () => {
  const pairs = SYSTEM_IDS.flatMap((id) => SYSTEMS[id].activationTypes.map(({ name }) => [id, name] as const));

  it.each(pairs)('UEM refuses exactly what the table of commands does not give to %s, %s', (id, activationType) => {
    const types = Object.entries(COMMANDS).filter(([, { givenBy, carriedOutBy }]) => givenBy === 'administrator' && carriedOutBy === 'device');
    const entries = types.map(([type]) => `{ command: ${type} }`).join(', ');
    const [expected = []] = ofFirst(`operatingSystem: ${id}, activationType: ${activationType}`, `at: 0s, send: [${entries}]`);
    const refused = types.flatMap(([type], entry) => (expected[entry] === 'refusedByUem' ? [type] : []));
    const beyond = types.flatMap(([type, { reach }]) =>
      reach.some(({ platform, activationTypes }) => platform === id && activationTypes.includes(activationType)) ? [] : [type],
    );
    expect(refused).toEqual(beyond);
    expect(refused.length).toBeGreaterThan(0);
  });

  const cases: readonly (readonly [string, string, readonly string[], readonly (readonly Expectation[])[]])[] = [
    ['a lock of a device without a password has no effect', `${IPHONE}, devicePassword: 0%`, ['send: [{ command: LOCK_DEVICE }]'], [['noEffect']]],
    ['one with a password has', IPHONE, ['send: [{ command: LOCK_DEVICE }]'], [['done']]],
    [
      'a lock that brings the password has, and so has the next one',
      `${ANDROID}, devicePassword: 0%`,
      ['at: 2s, send: [{ command: LOCK_DEVICE }]', 'at: 1s, send: [{ command: LOCK_DEVICE, properties: { password: cGFzcw== } }]'],
      [['done'], ['done']],
    ],
    [
      'after an unlock there is no password any more',
      IPHONE,
      ['send: [{ command: UNLOCK_DEVICE }, { command: LOCK_DEVICE }]', 'at: 1s, send: [{ command: LOCK_DEVICE }]'],
      [['done', 'noEffect'], ['noEffect']],
    ],
    [
      'a refused unlock leaves the password',
      'operatingSystem: macos',
      ['send: [{ command: UNLOCK_DEVICE }, { command: LOCK_DEVICE }]'],
      [['refusedByUem', 'done']],
    ],
    [
      'a generated password is one',
      'operatingSystem: windows-10, devicePassword: 0%',
      ['send: [{ command: GENERATE_DEVICE_PASSWORD_AND_LOCK }, { command: LOCK_DEVICE }]'],
      [['done', 'done']],
    ],
    [
      'a property goes as far as the table says, not as far as its command',
      IPHONE,
      ['send: [{ command: LOCK_DEVICE, properties: { password: cGFzcw== } }, { command: LOCK_DEVICE, properties: { message: hello } }]'],
      [['refusedByUem', 'done']],
    ],
    [
      'only supervised devices do what is for them',
      `${IPHONE}, supervised: 100%`,
      ['send: [{ command: DISABLE_LOST_MODE }, { command: ENABLE_LOST_MODE }, { command: DISABLE_LOST_MODE }, { command: DISABLE_LOST_MODE }]'],
      [['noEffect', 'done', 'done', 'noEffect']],
    ],
    [
      'others refuse it themselves',
      IPHONE,
      ['send: [{ command: ENABLE_LOST_MODE }, { command: DISABLE_LOST_MODE }]'],
      [['refusedByDevice', 'refusedByDevice']],
    ],
    ['no Dynamics app is active', ANDROID, ['send: [{ command: LOCK_APPLICATION, application: com.example.mail }]'], [['refusedByDevice']]],
    ['what the scenario says itself counts', IPHONE, ['send: [{ command: UPDATE_DEVICE_OS, expect: refusedByDevice }]'], [['refusedByDevice']]],
    [
      'and decides about what follows',
      IPHONE,
      ['send: [{ command: UNLOCK_DEVICE, expect: refusedByUem }, { command: LOCK_DEVICE }]'],
      [['refusedByUem', 'done']],
    ],
  ];

  it.each(cases)('%s', (_what, population, timeline, expected) => {
    expect(ofFirst(population, ...timeline)).toEqual(expected);
  });

  it('expects of each device what its own kind and password say, and is part of the digest', () => {
    const lock = 'at: 0s, send: [{ command: LOCK_DEVICE }]';
    const [step] = stepsOf([IPHONE, 'operatingSystem: ios, activationType: user-privacy', `${ANDROID}, devicePassword: 0%`], [lock]);
    expect(step?.expected).toEqual([['done'], ['refusedByUem'], ['noEffect']]);
    const digestOf = (expectation: string): string =>
      makePlan(
        parseScenario(
          `{format: 1, name: e, populations: [{name: p, operatingSystem: ios, count: 1}], timeline: [{send: [{command: LOCK_DEVICE, expect: ${expectation}}]}]}`,
          'e',
        ),
        crypto,
      ).digest;
    expect(digestOf('done')).not.toBe(digestOf('noEffect'));
  });
});
