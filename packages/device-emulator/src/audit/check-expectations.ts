import type { Execution } from '../operating-systems/execution-log.ts';
import type { Expectation } from '../scenario/scenario.ts';
import type { Difference } from './difference.ts';

/** One command of the plan: what was expected of it and what UEM said to it. */
export interface PlannedCommand {
  readonly type: string;
  /** Absent: UEM did not take it. */
  readonly commandId?: string | undefined;
  /** Why UEM refused the command; absent also for one whose device had left. */
  readonly refusal?: string | undefined;
  /** Absent: nothing is expected of it. */
  readonly expected?: Expectation | undefined;
}

/** What a command has become, as far as somebody can have an expectation of it; undefined when it came to nothing, which is for other checks. */
export function outcomeOf({ commandId, refusal }: PlannedCommand, executed: ReadonlyMap<string, Execution>): Expectation | undefined {
  if (refusal !== undefined) return 'refusedByUem';
  const execution = commandId === undefined ? undefined : executed.get(commandId);
  if (execution === undefined) return undefined;
  if (execution.status === 'failed') return 'refusedByDevice';
  return execution.changed ? 'done' : 'noEffect';
}

/** True when a command became what the plan expects. That it was carried out is all that `done` asks for: a device that is locked already changes nothing. */
export function isAsExpected(expected: Expectation, outcome: Expectation): boolean {
  return expected === outcome || (expected === 'done' && outcome === 'noEffect');
}

/** Compares what became of the commands of one device with what the plan expects, and has no refusal change anything. */
export function checkExpectations(device: number, commands: readonly PlannedCommand[], executed: ReadonlyMap<string, Execution>): readonly Difference[] {
  const found: Difference[] = [];
  for (const command of commands) {
    const outcome = outcomeOf(command, executed);
    const { expected, type, commandId } = command;
    if (expected === undefined) continue;
    const said = `${type}${commandId === undefined ? '' : ` ${commandId}`} ${outcome === undefined ? 'is taken by UEM' : WORDS[outcome]}; the plan expects that it ${WORDS[expected]}`;
    // Whatever became of it then: UEM should not have taken it.
    if (expected === 'refusedByUem' && commandId !== undefined) found.push({ device, problem: 'notRefused', detail: said });
    else if (outcome !== undefined && !isAsExpected(expected, outcome)) found.push({ device, problem: problemOf(expected, outcome), detail: said });
  }
  for (const { commandId, type, status, changed } of executed.values()) {
    if (status === 'failed' && changed)
      found.push({ device, problem: 'failedWithEffect', detail: `${type} ${commandId} failed, and changed the device all the same` });
  }
  return found;
}

function problemOf(expected: Expectation, outcome: Expectation): Difference['problem'] {
  if (outcome === 'refusedByUem') return 'refusedByUem';
  if (outcome === 'refusedByDevice') return 'refusedByDevice';
  return expected === 'noEffect' ? 'hadEffect' : 'carriedOut';
}

const WORDS: Readonly<Record<Expectation, string>> = {
  done: 'is carried out',
  noEffect: 'ends well without effect',
  refusedByUem: 'is refused by UEM',
  refusedByDevice: 'is refused by the device',
};
