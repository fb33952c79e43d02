import { createHash } from 'node:crypto';
import { type FakeClock, fakeClock } from '@uemkit/protocol/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { AdminError } from '../../src/admin/admin-error.ts';
import type { AdminExchange } from '../../src/admin/admin-http.ts';
import { AdminTrace } from '../../src/trace/admin-trace.ts';
import { JournalFollower } from '../../src/trace/journal-follower.ts';
import { type JournalEntry, journalLine } from '../../src/trace/journal-line.ts';
import { causesFault, restStep, shortRequest } from '../../src/trace/rest-steps.ts';
import type { TraceLine } from '../../src/trace/trace-line.ts';

const hash = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();
const USER = '6a2f9f9a-b3e0-4ecd-b498-02e7b4a29641';

describe('requests of an administrator', () => {
  it.each([
    ['POST', '/t/api/v1/users', 'F1.1', 'POST users'],
    ['DELETE', `/t/api/v1/users/${USER}`, 'F1.1', 'DELETE users'],
    ['POST', `/t/api/v1/users/${USER}/activationPasswords`, 'F1.1', 'POST activationPasswords'],
    ['POST', `/t/api/v1/groups/${USER}/users`, 'F5.1', 'POST users'],
    ['POST', '/t/api/v1/applications', 'F3.1', 'POST applications'],
    ['PUT', `/t/api/v1/users/${USER}/applications/${USER}`, 'F3.1', 'PUT applications'],
    ['POST', `/t/api/v1/users/${USER}/userDevices/${USER}/applications/${USER}/commands`, 'F5.1', 'POST commands'],
    ['PUT', '/lab/v1/profiles/emulator-12', 'F1.1', 'PUT profiles'],
    ['POST', `/t/api/v1/users/${USER}/userDevices/${USER}/commands`, 'F5.1', 'POST commands'],
    ['GET', `/t/api/v1/users/${USER}?x=1`, undefined, 'GET users'],
    ['POST', '/t/api/v1/util/authorization', undefined, 'POST authorization'],
    ['POST', '/lab/v1/faults', undefined, 'POST faults'],
  ])('%s %s belongs to %s and is called %s', (method, path, step, name) => {
    expect(restStep(method, path)).toBe(step);
    expect(shortRequest(method, path)).toBe(name);
    expect(causesFault(method, path)).toBe(path.endsWith('faults'));
  });
});

describe('AdminTrace', () => {
  let lines: TraceLine[];
  let trace: AdminTrace;
  beforeEach(() => {
    lines = [];
    trace = new AdminTrace({
      clock: fakeClock(1_000),
      hash,
      indexOfUserId: (userId) => (userId === 'alice' ? 7 : undefined),
      write: (line) => lines.push(line),
    });
  });
  const exchanged = (fields: Partial<AdminExchange> & Pick<AdminExchange, 'request'>): void =>
    trace.exchanged({ status: 200, bytes: 3, tookMs: 400, ...fields });

  it('ties requests to the device of their user, and writes no secret', () => {
    exchanged({ request: { method: 'POST', path: '/t/api/v1/users', body: { username: 'alice' } }, status: 201, answer: { guid: USER, username: 'alice' } });
    const secret = Buffer.from('top secret').toString('base64');
    const path = `/t/api/v1/users/${USER}/activationPasswords`;
    exchanged({
      request: { method: 'POST', path, body: { activationPasswords: [{ password: secret }] } },
      answer: { activationPasswords: [{ password: secret, qrCodeContent: 'uemkit:secret', expiry: '2026' }] },
    });
    expect(lines.map(({ device, step, message, answer, time }) => [device, step, message, answer, time])).toEqual([
      [7, 'F1.1', 'POST users', '201', '1970-01-01T00:00:00.600Z'],
      [7, 'F1.1', 'POST activationPasswords', '200', '1970-01-01T00:00:00.600Z'],
    ]);
    const text = JSON.stringify(lines);
    for (const hidden of [secret, 'top secret', 'uemkit:secret']) expect(text).not.toContain(hidden);
    expect(text).toContain('"expiry":"2026"');
  });

  it('shows refusals, lost answers and faults on purpose as trouble', () => {
    exchanged({ request: { method: 'GET', path: '/t/api/v1/users/unknown' }, status: 404, error: 'USER_NOT_FOUND' });
    exchanged({ request: { method: 'GET', path: '/t/api/v1/ping' }, status: undefined, error: 'ECONNRESET' });
    exchanged({ request: { method: 'POST', path: '/lab/v1/faults', body: { kind: 'drop' } } });
    expect(lines.map(({ trouble, reason, answer }) => [trouble, reason, answer])).toEqual([
      ['refused', 'USER_NOT_FOUND', '404'],
      ['lost', 'ECONNRESET', 'no answer'],
      ['fault', undefined, '200'],
    ]);
  });

  it('takes each of its requests out of the journal once', () => {
    for (let round = 0; round < 2; round++) exchanged({ request: { method: 'GET', path: '/t/api/v1/devices?max=5' } });
    expect([1, 2, 3].map(() => trace.takes('GET /t/api/v1/devices', '200'))).toEqual([true, true, false]);
    expect(trace.takes('GET /t/api/v1/devices', '404')).toBe(false);
  });
});

