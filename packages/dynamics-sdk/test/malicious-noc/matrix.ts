/** What a malicious NOC does to one message: the columns of the matrix. */
export const DEEDS = {
  drop: 'it never arrives',
  delay: 'it arrives after the one who waits for it has given up, and all behind it',
  replay: 'it arrives twice',
  stale: 'the same message of an earlier run of this app comes in its place',
  swap: 'it changes places with the next one of its direction; where that is an answer to it, the one before it comes in its place',
  cross: 'it changes places with the same message of another app of this tenant',
  truncate: 'its first half arrives, and then the end of the connection',
  flip: 'one bit of it is another one',
  tenant: 'it, or what the NOC says with it, names another tenant, link or session',
  proxy: 'it, or what the NOC says with it, names another Proxy or UEM; or the NOC stands in for the Proxy',
  key: 'its ephemeral key, link key, MAC or seal is made by the NOC',
  version: 'it names a lower version',
  alert: 'the NOC keeps it, and tells the app that it is refused (`authFailed`)',
} as const;

export type DeedName = keyof typeof DEEDS;

/** Why there is nothing to do in a cell. */
export interface Nothing {
  readonly nothing: string;
}

export const nothing = (why: string): Nothing => ({ nothing: why });

/**
 * How the app fares: `ok`, or code and step of the error that it ends with; `or` where two ends give up at the same time. Then the same app, with an honest NOC and the same key, has to be `ok`, and what
 * the runner asserts for every cell holds besides.
 */
export type Outcome = string | Nothing;

/** Every message has every column: the type leaves no cell out, and a test counts them besides. */
export type Matrix<Message extends string> = Readonly<Record<Message, Readonly<Record<DeedName, Outcome>>>>;

/** All cells, row by row. */
export function cellsOf<Message extends string>(
  matrix: Matrix<Message>,
): readonly { readonly message: Message; readonly deed: DeedName; readonly outcome: Outcome }[] {
  const rows = Object.entries(matrix) as [Message, Matrix<Message>[Message]][];
  return rows.flatMap(([message, row]) => (Object.entries(row) as [DeedName, Outcome][]).map(([deed, outcome]) => ({ message, deed, outcome })));
}

/** What the test of a cell is to find; of two apps that a deed is done to each has to fare like that. */
export function fits(outcome: string, found: readonly string[]): boolean {
  const either = outcome.split(' or ');
  return found.every((one) => either.includes(one));
}
