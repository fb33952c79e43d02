import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_EVENT_STREAMS, MAX_EVENT_STREAMS_EACH } from '../../src/events/event-feed.ts';
import { HEARTBEAT_MS } from '../../src/events/event-stream.ts';
import { AUTHORIZATION_MS } from '../../src/rest/authorization.ts';
import type { RestStream } from '../../src/rest/rest-request.ts';
import { removeDevice } from '../../src/state/device-lifecycle.ts';
import { appendEvent, listEvents, MAX_EVENT_REASON_CHARACTERS, MAX_EVENTS, type NewEvent } from '../../src/state/events.ts';
import type { UserRecord } from '../../src/state/users.ts';
import { AdminLab, basic, PASSWORD } from '../support/admin-lab.ts';

let lab: AdminLab;
let alice: UserRecord;
beforeEach(async () => {
  lab = await AdminLab.start();
  alice = await lab.admin.createUser({ username: 'alice' });
  await lab.addDevice(alice, 'd1');
});

type Line = { readonly sequence: number; readonly type: string; readonly reason?: string; readonly last?: string };
const types = (events: readonly Line[]): readonly string[] => events.map(({ type }) => type);
const linesOf = (text: string | undefined): readonly Line[] =>
  (text ?? '')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
const append = (count: number, event: Partial<NewEvent> = {}): Promise<void> =>
  lab.store.transaction((tx) => {
    for (let n = 0; n < count; n++) appendEvent(tx, { timeMs: 1, type: 'USER_CREATED', ...event });
  });