const ENTRY: JournalEntry & { readonly sequence: number; readonly source: string } = {
  sequence: 1,
  source: '',
  timeMs: 50,
  receivedMs: 40,
  role: 'infrastructure',
  service: 'notifications',
  step: 'F5.2',
  request: 'notify',
  answer: 'notifyResult',
};

describe('journalLine', () => {
  it.each<[string, Partial<JournalEntry>, Partial<TraceLine> | undefined]>([
    ['a wake-up on its way', {}, { from: 'uem', to: 'infrastructure', message: 'notify', tookMs: 10, time: '1970-01-01T00:00:00.040Z' }],
    ['its second hop', { role: 'notification', service: 'provider' }, { from: 'infrastructure', to: 'notification' }],
    [
      'a request to a provider API',
      { role: 'notification', service: 'apns', request: 'POST', answer: '200' },
      { from: 'infrastructure', to: 'notification', message: 'POST' },
    ],
    ['the same as its sender sees it', { request: 'push', service: 'apns', answer: '200' }, undefined],
    [
      'a provider API that is away',
      { request: 'push', service: 'apns', answer: '503', reason: 'unavailable' },
      { from: 'infrastructure', to: 'notification', trouble: 'retry' },
    ],
    ['its end, which the device sees', { role: 'notification', service: 'wakeUp', request: 'wakeUp', answer: 'sent' }, undefined],
    [
      'one that is lost',
      { role: 'notification', service: 'wakeUp', request: 'wakeUp', answer: 'dropped', reason: 'fault 1' },
      { from: 'notification', to: 'device', trouble: 'lost' },
    ],
    [
      'one that is delayed',
      { role: 'notification', service: 'wakeUp', request: 'wakeUp', answer: 'delayed', reason: 'fault 1' },
      { to: 'device', trouble: 'fault' },
    ],
    [
      'an acknowledgement that is not stored',
      { role: 'notification', service: 'wakeUp', request: 'pushAck', answer: 'not stored', reason: 'x' },
      { from: 'notification', to: 'notification' },
    ],
    [
      'what UEM says of it',
      { role: 'uem', answer: 'stored', deviceId: 'd' },
      { from: 'uem', to: 'uem', message: 'wake-up stored', deviceId: 'd', time: '1970-01-01T00:00:00.050Z' },
    ],
    [
      'an activation mail',
      { role: 'uem', service: 'mail', step: 'F1.1', request: 'mail activation', answer: 'sent', userId: 'ada', receivedMs: undefined },
      { from: 'uem', to: 'user', step: 'F1.1', message: 'mail activation', answer: 'sent', userId: 'ada', time: '1970-01-01T00:00:00.050Z' },
    ],
    [
      'a mail while the host is down',
      { role: 'uem', service: 'mail', request: 'mail compliance', answer: 'waiting', reason: 'attempt 1: ECONNREFUSED' },
      { to: 'user', trouble: 'retry', reason: 'attempt 1: ECONNREFUSED' },
    ],
    ['a mail that its host refuses', { role: 'uem', service: 'mail', request: 'mail activation', answer: 'failed', reason: '550' }, { trouble: 'refused' }],
    ['a mail that came too late', { role: 'uem', service: 'mail', request: 'mail activation', answer: 'expired' }, { to: 'user', trouble: 'lost' }],
    ['a token that is gone', { role: 'uem', answer: 'unregistered' }, { trouble: 'refused' }],
    ['a service that is away', { role: 'uem', answer: 'not delivered', reason: 'ERR' }, { trouble: 'retry', reason: 'ERR' }],
    ['a message that the device sees', { role: 'uem', service: 'device', request: 'poll', answer: 'idle' }, undefined],
    [
      'a refusal with its real reason',
      { role: 'uem', service: 'activation', request: 'activationRequest', answer: 'alert authFailed', reason: 'wrong password' },
      { from: 'uem', to: 'uem', trouble: 'refused', reason: 'wrong password' },
    ],
    ['a request that a fault lost', { role: 'uem', service: 'device', request: 'poll', answer: 'dropped', reason: 'fault 3: drop' }, { trouble: 'lost' }],
    [
      'another administrator',
      { role: 'uem', service: 'admin', step: undefined, request: 'POST /t/api/v1/users', answer: '400' },
      { from: 'administrator', to: 'uem', step: 'F1.1', message: 'POST users', trouble: 'refused' },
    ],
    ['an app at the NOC', { role: 'noc', service: 'apps', step: 'F3.7', request: 'nocVerify' }, { from: 'app', to: 'noc', step: 'F3.7' }],
    ['an access key that the NOC hears of', { role: 'noc', service: 'accessKeys', request: 'nocRegisterKey' }, { from: 'uem', to: 'noc' }],
    ['a connection that the NOC ended', { role: 'noc', service: 'apps', request: 'connection', answer: 'closed' }, { from: 'noc', to: 'noc' }],
    ['a set-up message that the NOC passes on', { role: 'uem', service: 'setUp', request: 'nocSetUp' }, { from: 'noc', to: 'uem' }],
    ['a fault on purpose', { role: 'uem', service: 'admin', step: undefined, request: 'POST /lab/v1/faults', answer: '201' }, { trouble: 'fault' }],
  ])('draws %s', (_what, fields, expected) => {
    const line = journalLine({ ...ENTRY, ...fields });
    if (expected === undefined) expect(line).toBeUndefined();
    else expect(line).toMatchObject(expected);
  });
});

