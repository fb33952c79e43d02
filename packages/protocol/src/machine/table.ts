import { ProtocolError } from '../errors/protocol-error.ts';

/** One row of a transition table: what a role does with one input in one state. */
export interface Transition<Role extends string = string, State extends string = string> {
  readonly role: Role;
  readonly state: State;
  /** Name of the input and of what was found out about it, for example `command` or `expired command`. */
  readonly input: string;
  readonly next: State;
  /** Flow step that the row belongs to, for example `F5.4`. */
  readonly step: string;
}

/** Told of each row that a machine takes; for traces, and for the proof that tests hit every row. */
export type TransitionListener = (row: Transition) => void;

/** The state of one machine. It changes only along the rows of its table. */
export class StateCell<State extends string> {
  readonly #table: readonly Transition<string, State>[];
  readonly #role: string;
  readonly #onTransition: TransitionListener | undefined;
  #state: State;

  constructor(table: readonly Transition<string, State>[], role: string, initial: State, onTransition?: TransitionListener) {
    this.#table = table;
    this.#role = role;
    this.#state = initial;
    this.#onTransition = onTransition;
  }

  get state(): State {
    return this.#state;
  }

  /** Whether the table has a row for `input` in this state. */
  accepts(input: string): boolean {
    return this.#find(input) !== undefined;
  }

  /**
   * Takes the row for `input`.
   * @throws ProtocolError `ERR_INTERNAL` when there is none: callers ask `accepts` about everything that comes from outside.
   */
  take(input: string): Transition<string, State> {
    const row = this.#find(input);
    if (row === undefined) throw new ProtocolError('ERR_INTERNAL', `no transition for "${input}" in state ${this.#state}`);
    this.#state = row.next;
    this.#onTransition?.(row);
    return row;
  }

  #find(input: string): Transition<string, State> | undefined {
    return this.#table.find((row) => row.state === this.#state && row.input === input && row.role === this.#role);
  }
}

/** Collects the rows that machines take and says which rows of a table nobody took. */
export interface TransitionRecorder {
  readonly listener: TransitionListener;
  /** Rows of `table` that were never taken. Bounded: by the number of rows. */
  missing(table: readonly Transition[]): readonly Transition[];
}

/** A recorder; give its `listener` to every machine of a test run. */
export function transitionRecorder(): TransitionRecorder {
  const taken = new Set<Transition>();
  return {
    listener: (row) => {
      taken.add(row);
    },
    missing: (table) => table.filter((row) => !taken.has(row)),
  };
}
