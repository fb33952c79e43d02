import { beforeEach, describe, expect, it } from 'vitest';
import { appConsoleOf, putAppConsole } from '../../src/state/app-consoles.ts';
import { appInstanceById, deleteAppInstance } from '../../src/state/app-instances.ts';
import type { UserRecord } from '../../src/state/users.ts';
import { AdminLab } from '../support/admin-lab.ts';

const ID = '1'.repeat(32);
let lab: AdminLab;
let alice: UserRecord;
beforeEach(async () => {
  lab = await AdminLab.start();
  alice = await lab.admin.createUser({ username: 'alice', email: 'alice@example.com' });
  await lab.addApp(alice, ID);
});

const path = (rest = ''): string => `/users/${alice.guid}/dynamicsApps/${ID}${rest}`;
const block = (actionId: string, body = 'Call the help desk.') => ({ type: 'BLOCK_APPLICATION', title: 'Lost', body, actionId });

describe('activated apps of a user', () => {
  it('are shown, and are those of this user', async () => {
    const bob = await lab.admin.createUser({ username: 'bob' });
    const shown = { guid: ID, applicationId: 'com.example.mail', status: 'ACTIVE', upToDate: true, pending: false, wipe: false, blocks: [] };
    expect((await lab.ask('GET', `/users/${alice.guid}/dynamicsApps`)).json).toMatchObject({ dynamicsApps: [shown] });
    expect((await lab.ask('GET', path())).json).toMatchObject(shown);
    expect((await lab.ask('GET', `/users/${bob.guid}/dynamicsApps`)).json).toEqual({ dynamicsApps: [] });
    expect((await lab.ask('GET', `/users/${bob.guid}/dynamicsApps/${ID}`)).json.id).toBe('APPLICATION_NOT_FOUND');
  });

  it('are blocked and unblocked by the id of the action; the same one once more is the newest', async () => {
    for (const id of ['a', 'b']) expect((await lab.ask('POST', path('/commands'), block(id))).status).toBe(202);
    const again = (await lab.ask('POST', path('/commands'), block('a', 'Other'))).json;
    expect([again.pending, again.blocks.map(({ actionId, body }: { actionId: string; body: string }) => [actionId, body])]).toEqual([
      true,
      [
        ['b', 'Call the help desk.'],
        ['a', 'Other'],
      ],
    ]);
    await lab.ask('POST', path('/commands'), { type: 'UNBLOCK_APPLICATION', actionId: 'b' });
    expect((await lab.ask('GET', path())).json.blocks).toEqual([{ actionId: 'a', title: 'Lost', body: 'Other' }]);
  });

  it('refuse what is no command for an app, also from a test without types, and change nothing', async () => {
    const command = { type: 'WIPE_APPLICATION' } as unknown as Parameters<typeof lab.admin.commandDynamicsApp>[2];
    const problem = { id: 'INVALID_PROPERTY', message: expect.stringContaining('WIPE_APPLICATION is none of LOCK_APPLICATION, DELETE_APPLICATION') };
    await expect(lab.admin.commandDynamicsApp(alice.guid, ID, command)).rejects.toMatchObject(problem);
    expect((await lab.ask('POST', path('/commands'), command as unknown as object)).json.id).toBe('INVALID_PROPERTY');
    expect((await lab.ask('GET', path())).json).toMatchObject({ pending: false, wipe: false, blocks: [] });
  });

  it('have room for eight blocks, and so many bytes', async () => {
    for (let index = 0; index < 8; index++) expect((await lab.ask('POST', path('/commands'), block(`b${index}`, '€'.repeat(1_024)))).status).toBe(202);
    expect((await lab.ask('POST', path('/commands'), block('one more'))).json.id).toBe('LIMIT_REACHED');
    expect((await lab.ask('GET', path())).json.blocks).toHaveLength(8);
  });

  it('are locked, each time by another id; the unlock key is told only once the app has it', async () => {
    const first = (await lab.ask('POST', path('/commands'), { type: 'LOCK_APPLICATION' })).json.lock;
    const second = (await lab.ask('POST', path('/commands'), { type: 'LOCK_APPLICATION' })).json.lock;
    expect([first === second, /^[0-9a-f]{32}$/.test(second)]).toEqual([false, true]);
    expect((await lab.ask('POST', path('/unlockKey'))).json.id).toBe('UNLOCK_KEY_NOT_HELD');
    await lab.store.transaction((tx) => {
      const record = appConsoleOf(tx, ID);
      if (record !== undefined) putAppConsole(tx, ID, { ...record, isUnlockKeyHeld: true });
    });
    expect((await lab.ask('POST', path('/unlockKey'))).json).toEqual({ unlockKey: expect.stringMatching(/^[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}$/) });
  });

  it('are wiped by an administrator, and not by the help desk; who was told an unlock key is put down', async () => {
    const helpDesk = await lab.headersOf('helpDesk');
    expect((await lab.ask('POST', path('/commands'), { type: 'DELETE_APPLICATION' }, helpDesk)).status).toBe(403);
    expect((await lab.ask('POST', path('/commands'), { type: 'LOCK_APPLICATION' }, helpDesk)).status).toBe(202);
    expect((await lab.ask('POST', path('/commands'), { type: 'DELETE_APPLICATION' })).json).toMatchObject({ wipe: true, pending: true });
    await lab.ask('POST', path('/unlockKey'), undefined, helpDesk);
    expect((await lab.ask('POST', path('/commands'), { type: 'EXPLODE' })).status).toBe(400);
    expect((await lab.ask('GET', path(), undefined, await lab.headersOf('readOnly'))).status).toBe(200);
  });

  it('leave nothing of it when they end', async () => {
    await lab.ask('POST', path('/commands'), { type: 'LOCK_APPLICATION' });
    await lab.store.transaction((tx) => {
      const app = appInstanceById(tx, ID);
      if (app !== undefined) deleteAppInstance(tx, app);
    });
    expect(lab.store.read((view) => appConsoleOf(view, ID))).toBeUndefined();
    expect((await lab.ask('GET', path())).status).toBe(404);
  });
});
