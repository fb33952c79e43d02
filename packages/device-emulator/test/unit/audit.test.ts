import { describe, expect, it } from 'vitest';
import { type AuditedDevice, audit } from '../../src/audit/audit.ts';
import type { AuditedCompliance } from '../../src/audit/check-compliance.ts';
import type { Expectation } from '../../src/scenario/scenario.ts';

const GOOD: AuditedDevice = {
  index: 3,
  activatedAs: 'd-3',
  serverIds: ['d-3'],
  managed: true,
  sent: [
    { commandId: 'a', type: 'LOCK_DEVICE' },
    { commandId: 'b', type: 'UNLOCK_DEVICE' },
  ],
  serverCommands: [
    { guid: 'a', type: 'LOCK_DEVICE', status: 'COMPLETED' },
    { guid: 'b', type: 'UNLOCK_DEVICE', status: 'FAILED' },
  ],
  executions: [
    { commandId: 'a', type: 'LOCK_DEVICE', status: 'done', atMs: 1 },
    { commandId: 'b', type: 'UNLOCK_DEVICE', status: 'failed', atMs: 2 },
  ],
  lostPushes: 0,
};

/** The same after DELETE_DEVICE_DATA. */
const LEFT: Pick<AuditedDevice, 'managed' | 'serverIds' | 'serverCommands' | 'executions'> = {
  managed: false,
  serverIds: [],
  serverCommands: [...GOOD.serverCommands, { guid: 'bye', type: 'DELETE_DEVICE_DATA', status: 'COMPLETED' }],
  executions: [...GOOD.executions, { commandId: 'bye', type: 'DELETE_DEVICE_DATA', status: 'done', atMs: 3 }],
};

describe('audit', () => {
  it('agrees when plan, device and server agree', () => {
    expect(audit([GOOD, { ...GOOD, index: 4, activatedAs: 'd-4', serverIds: ['d-4'] }])).toEqual({
      ok: true,
      planned: 2,
      activated: 2,
      refused: 0,
      serverKnown: 2,
      left: 0,
      drained: 2,
      apps: {
        planned: 0,
        activated: 0,
        serverKnown: 0,
        byKey: { 'uem-client': 0, mail: 0, sibling: 0 },
        requests: { planned: 0, done: 0, failed: 0, byWay: { noc: 0, direct: 0 } },
      },
      differences: [],
    });
  });

  const cases: readonly (readonly [string, Partial<AuditedDevice>, readonly string[]])[] = [
    ['a device that was never activated', { activatedAs: undefined, serverIds: [], sent: [], serverCommands: [], executions: [] }, ['notActivated']],
    ['one that only the server knows', { activatedAs: undefined, sent: [], serverCommands: [], executions: [] }, ['notActivated', 'otherDeviceOnServer']],
    ['one that is missing on the server', { serverIds: [] }, ['notOnServer']],
    ['one that the server has twice', { serverIds: ['d-3', 'd-99'] }, ['duplicateOnServer']],
    ['one that left and is still on the server', { ...LEFT, serverIds: ['d-3'] }, ['leftButOnServer']],
    ['one that the server refuses though no command ended its management', { managed: false }, ['notManaged']],
    [
      'a command that was carried out twice',
      { executions: [...GOOD.executions, { commandId: 'a', type: 'LOCK_DEVICE', status: 'done', atMs: 3 }] },
      ['executedTwice'],
    ],
    ['a command that the server lost', { serverCommands: GOOD.serverCommands.slice(1), executions: GOOD.executions.slice(1) }, ['commandLost']],
    [
      'a command that somebody has cancelled',
      { serverCommands: [{ guid: 'a', type: 'LOCK_DEVICE', status: 'CANCELLED' }, ...GOOD.serverCommands.slice(1)], executions: GOOD.executions.slice(1) },
      ['commandCancelled'],
    ],
    ['a command that the device lost', { executions: GOOD.executions.slice(1) }, ['commandLost']],
    [
      'a command that is still queued',
      { serverCommands: [{ guid: 'a', type: 'LOCK_DEVICE', status: 'QUEUED' }, ...GOOD.serverCommands.slice(1)], executions: GOOD.executions.slice(1) },
      ['commandOpen'],
    ],
    ['a command in flight', { serverCommands: [{ guid: 'a', type: 'LOCK_DEVICE', status: 'SENT' }, ...GOOD.serverCommands.slice(1)] }, ['commandOpen']],
    ['another status', { serverCommands: [{ guid: 'a', type: 'LOCK_DEVICE', status: 'FAILED' }, ...GOOD.serverCommands.slice(1)] }, ['statusDiffers']],
    [
      'a cancelled command that was carried out',
      { serverCommands: [{ guid: 'a', type: 'LOCK_DEVICE', status: 'CANCELLED' }, ...GOOD.serverCommands.slice(1)] },
      ['statusDiffers'],
    ],
    ['a command that nobody sent', { executions: [...GOOD.executions, { commandId: 'x', type: 'LOCK_DEVICE', status: 'done', atMs: 3 }] }, ['unknownCommand']],
    ['a push that was lost for good', { lostPushes: 2 }, ['pushNotRecovered']],
  ];

  it.each(cases)('lists %s with the index of the device', (_what, change, problems) => {
    const report = audit([{ ...GOOD, ...change }]);
    expect(report.ok).toBe(false);
    expect(report.differences.map(({ problem }) => problem)).toEqual(problems);
    expect(report.differences.every(({ device, detail }) => device === 3 && detail.length > 0)).toBe(true);
    expect(report.drained).toBe(0);
  });

  it('counts a device that left as known, and does not ask for what was queued when it left', () => {
    const left: AuditedDevice = {
      ...GOOD,
      ...LEFT,
      serverCommands: [...LEFT.serverCommands, { guid: 'c', type: 'REQUEST_DEVICE_INFO', status: 'QUEUED' }],
    };
    expect(audit([left])).toMatchObject({ ok: true, serverKnown: 1, left: 1 });
  });

  it('takes no offence at a command of somebody else that expired', () => {
    expect(audit([{ ...GOOD, serverCommands: [...GOOD.serverCommands, { guid: 'z', type: 'LOCK_DEVICE', status: 'FAILED' }] }]).ok).toBe(true);
  });
});

