import { type Action, actionsOf } from './action.ts';
import type { Bug } from './bug.ts';
import type { CommandName } from './kinds.ts';
import { differences } from './reference.ts';
import { POLL_INTERVAL_S, World } from './world.ts';

/** What became of one sequence of actions. */
export interface Outcome {
  readonly seed: number;
  readonly actions: readonly Action[];
  /** Empty: everything is as it must be. */
  readonly differences: readonly string[];
  /** That something happened at all. */
  readonly counts: Counts;
}

/** How much a sequence has moved. */
export interface Counts {
  readonly devices: number;
  /** Commands that the administrator sent, and commands that devices carried out; updates of the policy are among these. */
  readonly sent: number;
  readonly carriedOut: number;
  /** Processes of devices that were started. */
  readonly lives: number;
  /** Names of commands that were carried out, and kinds of device that were active. */
  readonly commands: ReadonlySet<CommandName>;
  readonly kinds: ReadonlySet<string>;
}

/** The sum of two. */
export function added(one: Counts, other: Counts): Counts {
  const { devices, sent, carriedOut, lives, commands, kinds } = other;
  return {
    devices: one.devices + devices,
    sent: one.sent + sent,
    carriedOut: one.carriedOut + carriedOut,
    lives: one.lives + lives,
    commands: new Set([...one.commands, ...commands]),
    kinds: new Set([...one.kinds, ...kinds]),
  };
}

export const NOTHING: Counts = { devices: 0, sent: 0, carriedOut: 0, lives: 0, commands: new Set(), kinds: new Set() };

/** Times that the system gets to come to rest, each as long as a regular poll and the longest pause after a failure. */
const ROUNDS = 12;
const ROUND_MS = (POLL_INTERVAL_S + 60 + 300) * 1_000;

/** Runs actions against a fresh system, lets it come to rest, and compares. */
export async function runActions(seed: number, actions: readonly Action[], options: { readonly bug?: Bug; log?(text: string): void } = {}): Promise<Outcome> {
  const { bug, log } = options;
  const world = await World.start(seed, bug);
  try {
    for (const action of actions) {
      log?.(`${new Date(world.clock.nowMs()).toISOString()}  ${JSON.stringify(action)}`);
      await world.apply(action);
    }
    let found: readonly string[] = ['never looked at'];
    for (let round = 0; round < ROUNDS && found.length > 0; round++) {
      world.heal();
      await world.clock.advance(round === 0 ? 60_000 : ROUND_MS);
      await world.mailed();
      found = differences(world);
    }
    return { seed, actions, differences: found, counts: countsOf(world) };
  } finally {
    await world.close();
  }
}

function countsOf({ subjects }: World): Counts {
  return subjects
    .map(({ device, commands, kind }): Counts => {
      const executions = device.executions();
      const ids = new Set(executions.map(({ commandId }) => commandId));
      return {
        devices: 1,
        sent: commands.length,
        carriedOut: executions.length,
        lives: device.lives,
        commands: new Set(commands.flatMap(({ id, name }) => (ids.has(id) ? [name] : []))),
        kinds: new Set(device.wasActive ? [`${kind.system}, ${kind.activationType}`] : []),
      };
    })
    .reduce(added, NOTHING);
}

/** Runs the sequence of a seed. */
export function runSeed(seed: number, options: { readonly bug?: Bug; log?(text: string): void } = {}): Promise<Outcome> {
  return runActions(seed, actionsOf(seed), options);
}

/** Runs of a failing sequence that are spent on making it shorter. */
const SHRINK_RUNS = 200;

/** A shorter sequence that fails, too: parts are left out, halves first, as long as it goes on failing. */
export async function shrink(failed: Outcome, options: { readonly bug?: Bug } = {}): Promise<Outcome> {
  let best = failed;
  let runs = 0;
  for (let size = Math.ceil(best.actions.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < best.actions.length && runs < SHRINK_RUNS; ) {
      const shorter = [...best.actions.slice(0, from), ...best.actions.slice(from + size)];
      runs++;
      const outcome = await runActions(best.seed, shorter, options);
      if (kindOf(outcome) === kindOf(failed)) best = outcome;
      else from += size;
    }
  }
  return best;
}

/** What kind of failure it is: ids and numbers are others in a shorter sequence. */
function kindOf({ differences: [first] }: Outcome): string | undefined {
  return first?.replaceAll(/[0-9a-f]{8,}|\d+/g, '#');
}

/** A failed sequence, for people. */
export function describeFailure({ seed, actions, differences: found }: Outcome): string {
  const lines = [
    `seed ${seed} fails; the shortest sequence found:`,
    ...actions.map((action) => `  ${JSON.stringify(action)}`),
    'what does not agree:',
    ...found.map((text) => `  ${text}`),
    `again: pnpm whole-system --seed ${seed} --verbose`,
  ];
  return lines.join('\n');
}
