import { describe, expect, it } from 'vitest';
import type { ServerApp } from '../../src/admin/app-api.ts';
import type { AdministeredApp, HeldApp } from '../../src/audit/check-app-commands.ts';
import { type AuditedApp, appSums, checkApp } from '../../src/audit/check-apps.ts';
import { type AppCondition, type ExpectedApp, OPEN_APP } from '../../src/plan/commanded-apps.ts';
import type { AppCommandName } from '../../src/scenario/scenario.ts';

const BLOCK = { actionId: 'lost', title: 'Lost', body: 'Call us.' };
const TYPES: Readonly<Record<AppCondition, readonly AppCommandName[]>> = {
  open: [],
  blocked: ['BLOCK_APPLICATION'],
  locked: ['LOCK_APPLICATION'],
  wiped: ['DELETE_APPLICATION'],
};

interface Changes {
  readonly app?: Partial<AuditedApp>;
  readonly expected?: Partial<ExpectedApp>;
  readonly command?: Partial<AdministeredApp['commands'][number]>;
  readonly held?: Partial<HeldApp>;
  readonly server?: Partial<ServerApp>;
  readonly administered?: Partial<AdministeredApp>;
  /** Of the plan. */
  readonly policies?: AdministeredApp['policies'];
}

/** An app on which plan, app and server agree, but for what is changed. */
function audited(condition: AppCondition, { app, expected, command, held, server, administered, policies = {} }: Changes = {}): AuditedApp {
  const blocks = condition === 'blocked' ? [BLOCK] : [];
  const lock = condition === 'locked' ? { lock: 'l1' } : {};
  const commands = TYPES[condition].map((type) => ({ place: 2, entry: 0, type }));
  const isOpen = condition === 'open' || condition === 'blocked';
  const atServer = {
    guid: 'aa',
    applicationId: 'com.example.wiki',
    status: isOpen && condition === 'open' ? 'ACTIVE' : 'LOCKED',
    upToDate: true,
    pending: false,
    wipe: false,
    ...lock,
    blocks,
    ...server,
  };
  return {
    device: 3,
    name: 'wiki',
    application: 'com.example.wiki',
    key: 'mail',
    way: 'noc',
    activatedAs: 'aa',
    isExpected: true,
    atServer: condition === 'wiped' && server === undefined ? [] : [atServer],
    requestsPlanned: 4,
    requestsDone: 4,
    requestsFailed: 0,
    administered: {
      policies,
      expected: { ...OPEN_APP, condition, blocks, isEverClosed: condition !== 'open', commands, ...expected },
      commands: commands.map((one) => ({ device: 3, app: 'wiki', ...one, state: 'done', ...lock, ...command })),
      requestsWithheld: 0,
      held: { condition, ...(condition === 'blocked' ? { shownBlock: 'lost' } : {}), opens: isOpen, rowsLeft: isOpen ? 9 : 0, policies: {}, ...held },
      ...administered,
    },
    ...app,
  };
}

const STRICT = { dynamics: { idleLockMinutes: 5, passwordMinLength: 8 } };
/** In another order of fields. */
const WITH_POLICY: Changes = { policies: STRICT, held: { policies: { dynamics: { passwordMinLength: 8, idleLockMinutes: 5 } } } };

const problemsOf = (app: AuditedApp) => checkApp(app).map(({ device, problem }) => [device, problem]);

