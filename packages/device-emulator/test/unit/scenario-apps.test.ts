import { nodeCrypto } from '@uemkit/protocol/node';
import { describe, expect, it } from 'vitest';
import { makePlan } from '../../src/plan/plan.ts';
import { parseScenario } from '../../src/scenario/parse-scenario.ts';
import { problemsOf } from './problems-of.ts';

const HEAD = `
format: 1
name: apps
populations:
  - { name: androids, operatingSystem: android-enterprise, count: 4, labels: [field] }
  - { name: knox, operatingSystem: samsung-knox, count: 2, labels: [field] }
  - { name: macs, operatingSystem: macos, count: 1 }
`;

const WIKI = '{ name: wiki, to: { population: androids }, key: uem-client }';
const withApps = (...apps: readonly string[]): string => `${HEAD}apps:\n${apps.map((app) => `  - ${app}\n`).join('')}`;

describe('apps of a scenario', () => {
  it('are read, with what was left out', () => {
    expect(parseScenario(`${withApps(WIKI)}appServer: http://10.0.0.1:8080\n`, 'file.yaml')).toMatchObject({
      appServer: 'http://10.0.0.1:8080',
      apps: [{ application: 'com.example.fleet.wiki', way: 'noc', sessions: 1, sessionsPerHour: 3_600, requests: [{ method: 'GET', path: '/', count: 1 }] }],
    });
  });

  it.each([
    ['a population that is not there', [WIKI.replace('androids', 'android')], 'apps[0].to.population: no population called android (did you mean androids?)'],
    ['a label that is not there', ['{ name: a, to: { label: filed }, key: mail }'], 'no population has the label filed (did you mean field?)'],
    ['a system without Dynamics apps', ['{ name: a, to: { population: macs }, key: mail }'], 'macs: there are no Dynamics apps for macOS'],
    ['a UEM Client beside a Knox Workspace', ['{ name: a, to: { population: knox }, key: uem-client }'], 'knox: apps in a Knox Workspace ask each other'],
    ['a sibling without another app', ['{ name: a, to: { population: knox }, key: sibling }'], 'no app before this one is on the same devices'],
    ['a sibling of siblings elsewhere', [WIKI, '{ name: a, to: { population: knox }, key: sibling }'], 'no app before this one is on the same devices'],
    ['two ways on one device', [WIKI, '{ name: a, to: { label: field }, key: mail, way: direct }'], 'and wiki goes by noc'],
    ['two of one name', [WIKI, WIKI], 'a second app called wiki'],
    [
      'two of one entitlement id',
      [WIKI, '{ name: b, application: com.example.fleet.wiki, to: { population: knox }, key: mail }'],
      'a second app with the entitlement id',
    ],
    ['no entitlement id', ['{ name: a, application: Wiki, to: { population: knox }, key: mail }'], '"Wiki" is no entitlement id'],
    ['a request of two kinds', ['{ name: a, to: { population: knox }, key: mail, requests: [{ get: /a, post: /b }] }'], 'a request has either get or post'],
    ['a body of a GET', ['{ name: a, to: { population: knox }, key: mail, requests: [{ get: /a, bytes: 1 }] }'], 'bytes belongs to post'],
    ['no path', ['{ name: a, to: { population: knox }, key: mail, requests: [{ get: a }] }'], 'expected a path such as /page'],
  ])('are refused with %s', (_what, apps, problem) => {
    expect(problemsOf(withApps(...apps))).toContain(problem);
  });

  it.each(['ftp://a', 'http://a/b', 'http://a/?b', 'http://u:p@a', '7'])('have no server %s', (url) => {
    expect(problemsOf(`${withApps(WIKI)}appServer: ${url}\n`)).toContain('expected the base URL of an HTTP server');
  });

  it('are planned device by device; one that asks a sibling is only where one is', () => {
    const sibling = '{ name: chat, to: { population: androids }, key: sibling, sessions: 3, sessionsPerHour: 60 }';
    const source = withApps('{ name: wiki, to: { population: androids, share: 50% }, key: uem-client }', sibling);
    const plan = makePlan(parseScenario(source, 'file.yaml'), nodeCrypto());
    const wiki = plan.apps.filter(({ name }) => name === 'wiki');
    expect(wiki).toHaveLength(2);
    expect(plan.apps.map(({ ordinal }) => ordinal)).toEqual([0, 1, 2, 3]);
    expect(plan.apps.filter(({ name }) => name === 'chat').map(({ device, asks }) => [device, asks])).toEqual(wiki.map(({ device }) => [device, 'wiki']));
    const [first] = wiki;
    expect(first?.platformId).toMatch(/^android:com\.example\.fleet\.wiki:[0-9a-f]{64}$/);
    const [atMs = 0, nextMs] = plan.apps[1]?.sessionsAtMs ?? [];
    expect([atMs < 60_000, nextMs]).toEqual([true, atMs + 60_000]);
    const other = parseScenario(withApps(WIKI), 'file.yaml');
    expect(makePlan(other, nodeCrypto()).digest).not.toBe(plan.digest);
  });

  it('in a Knox Workspace have its space in their platform ids', () => {
    const { apps } = makePlan(parseScenario(withApps('{ name: a, to: { population: knox }, key: mail }'), 'file.yaml'), nodeCrypto());
    expect(apps.map(({ platformId }) => platformId.split(':')[0])).toEqual(['samsung-knox-workspace', 'samsung-knox-workspace']);
  });
});
