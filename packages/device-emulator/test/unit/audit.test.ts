import { describe, expect, it } from 'vitest';
import { type AuditedDevice, audit } from '../../src/audit/audit.ts';

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
      serverKnown: 2,
      left: 0,
      drained: 2,
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
