import { toHex } from '@uemkit/protocol';
import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import type { DynamicsApp, DynamicsAppCommand } from '../admin/dynamics-app-administration.ts';
import { mapChange } from '../admin/planned-change.ts';
import { type BodySchema, component, guidText, line, timeText, type ViewSchema } from './components.ts';
import { APP_INSTANCE_PART, USER_PART } from './parts.ts';
import { type Route, route } from './route.ts';
import { timeOf, type View } from './views.ts';

/** A text for people: line breaks are allowed. */
const text = (max: number): v.GenericSchema<string> => v.pipe(v.string(), v.minLength(1), v.maxLength(max), v.regex(/^[^\p{Cs}]*$/u, 'is no Unicode text'));

/** POST …/commands: the documented commands for applications. */
const commandBody: BodySchema<DynamicsAppCommand> = component(
  'DynamicsAppCommand',
  v.variant('type', [
    v.strictObject({ type: v.picklist(['LOCK_APPLICATION', 'DELETE_APPLICATION']) }),
    v.strictObject({ type: v.literal('BLOCK_APPLICATION'), title: line(255), body: text(1_024), actionId: line(255) }),
    v.strictObject({ type: v.literal('UNBLOCK_APPLICATION'), actionId: line(255) }),
  ]),
);

const appView: ViewSchema = component(
  'DynamicsApp',
  v.strictObject({
    guid: v.pipe(v.string(), v.description('Id of the installation, `containerId` in the app')),
    applicationId: v.string(),
    version: v.string(),
    platform: v.string(),
    device: v.optional(v.strictObject({ guid: guidText })),
    activated: timeText,
    lastContact: v.pipe(v.optional(timeText), v.description('Absent: it has not asked since it was activated')),
    status: v.pipe(
      v.picklist(['ACTIVE', 'LOCKED', 'ENDING']),
      v.description('As the app has said; ENDING: it is not assigned to its user any more, and has not heard that yet'),
    ),
    upToDate: v.pipe(v.boolean(), v.description('It had configuration, policy and Proxies in force when it asked last')),
    pending: v.pipe(v.boolean(), v.description('Something that administrators want of it is not carried out yet')),
    wipe: v.boolean(),
    lock: v.optional(v.pipe(v.string(), v.description('Id of the last lock'))),
    blocks: v.array(v.strictObject({ actionId: v.string(), title: v.string(), body: v.string() })),
  }),
);
const appsView: ViewSchema = component('DynamicsApps', v.strictObject({ dynamicsApps: v.array(appView) }));
const unlockKeyView: ViewSchema = component(
  'UnlockKey',
  v.strictObject({ unlockKey: v.pipe(v.string(), v.description('15 characters, shown 5-5-5; opens the app once, with a new password')) }),
);

const PATH = '/users/{guid}/dynamicsApps';
const ONE = `${PATH}/{app}`;
const PARTS = { guid: USER_PART };
const ONE_PARTS = { ...PARTS, app: APP_INSTANCE_PART };
const NOT_THERE = ['USER_NOT_FOUND', 'APPLICATION_NOT_FOUND'] as const;
/** Help desk locks and blocks, and gives access again; it deletes nothing. */
const leastRoleOf = ({ type }: DynamicsAppCommand): 'administrator' | 'helpDesk' => (type === 'DELETE_APPLICATION' ? 'administrator' : 'helpDesk');

/** Activated apps of a user (F3.11), and what administrators want of them (F5). The commands are documented; the paths are ours. */
export function dynamicsAppRoutes(admin: Administration): readonly Route[] {
  return [
    route({
      id: 'listDynamicsApps',
      method: 'GET',
      path: PATH,
      summary: 'Lists the activated apps of a user',
      tag: 'dynamics apps',
      role: 'readOnly',
      parts: PARTS,
      answers: { 200: { noun: 'dynamicsapps', schema: appsView } },
      problems: ['USER_NOT_FOUND'],
      run: ({ parts: { guid } }) => ({ status: 200, body: { dynamicsApps: admin.dynamicsApps(guid).map(viewOf) } }),
    }),
    route({
      id: 'getDynamicsApp',
      method: 'GET',
      path: ONE,
      summary: 'Shows one activated app, and whether it has done what administrators want of it',
      tag: 'dynamics apps',
      role: 'readOnly',
      parts: ONE_PARTS,
      answers: { 200: { noun: 'dynamicsapp', schema: appView } },
      problems: NOT_THERE,
      run: ({ parts: { guid, app } }) => ({ status: 200, body: viewOf(admin.dynamicsApp(guid, app)) }),
    }),
    route({
      id: 'sendDynamicsAppCommand',
      method: 'POST',
      path: `${ONE}/commands`,
      summary: 'Locks, blocks, unblocks or wipes one activated app, which hears of it when it asks the next time (F5.3)',
      tag: 'dynamics apps',
      role: 'helpDesk',
      parts: ONE_PARTS,
      body: { noun: 'command', schema: commandBody },
      answers: { 202: { noun: 'dynamicsapp', schema: appView } },
      problems: [...NOT_THERE, 'LIMIT_REACHED'],
      roleOf: leastRoleOf,
      change: ({ parts: { guid, app }, body }) =>
        mapChange(admin.planDynamicsAppCommand(guid, app, body), (made) => ({ status: 202, body: viewOf(made), deviceId: made.app.deviceId })),
    }),
    route({
      id: 'showUnlockKey',
      method: 'POST',
      path: `${ONE}/unlockKey`,
      summary: 'Tells the key that opens a locked app once; a change, since it is put down who was told',
      tag: 'dynamics apps',
      role: 'helpDesk',
      parts: ONE_PARTS,
      answers: { 200: { noun: 'unlockkey', schema: unlockKeyView } },
      problems: [...NOT_THERE, 'UNLOCK_KEY_NOT_HELD'],
      change: ({ parts: { guid, app } }) => mapChange(admin.planUnlockKey(guid, app), (unlockKey) => ({ status: 200, body: { unlockKey } })),
    }),
  ];
}

function viewOf({ app, console, isCarriedOut }: DynamicsApp): View {
  const { said, lockId, blocks = [], wipe = false } = console ?? {};
  return {
    guid: app.instanceId,
    applicationId: app.appId,
    version: said?.appVersion ?? app.appVersion,
    platform: app.platform,
    device: app.deviceId === undefined ? undefined : { guid: app.deviceId },
    activated: timeOf(app.activatedAtMs),
    lastContact: timeOf(said?.atMs),
    status: app.endingSinceMs !== undefined ? 'ENDING' : said?.report.state === 'locked' ? 'LOCKED' : 'ACTIVE',
    upToDate: said?.isCurrent ?? true,
    pending: !isCarriedOut,
    wipe,
    lock: lockId && toHex(lockId),
    blocks: blocks.map(({ id, title, message }) => ({ actionId: id, title, body: message })),
  };
}