describe('the audit of what administrators send to apps', () => {
  it.each(['open', 'blocked', 'locked', 'wiped'] as const)('agrees with an app that is %s in the plan, by its own word and at the server', (condition) => {
    expect(problemsOf(audited(condition))).toEqual([]);
  });

  it('asks no policy of a wiped app, and none of the plan where it has none', () => {
    expect(problemsOf(audited('open', WITH_POLICY))).toEqual([]);
    expect(problemsOf(audited('open', { server: { upToDate: false }, held: { policies: STRICT } }))).toEqual([]);
    expect(problemsOf(audited('wiped', { policies: STRICT }))).toEqual([]);
  });

  it('takes requests that a closed app did not make, and no others', () => {
    const short = { app: { requestsDone: 1 }, administered: { requestsWithheld: 3 } };
    expect(problemsOf(audited('locked', short))).toEqual([]);
    expect(problemsOf(audited('open', short))).toEqual([[3, 'appRequestsMissing']]);
    expect(problemsOf(audited('locked', { ...short, administered: { requestsWithheld: 2 } }))).toEqual([[3, 'appRequestsMissing']]);
  });

  it('takes an app at the server whose word of its wipe was lost, as far as the server still waits for it', () => {
    const server = { wipe: true, pending: true };
    expect(problemsOf(audited('wiped', { server, command: { unconfirmed: true } }))).toEqual([]);
    expect(problemsOf(audited('wiped', { server }))).toEqual([[3, 'appWipedButOnServer']]);
    expect(problemsOf(audited('wiped', { server: { ...server, pending: false }, command: { unconfirmed: true } }))).toEqual([[3, 'appWipedButOnServer']]);
  });

  it.each<readonly [string, AppCondition, Changes, string]>([
    ['was not sent', 'locked', { administered: { commands: [] }, server: { lock: undefined } }, 'appCommandLost'],
    ['was begun and not sent', 'blocked', { command: { state: 'begun' } }, 'appCommandLost'],
    ['was refused', 'blocked', { command: { state: 'refused', refusal: 'LIMIT_REACHED' } }, 'appCommandRefused'],
    ['is not carried out', 'blocked', { command: { state: 'sent' } }, 'appCommandOpen'],
    ['is open at the server', 'locked', { server: { pending: true } }, 'appCommandOpen'],
    ['did not lock the app', 'locked', { held: { condition: 'open', opens: true } }, 'appConditionDiffers'],
    ['locked an app that was not meant', 'open', { held: { condition: 'locked', opens: false } }, 'appConditionDiffers'],
    ['left the app closed by something else', 'open', { held: { condition: 'closed' } }, 'appConditionDiffers'],
    ['shows another block', 'blocked', { held: { shownBlock: 'other' } }, 'appConditionDiffers'],
    ['left the container of a locked app open', 'locked', { held: { opens: true } }, 'appContainerDiffers'],
    ['left the container of a wiped app open', 'wiped', { held: { opens: true } }, 'appContainerDiffers'],
    ['left rows of a wiped container', 'wiped', { held: { rowsLeft: 1 } }, 'appContainerDiffers'],
    ['closed the container of a blocked app', 'blocked', { held: { opens: false } }, 'appContainerDiffers'],
    ['broke an app that was not meant', 'open', { held: { unreached: 'no way' } }, 'appDoesNotWork'],
    ['gave the app another policy', 'open', { policies: STRICT, held: { policies: { dynamics: { idleLockMinutes: 6 } } } }, 'appPolicyDiffers'],
    ['gave the app no policy', 'locked', { policies: STRICT }, 'appPolicyDiffers'],
    ['left the app with old documents', 'open', { ...WITH_POLICY, server: { upToDate: false } }, 'appPolicyOpen'],
    ['is not the last lock', 'locked', { server: { lock: 'l2' } }, 'appDiffersOnServer'],
    ['is a lock that nobody planned', 'open', { server: { lock: 'l2' } }, 'appDiffersOnServer'],
    ['is a block that the server has not', 'blocked', { server: { blocks: [] } }, 'appDiffersOnServer'],
    ['is a block with another text', 'blocked', { server: { blocks: [{ ...BLOCK, body: 'x' }] } }, 'appDiffersOnServer'],
    ['is a block too many', 'blocked', { server: { blocks: [BLOCK, { ...BLOCK, actionId: 'b' }] } }, 'appDiffersOnServer'],
    ['is a lock that the server knows nothing of', 'locked', { server: { status: 'ACTIVE' } }, 'appDiffersOnServer'],
    ['is a wipe that nobody planned', 'blocked', { server: { wipe: true } }, 'appDiffersOnServer'],
    ['is a wipe that the server has not heard of', 'wiped', { server: { wipe: true, pending: true } }, 'appWipedButOnServer'],
  ])('finds a command that %s', (_what, condition, changes, problem) => {
    expect(problemsOf(audited(condition, changes))).toEqual([[3, problem]]);
  });

  it('adds up by kind, and counts a wiped app among those that the server knew', () => {
    const sent = audited('blocked', { command: { state: 'sent' } });
    const refused = audited('blocked', { command: { state: 'refused' } });
    const lost = audited('locked', { command: { state: 'begun' }, administered: { requestsWithheld: 2 } });
    expect(appSums([audited('blocked'), sent, refused, lost, audited('wiped')])).toMatchObject({
      serverKnown: 5,
      requests: { withheld: 2 },
      commands: {
        sent: 3,
        done: 2,
        byKind: { LOCK_APPLICATION: { sent: 0, done: 0 }, BLOCK_APPLICATION: { sent: 2, done: 1 }, DELETE_APPLICATION: { sent: 1, done: 1 } },
      },
    });
  });
});