describe('audit of what the plan expects', () => {
  type Status = 'done' | 'failed';
  /** A device with one command that was taken by UEM, and what became of it on the device. */
  const taken = (expected: Expectation, status: Status, changed: boolean): AuditedDevice => ({
    ...GOOD,
    sent: [{ commandId: 'a', type: 'LOCK_DEVICE', expected }],
    serverCommands: [{ guid: 'a', type: 'LOCK_DEVICE', status: status === 'done' ? 'COMPLETED' : 'FAILED' }],
    executions: [{ commandId: 'a', type: 'LOCK_DEVICE', status, changed, atMs: 1 }],
  });
  const refused = (expected: Expectation): AuditedDevice => ({
    ...GOOD,
    sent: [{ type: 'LOCK_DEVICE', refusal: 'COMMAND_NOT_APPLICABLE', expected }],
    serverCommands: [],
    executions: [],
  });
  const problems = (device: AuditedDevice): readonly string[] => audit([device]).differences.map(({ problem }) => problem);

  const good: readonly (readonly [string, AuditedDevice])[] = [
    ['a command that is carried out', taken('done', 'done', true)],
    ['one that had nothing to change, where the plan did not foresee it', taken('done', 'done', false)],
    ['one without effect', taken('noEffect', 'done', false)],
    ['one that the device refuses', taken('refusedByDevice', 'failed', false)],
    ['one that UEM refuses', refused('refusedByUem')],
    ['one whose device had left', { ...refused('done'), sent: [{ type: 'LOCK_DEVICE', expected: 'done' }] }],
  ];
  it.each(good)('agrees with %s', (_what, device) => {
    expect(problems(device)).toEqual([]);
  });

  const wrong: readonly (readonly [string, AuditedDevice, string])[] = [
    ['a device that carries out what it should refuse', taken('refusedByDevice', 'done', true), 'carriedOut'],
    ['one that says it did and changes nothing', taken('refusedByDevice', 'done', false), 'carriedOut'],
    ['one that refuses what it should do', taken('done', 'failed', false), 'refusedByDevice'],
    ['one that refuses what ends well without effect', taken('noEffect', 'failed', false), 'refusedByDevice'],
    ['an effect where there should be none', taken('noEffect', 'done', true), 'hadEffect'],
    ['a UEM that takes what it should refuse', taken('refusedByUem', 'failed', false), 'notRefused'],
    ['and a device that even does it', taken('refusedByUem', 'done', true), 'notRefused'],
    ['a UEM that refuses what the device should do', refused('done'), 'refusedByUem'],
    ['a UEM that refuses what the device should refuse', refused('refusedByDevice'), 'refusedByUem'],
    ['a UEM that refuses what has no effect', refused('noEffect'), 'refusedByUem'],
    ['a refusal that changes the device', taken('refusedByDevice', 'failed', true), 'failedWithEffect'],
  ];
  it.each(wrong)('lists %s', (_what, device, problem) => {
    expect(problems(device)).toEqual([problem]);
  });

  it('lists a command that UEM should have refused before the device has carried it out', () => {
    const open: AuditedDevice = { ...taken('refusedByUem', 'done', true), executions: [] };
    expect(problems({ ...open, serverCommands: [{ guid: 'a', type: 'LOCK_DEVICE', status: 'QUEUED' }] })).toEqual(['commandOpen', 'notRefused']);
  });

  it('says in words what happened and what was expected', () => {
    const [difference] = audit([taken('noEffect', 'done', true)]).differences;
    expect(difference?.detail).toBe('LOCK_DEVICE a is carried out; the plan expects that it ends well without effect');
  });
});

