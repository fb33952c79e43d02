import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { InProcess } from './in-process.ts';

/** Bounds a hang; a run takes a few seconds. */
const PATIENCE_MS = 120_000;

const HEAD = `
format: 1
name: planned
populations:
  - { name: apple, operatingSystem: ios, count: 2, credential: qr, devicePassword: 0%, labels: [wifi] }
  - { name: private, operatingSystem: ios, activationType: user-privacy, count: 1, credential: qr }
  - { name: desk, operatingSystem: windows-10, count: 1, credential: qr, labels: [wifi] }
  - { name: known, operatingSystem: ios, activationType: 2fa-registration, count: 1, credential: qr, labels: [wifi] }
activation: { ratePerS: 50, inFlight: 4 }
poll: { interval: 1s, jitter: 0s }
drainWithin: 60s
generator: { maxEventLoopDelay: 10s, maxLag: 30s }
`;

const CONFIGURATION = `
timeline:
  - configure: [{ policy: staff, rules: { password: { minimumLength: 6 }, apps: { allowAppStore: false } } }]
  - configure: [{ profile: wifi, kind: wi-fi, content: { ssid: work, security: WPA2_PERSONAL, preSharedKey: not-in-any-report } }]
    to: { label: wifi }
  - after: drained
    configure: [{ policy: staff, rules: { password: { minimumLength: 8 }, apps: { allowAppStore: false } } }]
`;

/** An update of a document in a trace. */
interface UpdateLine {
  readonly device: number;
  readonly step: string;
  readonly message: string;
  readonly bytes: number;
  readonly body: {
    readonly type: string;
    readonly properties: { readonly revision: number; readonly baseRevision?: number; readonly remove?: readonly string[] };
  };
}

let here: InProcess;
beforeEach(() => {
  here = new InProcess();
});
afterEach(() => here.close());

const run = (...more: readonly string[]) => here.call(['run', 'planned.yaml', '--target', 'connection.json', '--state', 'state', '--json', ...more]);
const reportIn = (out: string) => JSON.parse(out) as Record<string, unknown> & { differences?: readonly { device: number; problem: string; detail: string }[] };