describe('JournalFollower', () => {
  let clock: FakeClock;
  let entries: object[];
  let written: string[];
  let leftOut: number;
  let failures: unknown[];
  let answer: (after: number) => unknown;
  beforeEach(() => {
    clock = fakeClock(0);
    entries = [];
    written = [];
    leftOut = 0;
    failures = [];
    answer = (after) => ({
      entries: entries.filter((one) => (one as typeof ENTRY).sequence > after).slice(0, 1_000),
      last: (entries.at(-1) as typeof ENTRY | undefined)?.sequence ?? 0,
    });
  });
  const follower = (): JournalFollower =>
    new JournalFollower({
      http: { request: async ({ path }) => answer(Number(/after=(\d+)/.exec(path)?.[1])) },
      clock,
      write: ({ message }) => written.push(message),
      leftOut: (count) => {
        leftOut += count;
      },
      takes: (request) => request.includes('ours'),
      failed: (error) => failures.push(error),
    });
  const add = (sequence: number, fields: object = {}): void => void entries.push({ ...ENTRY, sequence, request: `r${sequence}`, ...fields });

  it('takes what comes after its start, page by page, and what is there at its end', async () => {
    add(1);
    const one = follower();
    await one.start();
    for (let sequence = 2; sequence <= 2_501; sequence++) add(sequence);
    await clock.advance(500);
    expect(written).toHaveLength(2_500);
    add(2_502);
    await one.close();
    expect(written.at(-1)).toBe('r2502');
    expect([leftOut, failures, clock.pendingTimers]).toEqual([0, [], 0]);
  });

  it('counts what the journal has forgotten, and goes on after the server was started again', async () => {
    const one = follower();
    await one.start();
    add(1);
    await clock.advance(500);
    entries = [];
    add(10);
    await clock.advance(500);
    expect(leftOut).toBe(8);
    entries = [];
    add(1, { request: 'again' });
    await clock.advance(500);
    expect(written).toEqual(['r1', 'r10', 'again']);
    await one.close();
  });

  it('leaves out what the run itself asked', async () => {
    const one = follower();
    await one.start();
    const admin = { role: 'uem', service: 'admin', answer: '200' };
    add(1, { ...admin, request: 'GET /lab/v1/journal' });
    add(2, { ...admin, request: 'GET /ours' });
    add(3, { ...admin, request: 'GET /theirs' });
    await one.close();
    expect(written).toEqual(['GET theirs']);
  });

  it('asks again after a failure, and no more where there is no journal', async () => {
    const one = follower();
    await one.start();
    const good = answer;
    answer = () => ({ entries: 'odd' });
    await clock.advance(500);
    expect(failures).toHaveLength(1);
    answer = good;
    add(1);
    await clock.advance(500);
    expect(written).toEqual(['r1']);
    answer = () => {
      throw new AdminError(404, 'NOT_FOUND', '');
    };
    await clock.advance(5_000);
    expect(failures).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
    await one.close();
  });
});
