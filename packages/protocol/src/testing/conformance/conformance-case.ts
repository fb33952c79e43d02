import { sameBytes } from '../../bytes/bytes.ts';
import { toHex } from '../../bytes/text.ts';
import type { ErrorCode } from '../../errors/codes.ts';
import { isProtocolError } from '../../errors/protocol-error.ts';

/** One demand on an implementation of a port; fails by throwing. Runs under any test runner. */
export interface ConformanceCase<Subject> {
  readonly name: string;
  run(subject: Subject): void | Promise<void>;
}

/** Throws with `message` unless `condition` holds. */
export function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Throws unless both are the same bytes and `actual` is a plain `Uint8Array`. */
export function checkBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  check(Object.getPrototypeOf(actual) === Uint8Array.prototype, `${what}: not a plain Uint8Array`);
  check(sameBytes(actual, expected), `${what}: ${toHex(actual)} instead of ${toHex(expected)}`);
}

/** Throws unless `work` throws a `ProtocolError` with this code. */
export function checkRefuses(code: ErrorCode, what: string, work: () => unknown): void {
  let outcome: unknown;
  try {
    work();
  } catch (error) {
    outcome = error;
  }
  checkCode(code, what, outcome);
}

/** Throws unless the promise of `work` rejects with a `ProtocolError` with this code. */
export async function checkRejects(code: ErrorCode, what: string, work: () => Promise<unknown>): Promise<void> {
  let outcome: unknown;
  try {
    await work();
  } catch (error) {
    outcome = error;
  }
  checkCode(code, what, outcome);
}

function checkCode(code: ErrorCode, what: string, outcome: unknown): void {
  check(outcome !== undefined, `${what}: accepted instead of ${code}`);
  check(isProtocolError(outcome), `${what}: another error than ProtocolError: ${String(outcome)}`);
  check(outcome.code === code, `${what}: ${outcome.code} instead of ${code}`);
}