describe('audit of activations that UEM has to refuse', () => {
  const REFUSED: AuditedDevice = {
    ...GOOD,
    ...{ activatedAs: undefined, managed: false, serverIds: [], sent: [], serverCommands: [], executions: [] },
    refusal: 'compliance',
    refusedFor: ['jailbroken'],
  };

  it('agrees, counts it, and does not take it for activated', () => {
    expect(audit([REFUSED, GOOD])).toMatchObject({ ok: true, planned: 2, activated: 1, refused: 1, serverKnown: 1, drained: 1 });
  });

  const wrong: readonly (readonly [string, AuditedDevice, string, string])[] = [
    ['a UEM that lets it in', { ...GOOD, refusedFor: ['jailbroken'] }, 'activationNotRefused', 'activated as d-3; the plan has UEM refuse it for jailbroken'],
    [
      'a refusal for another reason',
      { ...REFUSED, refusal: 'deviceLimit' },
      'notActivated',
      'the plan has UEM refuse it for jailbroken, but UEM refused it: deviceLimit',
    ],
    [
      'a device that did not get as far',
      { ...REFUSED, refusal: undefined },
      'notActivated',
      'the plan has UEM refuse it for jailbroken, but the device was never activated',
    ],
    ['a refusal that the plan does not expect', { ...REFUSED, refusedFor: undefined }, 'notActivated', 'planned, but UEM refused it: compliance'],
    ['a device of it on the server', { ...REFUSED, serverIds: ['d-9'] }, 'otherDeviceOnServer', 'the server has d-9, the device knows nothing of it'],
  ];
  it.each(wrong)('lists %s', (_what, device, problem, detail) => {
    expect(audit([device])).toMatchObject({ ok: false, differences: [{ device: 3, problem, detail }] });
  });
});

describe('audit of compliance', () => {
  const content = { jailbroken: { action: 'UNTRUST' } };
  const broken: AuditedCompliance = {
    planned: { content, decided: ['jailbroken', 'hardwareModel'], broken: ['jailbroken'] },
    server: ['jailbroken', 'passwordMissing'],
    held: { compliant: false, findings: [{ rule: 'jailbroken' }, { rule: 'passwordMissing' }], prompts: 1 },
  };
  const kept: AuditedCompliance = { planned: { content, decided: ['jailbroken'], broken: [] }, server: [] };
  const problems = (compliance: AuditedCompliance, change: Partial<AuditedDevice> = {}): readonly string[] =>
    audit([{ ...GOOD, ...change, compliance }]).differences.map(({ problem }) => problem);

  const good: readonly (readonly [string, AuditedCompliance])[] = [
    ['a device that breaks what the plan says', broken],
    ['one that keeps all and was never told anything', kept],
    ['one that keeps it again', { ...kept, held: { compliant: true, findings: [], prompts: 1 } }],
    [
      'a rule of which the user hears by mail alone',
      { ...broken, planned: { content: { jailbroken: { promptMethod: 'EMAIL' } }, decided: [], broken: [] }, held: undefined },
    ],
    ['a finding of a rule that is not of the plan', { server: ['noContact'] }],
  ];
  it.each(good)('agrees with %s', (_what, compliance) => {
    expect(problems(compliance)).toEqual([]);
  });

  const wrong: readonly (readonly [string, AuditedCompliance, readonly string[]])[] = [
    ['a server that does not find it', { ...broken, server: ['passwordMissing'] }, ['complianceNotPlanned', 'complianceDiffers']],
    ['a server that finds what is not there', { ...kept, server: ['jailbroken'] }, ['complianceNotPlanned', 'complianceDiffers']],
    ['a device that was not told', { ...broken, held: undefined }, ['complianceDiffers', 'complianceDiffers']],
    ['a device that was told too much', { server: [], held: { compliant: false, findings: [{ rule: 'jailbroken' }], prompts: 1 } }, ['complianceDiffers']],
    [
      'a device that takes itself for compliant',
      { ...broken, held: { compliant: true, findings: broken.held?.findings ?? [], prompts: 1 } },
      ['complianceDiffers'],
    ],
    ['one that takes itself for not compliant', { ...kept, held: { compliant: false, findings: [], prompts: 1 } }, ['complianceDiffers']],
  ];
  it.each(wrong)('lists %s', (_what, compliance, expected) => {
    expect(problems(compliance)).toEqual(expected);
  });

  it('waits for a status that is on its way, and asks nothing of a device that left', () => {
    const status = { guid: 's', type: 'UPDATE_COMPLIANCE_STATUS', status: 'QUEUED' };
    expect(problems({ ...broken, held: undefined }, { serverCommands: [...GOOD.serverCommands, status] })).toEqual(['commandOpen']);
    expect(problems({ ...broken, held: undefined }, LEFT)).toEqual([]);
  });
});
