import { type Disk, type Moment, Story, type Way } from './story.ts';

/** A role that dies: what is in its memory is gone, its connections break, and it starts again from its store. */
export type Victim = 'noc' | 'uem' | 'connectivity-node';

/** One place in which something can die. */
export interface Place {
  readonly part: 'activation' | Way;
  readonly moment: string;
  /** How often the moment comes before this one. */
  readonly nth: number;
  readonly victim: Victim;
}

const VICTIMS: Readonly<Record<Place['part'], readonly Victim[]>> = {
  activation: ['noc', 'uem'],
  noc: ['noc', 'connectivity-node'],
  direct: ['noc', 'connectivity-node'],
};

/** What came of all rounds. */
export interface Outcome {
  readonly places: readonly Place[];
  readonly rounds: number;
  /** Rounds in which the app noticed. */
  readonly noticed: number;
  readonly faults: readonly string[];
}

export interface StepKillOptions {
  readonly rounds: number;
  /** Only each so manieth place, from the first one on. */
  readonly every?: number;
  progress?(done: number, all: number): void;
}

/**
 * Kills NOC, UEM and Proxy at every moment that an honest run has, `rounds` times each (F3.6 to F3.12, F10.2 to F10.4, F11.2 to F11.4). The app tries again with the key that
 * it has, and has to come through: one activation at UEM for one key, no verdict, and the bytes of a connection whole.
 */
export async function stepKills({ rounds, every = 1, progress = () => {} }: StepKillOptions): Promise<Outcome> {
  const story = await Story.begin();
  const faults: string[] = [];
  let noticed = 0;
  let done = 0;
  try {
    const { places, disk } = await survey(story);
    const visited = places.filter((_, index) => index % every === 0);
    for (const place of visited) {
      for (let round = 0; round < rounds; round += 1) {
        try {
          await story.settled();
          const codes = await (place.part === 'activation' ? killedActivation(story, place, round) : killedConnection(story, place.part, disk, place, round));
          if (codes.length > 0) noticed += 1;
        } catch (error) {
          faults.push(`${place.part}, ${place.victim} dies at ${place.moment} (${place.nth + 1}), round ${round + 1}: ${described(error)}`);
        }
        done += 1;
        progress(done, visited.length * rounds);
      }
    }
    return { places, rounds: done, noticed, faults };
  } finally {
    await story.end();
  }
}

/** An honest run: which moments there are, and an activated app. */
async function survey(story: Story): Promise<{ readonly places: readonly Place[]; readonly disk: Disk }> {
  const disk = story.newDisk();
  const places: Place[] = [];
  const noting = (part: Place['part']): Moment => {
    const seen = new Map<string, number>();
    return (moment) => {
      const nth = seen.get(moment) ?? 0;
      seen.set(moment, nth + 1);
      for (const victim of VICTIMS[part]) places.push({ part, moment, nth, victim });
    };
  };
  const first = await story.open(disk, noting('activation'));
  await story.activated(first, await story.newKey());
  await first.close();
  for (const way of ['noc', 'direct'] as const) {
    const moment = noting(way);
    const runtime = await story.open(disk, moment);
    await story.unlocked(runtime);
    await story.echoed(runtime, way, moment);
    await runtime.close();
  }
  return { places, disk };
}

/** Kills once, at the place or some turns of the event loop later. */
function killer(story: Story, { moment, nth, victim }: Place, round: number): { readonly moment: Moment; restarted(): Promise<void> } {
  let seen = 0;
  let restarted: Promise<void> | undefined;
  return {
    moment(name) {
      if (name !== moment || seen++ !== nth) return;
      restarted = turns(round % 5).then(() => story.lab.restart(victim));
    },
    async restarted() {
      if (restarted === undefined) throw new Error('the moment did not come');
      await restarted;
    },
  };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function killedActivation(story: Story, place: Place, round: number): Promise<readonly string[]> {
  const { lab, userGuid } = story;
  const before = lab.admin.dynamicsApps(userGuid).length;
  const kill = killer(story, place, round);
  const runtime = await story.open(story.newDisk(), kill.moment);
  try {
    const codes = await story.activated(runtime, await story.newKey());
    await kill.restarted();
    const instances = lab.admin.dynamicsApps(userGuid).length - before;
    if (instances !== 1) throw new Error(`one key has activated ${instances} apps`);
    return codes;
  } finally {
    await runtime.close();
  }
}

async function killedConnection(story: Story, way: Way, disk: Disk, place: Place, round: number): Promise<readonly string[]> {
  const kill = killer(story, place, round);
  const runtime = await story.open(disk, kill.moment);
  try {
    await story.unlocked(runtime);
    const codes = await story.echoed(runtime, way, kill.moment);
    await kill.restarted();
    return codes;
  } finally {
    await runtime.close();
  }
}

function described(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? `${String(error.code)} ` : '';
  return `${code}${error.message}${error.cause === undefined ? '' : ` <- ${described(error.cause)}`}`;
}
