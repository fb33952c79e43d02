import { describe, expect, it } from 'vitest';
import { SYSTEM_IDS } from '../../src/operating-systems/systems.ts';
import { parseScenario } from '../../src/scenario/parse-scenario.ts';
import { problemsOf as problemTextOf } from './problems-of.ts';

const VALID = `
format: 1
name: small
size: 10
populations:
  - name: android
    operatingSystem: android-enterprise
    share: 60%
    labels: [sales]
  - name: apple
    operatingSystem: ios
    share: 0.4
timeline:
  - at: 1s
    send:
      - command: LOCK_DEVICE
        properties: { message: hello }
    to: { label: sales, share: 50% }
  - fault: { kind: delay, service: wakeUp, delayMs: 300 }
    for: 2s
assert:
  - activation.response.p99 < 5s
  - commandsDone == commandsSent
  - audit == ok
`;

const problemsOf = (source: string): readonly string[] => problemTextOf(source).split('\n').filter(Boolean);

describe('parseScenario', () => {
  it('reads a scenario and fills in what was left out', () => {
    const scenario = parseScenario(VALID, 'file.yaml');
    expect(scenario).toMatchObject({
      name: 'small',
      seed: 1,
      size: 10,
      pushLoss: 0,
      connectWithinMs: 30_000,
      activation: { ratePerS: 20, inFlight: 32, attempts: 8 },
      populations: [
        { name: 'android', share: 0.6, activationType: 'work-and-personal-user-privacy', credential: 'password', devicePassword: 1, labels: ['sales'] },
        { name: 'apple', share: 0.4, activationType: 'mdm-controls' },
      ],
      timeline: [
        { kind: 'send', atMs: 1_000, send: [{ command: 'LOCK_DEVICE', properties: { message: 'hello' } }], to: { label: 'sales', share: 0.5 } },
        { kind: 'fault', atMs: 0, forMs: 2_000, fault: { kind: 'delay', service: 'wakeUp', delayMs: 300 } },
      ],
    });
    expect(scenario.assertions).toHaveLength(3);
  });

  it('has a step that waits for the others follow the latest of them', () => {
    const { timeline } = parseScenario(VALID.replace('for: 2s', 'for: 2s\n  - { after: drained, send: [{ command: UNLOCK_DEVICE }] }'), 'file.yaml');
    expect(timeline[2]).toMatchObject({ kind: 'send', atMs: 1_000, after: 'drained' });
  });

  it('has what is configured first go to all devices, and a change to those who have it', () => {
    const policy = (length: number): string => `configure: [{ policy: staff, rules: { password: { minimumLength: ${length} } } }]`;
    const { timeline } = parseScenario(VALID.replace('for: 2s', `for: 2s\n  - { at: 2s, ${policy(8)} }\n  - { at: 1s, ${policy(6)} }`), 'file.yaml');
    expect(timeline[2]).toMatchObject({ kind: 'configure', atMs: 2_000, to: undefined, configure: [{ kind: 'policy', name: 'staff' }] });
    expect(timeline[3]).toMatchObject({ kind: 'configure', atMs: 1_000, to: { population: undefined, label: undefined, share: 1 } });
  });

  it('refuses a step that is new and a change at once, and a profile that becomes another kind', () => {
    const steps = (...entries: readonly string[]): string =>
      VALID.replace('for: 2s', ['for: 2s', ...entries.map((entry) => `  - configure: [${entry}]`)].join('\n'));
    const wifi = '{ profile: w, kind: wi-fi, content: {} }';
    expect(problemsOf(steps(wifi, `${wifi}, { profile: v, kind: vpn, content: {} }`)).join()).toContain('timeline[3]: some of it is new and some of it is not');
    expect(problemsOf(steps(wifi, '{ profile: w, kind: vpn, content: {} }')).join()).toContain('the profile w is of kind wi-fi and stays so');
    expect(problemsOf(steps(wifi, wifi))).toEqual([]);
  });

  it('reads JSON as well', () => {
    const source = JSON.stringify({ format: 1, name: 'json', populations: [{ name: 'a', operatingSystem: 'ios', count: 3 }] });
    expect(parseScenario(source, 'file.json').populations[0]?.count).toBe(3);
  });

  const cases: readonly (readonly [string, string, string, string])[] = [
    ['an unknown field at the top', 'size: 10', 'sise: 10', 'file.yaml:4:1: sise: unknown field (did you mean size?)'],
    ['an unknown field deep inside', 'share: 50%', 'shear: 50%', 'file.yaml:18:25: timeline[0].to.shear: unknown field (did you mean share?)'],
    [
      'a field that resembles none',
      'labels: [sales]',
      'xyzzy: 1',
      'file.yaml:9:5: populations[0].xyzzy: unknown field (known: name, operatingSystem, activationType, count, share, credential, devicePassword, supervised, compromised, labels)',
    ],
    ['a missing field', 'name: small\n', '', 'file.yaml:2:1: name is missing'],
    ['another format', 'format: 1', 'format: 2', 'file.yaml:2:9: format: unknown format 2 (this version reads format 1)'],
    [
      'an unknown operating system',
      'operatingSystem: ios',
      'operatingSystem: iso',
      `file.yaml:11:22: populations[1].operatingSystem: expected one of ${SYSTEM_IDS.join(', ')}, found "iso" (did you mean ios?)`,
    ],
    [
      'an activation type of another system',
      'operatingSystem: ios',
      'operatingSystem: ios\n    activationType: mdm-control',
      'file.yaml:12:21: populations[1].activationType: iOS has no activation type mdm-control (did you mean mdm-controls?)',
    ],
    ['an unknown command', 'LOCK_DEVICE', 'LOCK_DEVISE', '(did you mean LOCK_DEVICE?)'],
    ['a time without a unit', 'at: 1s', 'at: 1', 'file.yaml:14:9: timeline[0].at: expected a time, found 1 (write it with its unit: 500ms, 10s, 5min or 2h)'],
    ['a share above all', 'share: 60%', 'share: 160%', 'file.yaml:8:12: populations[0].share: expected a share, found "160%" (write 10% or 0.1)'],
    ['shares that do not add up', 'share: 60%', 'share: 50%', 'file.yaml:6:3: populations: the shares of the populations add up to 90%, not 100%'],
    ['shares without a size', 'size: 10\n', '', 'populations: populations with shares need a size (add size: 200 at the top)'],
    ['a mix of shares and counts', 'share: 60%', 'count: 6', 'populations: either all populations have a count or all have a share'],
    ['a population with both', 'share: 60%', 'share: 60%\n    count: 6', 'populations[0]: a population has either a count or a share'],
    ['two populations of one name', 'name: apple', 'name: android', 'file.yaml:10:11: populations[1].name: a second population called android'],
    ['an unknown label', 'label: sales', 'label: sale', 'timeline[0].to.label: no population has the label sale (did you mean sales?)'],
    ['an unknown metric', 'commandsDone ==', 'commandDone ==', 'unknown metric commandDone (did you mean commandsDone?)'],
    ['an unknown percentile', 'p99 <', 'p98 <', 'unknown statistic p98 (did you mean p90?)'],
    ['a time compared with a count', '< 5s', '< 5', 'a time is compared with a time, a count with a count (times have a unit, for example 5s)'],
    ['an audit compared with a number', 'audit == ok', 'audit == 1', 'the audit is compared with ok only (write: audit == ok)'],
    ['no comparison', 'audit == ok', 'audit', 'expected <metric> <comparison> <value>'],
    [
      'an entry with send and fault',
      '    to: {',
      '    fault: { kind: drop }\n    to: {',
      'an entry of the timeline has one of send, sendToApps, configure and fault',
    ],
    ['a step after something else', 'at: 1s', 'after: drain', 'timeline[0].after: expected one of drained, found "drain" (did you mean drained?)'],
    ['a send before the activation', 'at: 1s', 'before: activation', 'timeline[0]: before belongs to configure, and to no other time'],
    ['a repeated field', 'size: 10', 'size: 10\nsize: 11', 'file.yaml:5:1: Map keys must be unique'],
    ['a negative number as property', 'message: hello', 'message: -1', 'a property is text, a whole number from 0, true or false, a list or a map, not -1'],
    ['an alias', 'message: hello', 'message: *x', 'not an alias'],
    ['a list where a map belongs', 'to: { label: sales, share: 50% }', 'to: []', 'expected a map with population, label, share, found a list'],
    ['text where a list belongs', 'labels: [sales]', 'labels: sales', 'expected a list, found "sales"'],
    ['a name with spaces', 'name: small', 'name: not so small', 'expected a name of lower-case letters, digits and hyphens, found "not so small"'],
    ['a status below 500', 'kind: delay', 'kind: status\n      , status: 404', 'expected a whole number from 500 to 599, found 404'],
    [
      'an unknown expectation',
      'properties: { message: hello }',
      'expect: refusedByUEM',
      'timeline[0].send[0].expect: expected one of done, noEffect, refusedByUem',
    ],
    ['a command with a letter too few', 'LOCK_DEVICE', 'LOCK_DEVIC', 'send[0].command: "LOCK_DEVIC" is not known here (did you mean LOCK_DEVICE?)'],
    ['a command that UEM alone gives', 'LOCK_DEVICE', 'UPDATE_IT_POLICY', 'expected one of LOCK_DEVICE'],
    ['a command that no device carries out', 'LOCK_DEVICE', 'REMOVE_DEVICE', 'expected one of LOCK_DEVICE'],
    ['a command for no application', 'LOCK_DEVICE', 'LOCK_APPLICATION', 'LOCK_APPLICATION is for an application (add application: com.example.mail)'],
    ['an application for a command of the device', 'properties: { message: hello }', 'application: a', 'LOCK_DEVICE is for no application'],
    [
      'an entry with send and configure',
      '    to: {',
      '    configure: [{ policy: p, rules: { apps: {} } }]\n    to: {',
      'has one of send, sendToApps, configure and fault',
    ],
    ['a policy without rules', 'fault: { kind: delay, service: wakeUp, delayMs: 300 }', 'configure: [{ policy: p, rules: {} }]', 'a policy has rules'],
    [
      'a policy of a kind',
      'fault: { kind: delay, service: wakeUp, delayMs: 300 }',
      'configure: [{ policy: p, kind: vpn, rules: { apps: {} } }]',
      'expected a policy with rules, or a profile with kind and content',
    ],
    [
      'a profile without a kind',
      'fault: { kind: delay, service: wakeUp, delayMs: 300 }',
      'configure: [{ profile: p, content: {} }]',
      'expected a policy with rules, or a profile with kind and content',
    ],
    [
      'an unknown kind of profile',
      'fault: { kind: delay, service: wakeUp, delayMs: 300 }',
      'configure: [{ profile: p, kind: wifi, content: {} }]',
      '(did you mean wi-fi?)',
    ],
    [
      'a configuration for a time',
      'fault: { kind: delay, service: wakeUp, delayMs: 300 }',
      'configure: [{ policy: p, rules: { apps: {} } }]',
      'for belongs to a fault',
    ],
    ['a fault for some devices', '    for: 2s', '    to: { label: sales }', 'to belongs to send, sendToApps or configure'],
    ['a share of a second between polls', 'timeline:', 'poll: { interval: 1500ms }\ntimeline:', 'poll.interval: expected whole seconds'],
  ];

  it.each(cases)('refuses %s', (_what, before, after, problem) => {
    expect(VALID).toContain(before);
    const problems = problemsOf(VALID.replace(before, after));
    expect(problems.join('\n')).toContain(problem);
  });

  it('reports every problem at once, in the order of the file', () => {
    const problems = problemsOf(VALID.replace('size: 10', 'sise: 10').replace('at: 1s', 'at: soon').replace('LOCK_DEVICE', 'UNLOK_DEVICE'));
    expect(problems.map((problem) => problem.split(':')[1])).toEqual(['4', '14', '16']);
  });

  it.each(['', '[]', 'null', '- a', '"text"', '{', '\u0000', 'a: b: c'])('refuses %j without any other error', (source) => {
    expect(problemsOf(source).length).toBeGreaterThan(0);
  });
});