describe('a page of events', () => {
  it('tells what happened in order, whom it is about, and where it goes on', async () => {
    await lab.admin.sendCommand('d1', { type: 'LOCK_DEVICE' });
    const { status, headers, json } = await lab.ask('GET', `/events?after=${lab.position(0)}&limit=2`);
    expect([status, headers['content-type']]).toEqual([200, 'application/vnd.blackberry.events-v1+json']);
    const [created, queued] = json.events;
    expect(created).toEqual({ sequence: 1, position: lab.position(1), time: expect.any(String), type: 'USER_CREATED', user: { guid: alice.guid } });
    const command = { guid: expect.any(String), type: 'LOCK_DEVICE' };
    expect(queued).toMatchObject({ sequence: 2, type: 'COMMAND_QUEUED', user: { guid: alice.guid }, device: { guid: 'd1' }, command });
    expect([json.first, json.last]).toEqual([lab.position(1), lab.position(2)]);
    expect((await lab.ask('GET', `/events?after=${lab.position(2)}`)).json.events).toEqual([]);
    expect(types((await lab.ask('GET', '/events?limit=1')).json.events)).toEqual(['USER_CREATED']);
  });

  it('has the end of a device behind those of its commands', async () => {
    await lab.admin.sendCommand('d1', { type: 'LOCK_DEVICE' });
    await lab.admin.removeDevice('d1');
    expect(types((await lab.ask('GET', `/events?after=${lab.position(2)}`)).json.events)).toEqual(['COMMAND_CANCELLED', 'DEVICE_REMOVED']);
  });

  it('has nothing of a transaction that failed', async () => {
    const failing = lab.store.transaction((tx) => {
      removeDevice(tx, 'd1', 5);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect((await lab.ask('GET', `/events?after=${lab.position(1)}`)).json.events).toEqual([]);
  });

  it('has no secret and no long text', async () => {
    await lab.ask('POST', `/users/${alice.guid}/activationPasswords`, { activationPasswords: [{ password: Buffer.from('tomato-4711').toString('base64') }] });
    await lab.admin.sendCommand('d1', { type: 'GENERATE_DEVICE_PASSWORD_AND_LOCK' }).catch(() => undefined);
    await lab.admin.sendCommand('d1', { type: 'LOCK_DEVICE', properties: { message: 'secret-4711' } });
    await append(1, { reason: 'x'.repeat(5_000) });
    const { text, json } = await lab.ask('GET', '/events');
    expect(text).not.toMatch(/4711|password"/i);
    expect(json.events.at(-1).reason).toHaveLength(MAX_EVENT_REASON_CHARACTERS);
  });

  it('refuses a position that it never gave out, and says what to do: one beyond the end, one of another state, a plain number', async () => {
    for (const position of [lab.position(2), `${'0'.repeat(16)}-1`, '0', '1']) {
      const { status, json } = await lab.ask('GET', `/events?after=${position}`);
      expect([position, status, json.id]).toEqual([position, 410, 'POSITION_UNKNOWN']);
      expect(json.message).toMatch(/never given out .* read the state anew, and begin again without after/);
    }
    for (const text of ['-1', 'now', `${lab.position(1)}-1`, '']) expect((await lab.ask('GET', `/events?after=${text}`)).status).toBe(400);
    expect((await lab.ask('GET', `/events?after=${lab.position(1)}`)).status).toBe(200);
  });

  it('is there for who may only read', async () => {
    expect((await lab.ask('GET', '/events', undefined, await lab.headersOf('readOnly'))).status).toBe(200);
  });
});

describe('a stream of events', () => {
  const opened: RestStream[] = [];
  const follow = async (after: number): Promise<RestStream> => {
    const stream = await lab.follow(`/events?after=${lab.position(after)}`);
    opened.push(stream);
    return stream;
  };

  it('gives what is there, then what happens, each once', async () => {
    const stream = await follow(0);
    expect(linesOf(await stream.next())).toMatchObject([{ sequence: 1, type: 'USER_CREATED' }]);
    const next = stream.next();
    await lab.admin.createUser({ username: 'bob' });
    await lab.admin.createUser({ username: 'carol' });
    await lab.clock.advance(HEARTBEAT_MS - 1);
    expect(linesOf(await next)).toMatchObject([{ sequence: 2 }, { sequence: 3 }]);
  });

  it('says that it is there when nothing happens, with the number to go on after', async () => {
    const stream = await follow(1);
    const next = stream.next();
    await lab.clock.advance(HEARTBEAT_MS);
    expect(linesOf(await next)).toEqual([{ type: 'HEARTBEAT', time: expect.any(String), last: lab.position(1) }]);
  });

  it('ends with a line when the server stops, also for one who waits; afterwards there is none', async () => {
    const [waiting, busy] = [await follow(1), await follow(0)];
    const next = waiting.next();
    lab.events.close();
    expect(linesOf(await next)).toMatchObject([{ type: 'END', reason: 'SERVER_STOPS', last: lab.position(1) }]);
    expect(linesOf(await busy.next())).toMatchObject([{ type: 'END', reason: 'SERVER_STOPS', last: lab.position(0) }]);
    expect([await waiting.next(), await busy.next()]).toEqual([undefined, undefined]);
    await expect(follow(0)).rejects.toThrow('503');
  });

  it('ends when its reader was so slow that events were dropped; a page before them is refused, and it says what to do', async () => {
    const stream = await follow(0);
    expect(linesOf(await stream.next())).toHaveLength(1);
    for (let left = MAX_EVENTS; left > 0; left -= 10_000) await append(10_000);
    expect((await lab.ask('GET', `/events?after=${lab.position(1)}&limit=1`)).json.events[0].sequence).toBe(2);
    const dropped = await lab.ask('GET', `/events?after=${lab.position(0)}`);
    expect([dropped.status, dropped.json.id]).toEqual([410, 'EVENTS_DROPPED']);
    expect(dropped.json.message).toMatch(/events up to 1 .* again without after/);
    const { json } = await lab.ask('GET', '/events?limit=1');
    expect([json.first, json.last, json.events[0].sequence]).toEqual([lab.position(2), lab.position(MAX_EVENTS + 1), 2]);
    const after = (count: number): readonly number[] => lab.store.read((view) => listEvents(view, { after: count, limit: 3 })).map(({ sequence }) => sequence);
    expect([after(0), after(MAX_EVENTS - 1)]).toEqual([
      [2, 3, 4],
      [MAX_EVENTS, MAX_EVENTS + 1],
    ]);
    await append(1);
    expect(linesOf(await stream.next())).toMatchObject([{ type: 'END', reason: 'EVENTS_DROPPED', last: lab.position(1) }]);
    expect(await stream.next()).toBeUndefined();
  });

  it('is refused when there are too many, until one is closed; a closed one gives nothing more', async () => {
    const streams = [];
    for (let n = 0; n < MAX_EVENT_STREAMS_EACH; n++) streams.push(await follow(0));
    await expect(follow(0)).rejects.toThrow(/503 .*8 programs of admin follow/);
    for (let n = 1; n < MAX_EVENT_STREAMS / MAX_EVENT_STREAMS_EACH; n++) {
      const { administrator, password } = await lab.administrators.create({ username: `script-${n}`, role: 'readOnly' });
      for (let own = 0; own < MAX_EVENT_STREAMS_EACH; own++)
        opened.push(await lab.follow(`/events?after=${lab.position(0)}`, basic(administrator.username, password)));
    }
    await expect(follow(0)).rejects.toThrow(/503 .*32 programs follow/);
    const [first] = streams;
    await first?.next();
    const next = first?.next();
    first?.close();
    expect(await next).toBeUndefined();
    await follow(0);
    await expect(follow(0)).rejects.toThrow('503');
  });

  it('ends when the administrator is deleted who follows it, before anything more is told', async () => {
    const { administrator, password } = await lab.administrators.create({ username: 'script', role: 'readOnly' });
    const stream = await lab.follow(`/events?after=${lab.position(1)}`, basic('script', password));
    opened.push(stream);
    const next = stream.next();
    await lab.administrators.delete(administrator.guid);
    await lab.admin.createUser({ username: 'bob' });
    await lab.clock.advance(HEARTBEAT_MS - 1);
    expect(linesOf(await next)).toMatchObject([{ type: 'END', reason: 'NOT_AUTHENTICATED', last: lab.position(1) }]);
    expect(await stream.next()).toBeUndefined();
  });

  it('ends with the value for the Authorization header that it was opened with', async () => {
    const body = { provider: 'LOCAL', username: 'admin', password: Buffer.from(PASSWORD).toString('base64') };
    const { text } = await lab.ask('POST', '/util/authorization', body);
    const stream = await lab.follow(`/events?after=${lab.position(1)}`, { authorization: text });
    opened.push(stream);
    await lab.clock.advance(AUTHORIZATION_MS - 1_000);
    const alive = stream.next();
    await lab.admin.createUser({ username: 'bob' });
    await lab.clock.advance(500);
    expect(types(linesOf(await alive))).toEqual(['USER_CREATED']);
    const next = stream.next();
    await lab.clock.advance(HEARTBEAT_MS);
    expect(linesOf(await next)).toMatchObject([{ type: 'END', reason: 'NOT_AUTHENTICATED', last: lab.position(2) }]);
  });

  it('takes no limit, and refuses a wrong position before it begins', async () => {
    await expect(lab.follow('/events?limit=1')).rejects.toThrow(/400 .*limit is for pages/);
    await expect(lab.follow(`/events?after=${lab.position(99)}`)).rejects.toThrow(/410 .*never given out/);
  });
});
