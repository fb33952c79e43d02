/** The server did something else than the protocol says. */
export class Mismatch extends Error {
  readonly expected: string;
  readonly seen: string;

  constructor(expected: string, seen: string) {
    super(`expected ${expected}, saw ${seen}`);
    this.name = 'Mismatch';
    this.expected = expected;
    this.seen = seen;
  }
}

/** @throws Mismatch unless `holds` */
export function demand(holds: boolean, expected: string, seen: unknown): asserts holds {
  if (!holds) throw new Mismatch(expected, String(seen));
}

/** @throws Mismatch unless both are the same value */
export function demandSame(what: string, expected: unknown, seen: unknown): void {
  demand(Object.is(expected, seen), `${what} ${String(expected)}`, String(seen));
}