describe('what a plan configures and expects, against a lab server', { timeout: PATIENCE_MS }, () => {
  it('policies and profiles reach the devices of their group by push and by poll, and a change travels as a delta', async () => {
    const lab = await here.target();
    here.write('planned.yaml', `${HEAD}push: { loss: 30% }${CONFIGURATION}assert: [updatesDone == 11, audit == ok]\n`);
    // Answers of the administrator's requests are lost: nothing may come to be twice.
    lab.faults.add({ kind: 'drop', service: 'admin', at: 'answer', share: 0.3, count: 20 });
    const { code, out, err } = await run('--trace', 'trace.ndjson');
    expect(code, `${err}${out}`).toBe(EXIT.ok);
    expect(reportIn(out)).toMatchObject({
      audit: 'ok',
      activated: 5,
      drained: 5,
      commandsSent: 0,
      byKind: { ios: { updatesDone: 8, commandsSent: 0 }, 'windows-10': { updatesDone: 3 } },
    });
    expect(out + err).not.toContain('not-in-any-report');
    const trace = readFileSync(join(here.folder, 'trace.ndjson'), 'utf8');
    expect(trace).not.toContain('not-in-any-report');
    const updates = trace
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as UpdateLine)
      .filter(({ message, body }) => message === 'command' && body.type === 'UPDATE_IT_POLICY');
    const ofEach = (base: number | undefined): ReadonlyMap<number, UpdateLine> =>
      new Map(updates.filter(({ body }) => body.properties.baseRevision === base).map((line) => [line.device, line] as const));
    const [whole, changes] = [ofEach(undefined), ofEach(1)];
    expect([whole.size, changes.size]).toEqual([4, 4]);
    for (const [device, { bytes, step, body }] of changes) {
      expect([step, body.properties.revision, body.properties.remove]).toEqual(['F5.4', 2, []]);
      // The rules that stay do not travel again.
      expect(bytes).toBeLessThan(whole.get(device)?.bytes ?? 0);
    }
    expect([...lab.admin.policies()].filter(({ name }) => name === 'planned-1 staff')).toHaveLength(1);
    expect([...lab.admin.userGroups()]).toHaveLength(2);
  });

  it('the audit finds a device that was given something else behind the back of the plan', async () => {
    const lab = await here.target();
    // The run that finds it waits that long for the devices to hold what the plan wants.
    here.write('planned.yaml', `${HEAD.replace('drainWithin: 60s', 'drainWithin: 5s')}${CONFIGURATION}assert: [audit == ok]\n`);
    expect((await run()).code).toBe(EXIT.ok);
    const policy = [...lab.admin.policies()].find(({ name }) => name === 'planned-1 staff');
    await lab.admin.updatePolicy(policy?.policyId ?? '', { name: 'planned-1 staff', rank: 1, rules: { password: { minimumLength: 4 } } });
    const audited = await here.call(['resume', 'state', '--json']);
    expect(audited.code, audited.err).toBe(EXIT.auditFailed);
    const problems = new Set(reportIn(audited.out).differences?.map(({ problem }) => problem));
    // Whether the devices have fetched it by then or not, it is not what the plan wants.
    expect([...problems].some((problem) => problem.startsWith('configuration'))).toBe(true);
  });

  it('refusals and commands without effect are what the plan expects, by kind', async () => {
    await here.target();
    here.write(
      'planned.yaml',
      `${HEAD}
timeline:
  - send: [{ command: LOCK_DEVICE }, { command: UNLOCK_DEVICE }, { command: GET_DEVICE_LOGS }]
  - { send: [{ command: LOCK_APPLICATION, application: com.example.mail }, { command: ENABLE_LOST_MODE, properties: { phoneNumber: '1', message: m } }], to: { population: apple } }
assert: [commandsRefused == 7, commandsFailed == 4, refusedAsDocumented == 11, commandsSent == 12, audit == ok]
`,
    );
    const { code, out, err } = await run();
    expect(code, `${err}${out}`).toBe(EXIT.ok);
    expect(reportIn(out)['byKind']).toMatchObject({
      ios: { devices: 4, commandsSent: 11, commandsDone: 7, withoutEffect: 2, refusedByUem: 5, refusedByDevice: 4, refusedAsDocumented: 9 },
      'windows-10': { devices: 1, commandsSent: 1, commandsDone: 1, withoutEffect: 0, refusedByUem: 2, refusedByDevice: 0, refusedAsDocumented: 2 },
    });
  });

  it('fails when a command becomes something else than the plan expects', async () => {
    await here.target();
    here.write(
      'planned.yaml',
      `${HEAD}
timeline:
  - send:
      - { command: UNLOCK_DEVICE, expect: done }
      - { command: REQUEST_INSTALLED_APPS, expect: refusedByUem }
      - { command: LOCK_DEVICE, properties: { message: lost }, expect: noEffect }
    to: { population: desk }
`,
    );
    const { code, out } = await run();
    expect(code).toBe(EXIT.auditFailed);
    expect(
      reportIn(out)
        .differences?.map(({ problem }) => problem)
        .sort(),
    ).toEqual(['hadEffect', 'notRefused', 'refusedByUem']);
  });

  const ROOTED = `
format: 1
name: planned
populations:
  - { name: rooted, operatingSystem: ios, count: 2, compromised: 100%, credential: qr }
  - { name: sound, operatingSystem: ios, count: 2, credential: qr }
activation: { ratePerS: 50, inFlight: 4 }
poll: { interval: 1s, jitter: 0s }
drainWithin: 10s
generator: { maxEventLoopDelay: 10s, maxLag: 30s }
`;
  const RULE = 'configure: [{ profile: rules, kind: compliance, content: { jailbroken: { action: MONITOR_AND_LOG } } }]';

  it('UEM refuses devices that are jailbroken under a rule of the plan: that is counted, and no failure', async () => {
    await here.target();
    const timeline = `timeline:\n  - { before: activation, ${RULE} }\n  - send: [{ command: GET_DEVICE_LOGS }]\n`;
    here.write(
      'planned.yaml',
      `${ROOTED}${timeline}assert: [activated == 2, activationsRefused == 2, activationsFailed == 0, commandsDone == 2, audit == ok]\n`,
    );
    const { code, out, err } = await run();
    expect(code, `${err}${out}`).toBe(EXIT.ok);
    expect(reportIn(out)).toMatchObject({ activationsRefused: 2, drained: 2, byKind: { ios: { devices: 4, activated: 2, activationsRefused: 2 } } });
    expect(err).not.toContain('was not activated');
    // Another start is told the same by UEM, and begins the timeline nowhere else.
    const resumed = await here.call(['resume', 'state', '--json']);
    expect(resumed.code, `${resumed.err}${resumed.out}`).toBe(EXIT.ok);
    expect(reportIn(resumed.out)).toMatchObject({ activationsRefused: 2, commandsDone: 2 });
  });

  it('a rule that UEM has and the plan does not know ends in a difference, and names why', async () => {
    const lab = await here.target();
    await lab.admin.updateConfigurationProfile('default-compliance', {
      kind: 'compliance',
      name: 'Rules',
      content: { jailbroken: { action: 'MONITOR_AND_LOG' } },
    });
    here.write('planned.yaml', ROOTED);
    const { code, out } = await run();
    expect(code).toBe(EXIT.auditFailed);
    const refused = reportIn(out).differences?.filter(({ problem }) => problem === 'notActivated');
    expect(refused?.map(({ problem, detail }) => [problem, detail])).toEqual([1, 2].map(() => ['notActivated', 'planned, but UEM refused it: compliance']));
  });

  it('a rule that comes later finds the devices that break it, and they are told', async () => {
    const lab = await here.target();
    here.write('planned.yaml', `${ROOTED}timeline:\n  - ${RULE}\n`);
    const { code, out, err } = await run();
    expect(code, `${err}${out}`).toBe(EXIT.ok);
    const broken = [...lab.admin.devices()].map(({ deviceId }) => lab.admin.complianceFindings(deviceId).map(({ rule }) => rule));
    expect(broken.filter(([rule]) => rule === 'jailbroken')).toHaveLength(2);
    // The same rule with other devices in mind: server and plan no longer agree.
    const profile = [...lab.admin.configurationProfiles()].find(({ name }) => name === 'planned-1 rules');
    await lab.admin.updateConfigurationProfile(profile?.profileId ?? '', { kind: 'compliance', name: 'planned-1 rules', content: {} });
    // While the devices still carry out what the change has brought them, the audit names that instead.
    await vi.waitFor(
      async () => {
        const audited = await here.call(['resume', 'state', '--json']);
        expect(audited.code).toBe(EXIT.auditFailed);
        expect(reportIn(audited.out).differences?.map(({ problem }) => problem)).toContain('complianceNotPlanned');
      },
      { timeout: 60_000 },
    );
  }, 90_000);
});
