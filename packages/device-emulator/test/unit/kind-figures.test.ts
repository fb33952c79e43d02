import { nodeCrypto } from '@uemkit/protocol/node';
import { describe, expect, it } from 'vitest';
import { demoFailures } from '../../../../scripts/lib/demo-failures.mjs';
import type { AuditedDevice } from '../../src/audit/audit.ts';
import { kindTable } from '../../src/cli/kind-table.ts';
import { SYSTEM_IDS } from '../../src/operating-systems/systems.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { kindFigures, totalOf } from '../../src/run/kind-figures.ts';
import { parseScenario } from '../../src/scenario/parse-scenario.ts';

const plan = makePlan(
  parseScenario('{format: 1, name: k, populations: [{name: a, operatingSystem: ios, count: 2}, {name: b, operatingSystem: macos, count: 1}]}', 'k.yaml'),
  nodeCrypto(),
);
const device = (index: number, change: Partial<AuditedDevice>): AuditedDevice => ({
  index,
  activatedAs: `d-${index}`,
  serverIds: [`d-${index}`],
  managed: true,
  sent: [],
  serverCommands: [],
  executions: [],
  lostPushes: 0,
  ...change,
});

describe('figures by kind', () => {
  // Devices 0 and 2 are iPhones.
  const audited = [
    device(0, {
      sent: [
        { type: 'LOCK_DEVICE', commandId: 'a', expected: 'noEffect' },
        { type: 'LOCK_DEVICE', commandId: 'b', expected: 'done' },
        { type: 'ENABLE_LOST_MODE', commandId: 'c', expected: 'refusedByDevice' },
        { type: 'GET_DEVICE_LOGS', commandId: 'd', expected: 'done' },
        { type: 'LOCK_WORK_SPACE', refusal: 'COMMAND_NOT_APPLICABLE', expected: 'refusedByUem' },
        { type: 'UNLOCK_DEVICE', refusal: 'COMMAND_NOT_APPLICABLE', expected: 'done' },
      ],
      executions: [
        { commandId: 'a', type: 'LOCK_DEVICE', status: 'done', changed: false, atMs: 1 },
        { commandId: 'b', type: 'LOCK_DEVICE', status: 'done', changed: false, atMs: 1 },
        { commandId: 'c', type: 'ENABLE_LOST_MODE', status: 'failed', changed: false, atMs: 1 },
        { commandId: 'd', type: 'GET_DEVICE_LOGS', status: 'failed', changed: false, atMs: 1 },
        { commandId: 'x', type: 'UPDATE_IT_POLICY', status: 'done', changed: true, atMs: 1 },
        { commandId: 'y', type: 'UPDATE_PROFILES', status: 'failed', changed: false, atMs: 1 },
        { commandId: 'z', type: 'UPDATE_DEVICE_OS', status: 'done', changed: true, atMs: 1 },
      ],
    }),
    device(1, { sent: [{ type: 'LOCK_DEVICE', expected: 'done' }] }),
    device(2, { activatedAs: undefined, refusedFor: ['jailbroken'], refusal: 'compliance' }),
  ];
  const kinds = kindFigures(plan, audited, (index) => ({ through: index + 1, lost: index }));

  it('counts each command once, by what became of it', () => {
    expect(kinds.get('ios')).toEqual({
      devices: 2,
      activated: 1,
      activationsRefused: 1,
      pushesThrough: 4,
      pushesLost: 2,
      commandsSent: 4,
      commandsDone: 2,
      withoutEffect: 1,
      refusedByUem: 2,
      refusedByDevice: 2,
      refusedAsDocumented: 2,
      updatesDone: 1,
    });
    // What had no device to go to any more was neither sent nor refused.
    expect(kinds.get('macos')).toMatchObject({ devices: 1, commandsSent: 0, refusedByUem: 0 });
    expect(totalOf(kinds.values())).toMatchObject({ devices: 3, activated: 2, pushesThrough: 6, commandsSent: 4 });
  });

  it('is a table for people, with a line for each kind', () => {
    const [, heading, ...lines] = kindTable(kinds);
    expect(heading?.trim().split(/\s{2,}/)).toEqual(['kind', 'activated', 'through', 'done', 'no effect', 'by UEM', 'by devices', 'documented', 'applied']);
    expect(lines.map((line) => line.trim().split(/\s{2,}/))).toEqual([
      ['ios', '1 of 2', '4', '2 of 4', '1', '2', '2', '2 of 4', '1'],
      ['macos', '1 of 1', '2', '0 of 0', '0', '0', '0', '0 of 0', '0'],
    ]);
  });
});

