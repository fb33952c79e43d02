import { describe, expect, it } from 'vitest';
import { audit } from '../../src/audit/audit.ts';
import { type AuditedApp, appSums, checkApp } from '../../src/audit/check-apps.ts';

function atServer(guid: string): AuditedApp['atServer'][number] {
  return { guid, applicationId: 'com.example.wiki', status: 'ACTIVE', upToDate: true, pending: false, wipe: false, blocks: [] };
}

const GOOD: AuditedApp = {
  device: 3,
  name: 'wiki',
  application: 'com.example.wiki',
  key: 'mail',
  way: 'direct',
  activatedAs: 'aa',
  isExpected: true,
  atServer: [atServer('aa')],
  requestsPlanned: 4,
  requestsDone: 4,
  requestsFailed: 0,
};

describe('the audit of apps', () => {
  it('agrees when plan, app and server agree, and where the device has left', () => {
    expect(checkApp(GOOD)).toEqual([]);
    expect(checkApp({ ...GOOD, isExpected: false, activatedAs: undefined, atServer: [], requestsDone: 0 })).toEqual([]);
  });

  it.each<readonly [string, Partial<AuditedApp>, readonly string[]]>([
    ['never activated', { activatedAs: undefined }, ['appNotActivated']],
    ['missing on the server', { atServer: [] }, ['appNotOnServer']],
    ['there twice', { atServer: [...GOOD.atServer, atServer('bb')] }, ['appOtherOnServer']],
    ['there as another one', { atServer: [atServer('bb')] }, ['appNotOnServer', 'appOtherOnServer']],
    ['with a failed request', { requestsDone: 3, requestsFailed: 1 }, ['appRequestsFailed']],
    ['with a request that was not made', { requestsDone: 3 }, ['appRequestsMissing']],
  ])('finds one that is %s', (_what, more, problems) => {
    const app = { ...GOOD, ...more };
    expect(checkApp(app).map(({ device, problem }) => [device, problem])).toEqual(problems.map((problem) => [3, problem]));
    expect(audit([], [app])).toMatchObject({ ok: false, differences: problems.map((problem) => ({ problem })) });
  });

  it('adds up by source of the key and by way', () => {
    const other: AuditedApp = { ...GOOD, key: 'sibling', way: 'noc', atServer: [], requestsDone: 1, requestsFailed: 2 };
    expect(appSums([GOOD, other, { ...GOOD, activatedAs: undefined, requestsDone: 0 }])).toEqual({
      planned: 3,
      activated: 2,
      serverKnown: 1,
      byKey: { 'uem-client': 0, mail: 1, sibling: 1 },
      requests: { planned: 12, done: 5, failed: 2, byWay: { noc: 1, direct: 4 } },
    });
  });
});
