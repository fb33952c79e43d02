import type { ServerApp } from '../admin/app-api.ts';
import type { AppCondition, ExpectedApp } from '../plan/commanded-apps.ts';
import type { SentAppCommand } from '../run/run-state.ts';
import type { Difference } from './difference.ts';
import { sameDocument } from './held-configuration.ts';

/** What administrators have done to an app: as the plan wants it, as it was sent, and as the app has it. */
export interface AdministeredApp {
  readonly expected: ExpectedApp;
  readonly commands: readonly SentAppCommand[];
  /** Not made, or broken off, because an administrator has closed the app. */
  readonly requestsWithheld: number;
  /** Profiles that the plan has in force for the app, by kind. */
  readonly policies: Readonly<Record<string, unknown>>;
  /** Absent: the app was not opened. */
  readonly held?: HeldApp | undefined;
}

/** How an app is. */
export interface HeldApp {
  /** `closed`: not by an administrator. */
  readonly condition: AppCondition | 'closed';
  /** Id of the block that it shows. */
  readonly shownBlock?: string | undefined;
  /** The container is open, or the right password has opened it. */
  readonly opens: boolean;
  /** Rows of its container that are stored. */
  readonly rowsLeft: number;
  /** Profiles that the app goes by, by kind; a wiped one goes by none. */
  readonly policies: Readonly<Record<string, unknown>>;
  /** Why an open app could not connect to its server; absent: it could. */
  readonly unreached?: string | undefined;
}

interface CheckedApp {
  readonly device: number;
  readonly name: string;
  readonly activatedAs: string;
  readonly atServer: readonly ServerApp[];
}

/** Compares what the plan sends to an app with what was sent and has become of it, with the app, and with the server. */
export function checkAppCommands(app: CheckedApp, administered: AdministeredApp): readonly Difference[] {
  const { device, name } = app;
  const details = [...sentProblems(name, administered), ...heldProblems(name, administered), ...serverProblems(app, administered)];
  return details.map(([problem, detail]) => ({ device, problem, detail }));
}

type Problem = readonly [Difference['problem'], string];

function sentProblems(name: string, { expected, commands }: AdministeredApp): readonly Problem[] {
  const found: Problem[] = [];
  for (const { place, entry, type } of expected.commands) {
    const command = commands.find((each) => each.place === place && each.entry === entry);
    const what = `${type} to the app ${name}`;
    if (command?.state === 'refused') found.push(['appCommandRefused', `${what}: UEM refused it (${command.refusal})`]);
    else if (command === undefined || command.state === 'begun') found.push(['appCommandLost', `${what} is planned, and was not sent`]);
    else if (command.state === 'sent') found.push(['appCommandOpen', `${what} was sent, and the app has not carried it out`]);
  }
  return found;
}

function heldProblems(name: string, { expected, held, policies }: AdministeredApp): readonly Problem[] {
  if (held === undefined) return [];
  const { condition, blocks } = expected;
  if (held.condition !== condition) return [['appConditionDiffers', `the app ${name} is ${held.condition}, the plan has it ${condition}`]];
  if (condition === 'blocked' && !blocks.some(({ actionId }) => actionId === held.shownBlock))
    return [['appConditionDiffers', `the app ${name} shows the block ${held.shownBlock}, the plan has ${listOf(blocks)}`]];
  // check: F5.5 the data of a blocked app stay, those of a locked one open by the unlock key alone, those of a wiped one are gone
  const isOpen = condition === 'open' || condition === 'blocked';
  if (held.opens !== isOpen) return [['appContainerDiffers', `the app ${name} is ${condition}, and its container ${held.opens ? 'opens' : 'does not open'}`]];
  if (condition === 'wiped' && held.rowsLeft > 0)
    return [['appContainerDiffers', `the app ${name} is wiped, and ${held.rowsLeft} rows of its container are left`]];
  const other = condition === 'wiped' ? undefined : Object.keys(policies).find((kind) => !sameDocument(held.policies[kind], policies[kind]));
  if (other !== undefined) return [['appPolicyDiffers', `the app ${name} goes by another ${other} profile than the plan has`]];
  if (held.unreached !== undefined) return [['appDoesNotWork', `the app ${name} does not reach its server: ${held.unreached}`]];
  return [];
}

function serverProblems({ name, activatedAs, atServer }: CheckedApp, { expected, commands, policies }: AdministeredApp): readonly Problem[] {
  const server = atServer.find(({ guid }) => guid === activatedAs);
  if (server === undefined) return [];
  const differs = (detail: string): readonly Problem[] => [['appDiffersOnServer', `the app ${name}: ${detail}`]];
  if (expected.condition === 'wiped') {
    // Whoever is killed between its wipe and its word of it cannot tell it any more: its keys are gone.
    const isUnheard = server.wipe && server.pending && commands.some(({ unconfirmed }) => unconfirmed === true);
    return isUnheard ? [] : [['appWipedButOnServer', `the app ${name} is to be wiped, the server still has ${activatedAs}`]];
  }
  if (server.wipe) return differs('the server wants it wiped, the plan does not');
  const lock = commands.filter(({ type, state }) => type === 'LOCK_APPLICATION' && (state === 'sent' || state === 'done')).at(-1)?.lock;
  if (server.lock !== lock) return differs(`the last lock of the server is ${server.lock ?? 'none'}, that of the plan ${lock ?? 'none'}`);
  const isSame = server.blocks.length === expected.blocks.length && expected.blocks.every((block) => server.blocks.some((other) => isSameBlock(block, other)));
  if (!isSame) return differs(`the blocks of the server are ${listOf(server.blocks)}, those of the plan ${listOf(expected.blocks)}`);
  const isClosed = expected.condition !== 'open';
  if (isClosed && server.status !== 'LOCKED') return differs(`${server.status} at the server, the plan has it ${expected.condition}`);
  if (expected.commands.length > 0 && server.pending) return [['appCommandOpen', `the server waits for the app ${name} to carry something out`]];
  if (Object.keys(policies).length > 0 && !server.upToDate)
    return [['appPolicyOpen', `the app ${name} had not all that is in force when it asked the server last`]];
  return [];
}

function isSameBlock(a: ExpectedApp['blocks'][number], b: ExpectedApp['blocks'][number]): boolean {
  return a.actionId === b.actionId && a.title === b.title && a.body === b.body;
}

function listOf(blocks: ExpectedApp['blocks']): string {
  return blocks.length === 0 ? 'none' : blocks.map(({ actionId }) => actionId).join(', ');
}