describe('the check of the demo', () => {
  type Json = Record<string, unknown>;
  const figures = { devices: 30, activated: 30, pushesThrough: 40, pushesLost: 3 };
  const kind = {
    ...figures,
    commandsSent: 120,
    commandsDone: 90,
    withoutEffect: 5,
    refusedByUem: 30,
    refusedByDevice: 30,
    refusedAsDocumented: 60,
    updatesDone: 60,
  };
  // No Dynamics application runs there: UEM refuses what is for one.
  const withoutApplications = { ...kind, commandsSent: 90, refusedByUem: 60, refusedByDevice: 0 };
  const others = ['macos', 'windows-10', 'blackberry-10'];
  const summary = { p50: 1, p95: 2, p99: 3 };
  const good = {
    devices: 210,
    activated: 210,
    serverKnown: 210,
    drained: 210,
    kinds: Object.fromEntries(SYSTEM_IDS.map((id) => [id, 30])),
    byKind: Object.fromEntries(SYSTEM_IDS.map((id) => [id, others.includes(id) ? withoutApplications : kind])) as Record<string, Json>,
    commandsSent: 750,
    commandsDone: 630,
    commandsFailed: 120,
    commandsRefused: 300,
    refusedAsDocumented: 420,
    updatesDone: 420,
    pushesReceived: 280,
    pushesDropped: 21,
    pushesRecoveredByPoll: 21,
    lockBeforeInventory: true,
    activationMs: summary,
    pushToIdleMs: summary,
    apps: {
      planned: 30,
      activated: 30,
      serverKnown: 30,
      byKey: { 'uem-client': 10, mail: 10, sibling: 10 },
      requests: { planned: 160, done: 160, failed: 0, byWay: { noc: 130, direct: 30 } },
    },
    audit: 'ok',
  };

  it('finds nothing where everything holds', () => {
    expect(demoFailures(good)).toEqual([]);
  });

  const without = (list: Json, name: string): Json => Object.fromEntries(Object.entries(list).filter(([key]) => key !== name));
  const ofIos = (change: Json): Json => ({ ...good, byKind: { ...good.byKind, ios: { ...kind, ...change } } });
  const cases: readonly (readonly [string, Json, string])[] = [
    ['fewer devices', { ...good, devices: 203 }, '203 devices, not 7 kinds of 30'],
    ['a device that was not activated', { ...good, activated: 209 }, 'activated 209 of 210'],
    ['one that the server does not know', { ...good, serverKnown: 209 }, 'serverKnown 209 of 210'],
    ['one that is not through', { ...good, drained: 209 }, 'drained 209 of 210'],
    ['a command that was not done', { ...good, commandsDone: 629 }, 'done 629 and failed 120 of 750 commands'],
    ['no command at all', { ...good, commandsSent: 120, commandsDone: 0 }, 'done 0 and failed 120 of 120 commands'],
    ['a refusal that is not documented', { ...good, refusedAsDocumented: 419 }, 'refused as documented 419, by UEM 300, by devices 120'],
    ['a figure that is missing', without(good, 'updatesDone'), 'updatesDone is no whole number: undefined'],
    ['no lost push', { ...good, pushesDropped: 0, pushesRecoveredByPoll: 0 }, 'no push was lost'],
    ['a push that was not made up for', { ...good, pushesRecoveredByPoll: 20 }, 'recovered 20 of 21 lost pushes'],
    ['a lock that came late', { ...good, lockBeforeInventory: false }, 'the lock was not shown'],
    ['a missing percentile', { ...good, pushToIdleMs: without(summary, 'p95') }, 'pushToIdleMs.p95 is missing'],
    ['an app that the server does not know', { ...good, apps: { ...good.apps, serverKnown: 29 } }, 'apps: {'],
    ['a report without apps', without(good, 'apps'), 'apps: undefined'],
    ['a failed audit', { ...good, audit: 'failed' }, 'audit: "failed"'],
    ['a kind that is missing in the plan', { ...good, kinds: without(good.kinds, 'macos') }, 'kinds: the kinds are'],
    ['a kind that is missing in the figures', { ...good, byKind: without(good.byKind, 'macos') }, 'byKind: the kinds are'],
    ['no figures by kind', without(good, 'byKind'), 'byKind: the kinds are'],
    ['a kind with fewer devices', ofIos({ devices: 29, activated: 29 }), 'ios: 29 and 30 devices, not 30'],
    ['a kind that was not activated', ofIos({ activated: 0 }), 'ios: activated 0 of 30'],
    ['a kind that no push reached', ofIos({ pushesThrough: 0 }), 'ios: no push came through'],
    ['a kind that did less than it was sent', ofIos({ commandsDone: 89 }), 'ios: done 89 of 90 commands that it does not refuse'],
    ['a command that was neither sent nor refused', ofIos({ commandsSent: 119, commandsDone: 89 }), 'ios: 119 sent and 30 refused are not 150'],
    ['a kind without a command that has no effect', ofIos({ withoutEffect: 0 }), 'ios: no command showed that it has no effect'],
    ['a kind without a refusal by UEM', ofIos({ refusedByUem: 0 }), 'ios: no command was refused by UEM'],
    ['a kind whose devices refuse too little', ofIos({ refusedByDevice: 29 }), 'ios: 29 commands were refused by devices, not 30'],
    ['a refusal of a kind that is not documented', ofIos({ refusedAsDocumented: 59 }), 'ios: refused as documented 59 of 60'],
    ['a kind without its updates', ofIos({ updatesDone: 59 }), 'ios: 59 updates of the policy, at least 60 are due'],
    ['a figure of a kind that is missing', ofIos({ withoutEffect: undefined }), 'ios: withoutEffect is no whole number: undefined'],
    ['figures that do not add up', ofIos({ pushesLost: 4 }), 'pushesDropped: 21, and the kinds add up to 22'],
    ['updates that do not add up', ofIos({ updatesDone: 61 }), 'updatesDone: 420, and the kinds add up to 421'],
  ];
  it.each(cases)('finds %s', (_what, report, failure) => {
    expect(demoFailures(report).join('\n')).toContain(failure);
  });
});
