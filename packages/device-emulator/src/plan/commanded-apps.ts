import type { AppBlock, AppCommandEntry, Selection, SendToAppsStep } from '../scenario/scenario.ts';
import type { PlannedApp } from './planned-apps.ts';
import type { PlannedDevice } from './planned-device.ts';
import type { PlannedStep } from './planned-step.ts';

/** What an administrator has left of an app. `blocked`: its data stay open behind the block. `locked`: only the unlock key opens it. */
export type AppCondition = 'open' | 'blocked' | 'locked' | 'wiped';

/** How an app is to be when everything that the plan sends to it is carried out. */
export interface ExpectedApp {
  readonly condition: AppCondition;
  /** Blocks of the console that stand, oldest first. */
  readonly blocks: readonly AppBlock[];
  /** Some command locks, blocks or wipes it, so that some of its requests may not be made. */
  readonly isEverClosed: boolean;
  /** In the order in which they are sent. */
  readonly commands: readonly ExpectedAppCommand[];
}

/** One command of the plan, by its place in the timeline. */
export interface ExpectedAppCommand {
  readonly place: number;
  readonly entry: number;
  readonly type: AppCommandEntry['command'];
}

/** Untouched. */
export const OPEN_APP: ExpectedApp = { condition: 'open', blocks: [], isEverClosed: false, commands: [] };

/** Chooses the apps of the steps of a plan, in the order in which they are due: what a step wipes gets nothing of later ones. */
export class CommandedApps {
  readonly #apps: readonly PlannedApp[];
  // BOUNDED by the apps.
  readonly #wiped: Set<number> = new Set();

  constructor(apps: readonly PlannedApp[]) {
    this.#apps = apps;
  }

  /** `select` chooses among the devices that have such an app. */
  ofStep(
    { to, sendToApps }: SendToAppsStep,
    devices: readonly PlannedDevice[],
    select: (to: Selection, among: readonly PlannedDevice[]) => readonly number[],
  ): { readonly devices: readonly number[]; readonly apps: readonly number[] } {
    const meant = this.#apps.filter(({ name, ordinal }) => (to.app === undefined || name === to.app) && !this.#wiped.has(ordinal));
    const having = new Set(this.#apps.filter(({ name }) => to.app === undefined || name === to.app).map(({ device }) => device));
    // Drawn among all that ever had it: a wipe changes nothing about who is chosen later.
    const chosen = new Set(
      select(
        to,
        devices.filter(({ index }) => having.has(index)),
      ),
    );
    const apps = meant.filter(({ device }) => chosen.has(device));
    if (sendToApps.some(({ command }) => command === 'DELETE_APPLICATION')) for (const { ordinal } of apps) this.#wiped.add(ordinal);
    return { devices: [...new Set(apps.map(({ device }) => device))], apps: apps.map(({ ordinal }) => ordinal) };
  }
}

/** What becomes of the apps of a plan, by their place; those that get no command are `OPEN_APP` and not listed. Asks neither UEM nor an app. */
export function expectedApps(steps: readonly PlannedStep[]): ReadonlyMap<number, ExpectedApp> {
  const expected = new Map<number, ExpectedApp>();
  for (const { step, place, apps = [] } of steps) {
    if (step.kind !== 'sendToApps') continue;
    for (const ordinal of apps)
      expected.set(
        ordinal,
        step.sendToApps.reduce((app, command, entry) => after(app, command, { place, entry, type: command.command }), expected.get(ordinal) ?? OPEN_APP),
      );
  }
  return expected;
}

function after(app: ExpectedApp, command: AppCommandEntry, sent: ExpectedAppCommand): ExpectedApp {
  const commands = [...app.commands, sent];
  const isLocked = app.condition === 'locked';
  const withBlocks = (blocks: readonly AppBlock[]): ExpectedApp['condition'] => (isLocked ? 'locked' : blocks.length > 0 ? 'blocked' : 'open');
  switch (command.command) {
    case 'LOCK_APPLICATION':
      return { ...app, commands, condition: 'locked', isEverClosed: true };
    case 'DELETE_APPLICATION':
      return { ...app, commands, condition: 'wiped', isEverClosed: true };
    case 'BLOCK_APPLICATION': {
      const blocks = [...app.blocks.filter(({ actionId }) => actionId !== command.properties.actionId), command.properties];
      return { commands, blocks, condition: withBlocks(blocks), isEverClosed: true };
    }
    case 'UNBLOCK_APPLICATION': {
      const blocks = app.blocks.filter(({ actionId }) => actionId !== command.properties.actionId);
      return { ...app, commands, blocks, condition: withBlocks(blocks) };
    }
  }
}
