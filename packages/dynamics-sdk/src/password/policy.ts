import { ProtocolError, utf8 } from '@uemkit/protocol';
import { MAX_PASSWORD_BYTES, MAX_PASSWORD_HISTORY, MAX_PASSWORD_TRIES } from '../container/limits.ts';

/** Classes of characters that a policy may ask for. Letters of every alphabet count; letters without case are neither lower nor upper. */
export type CharacterClass = 'letter' | 'lower' | 'upper' | 'digit' | 'special';

/** Rules for the password of an app, as policy gives them. */
export interface PasswordPolicy {
  /** Characters (code points, NFC). */
  readonly minLength: number;
  /** Each of these has to occur. */
  readonly classes: readonly CharacterClass[];
  /** Wrong passwords one after the other until none is tried any more. */
  readonly maxTries: number;
  /** What the runtime does then. */
  readonly whenExhausted: 'lock' | 'wipe';
  /** A new password must differ from the last `history` ones, the present one among them. */
  readonly history: number;
  /** A password older than this has to be changed; absent: it stays good. */
  readonly maxAgeDays?: number | undefined;
}

export const DEFAULT_PASSWORD_POLICY: PasswordPolicy = { minLength: 8, classes: ['letter', 'digit'], maxTries: 10, whenExhausted: 'lock', history: 1 };

/** Why a password is not taken. */
export type PasswordFault = 'too-short' | 'too-long' | 'not-text' | 'used-before' | `no-${CharacterClass}`;

const PATTERNS: Readonly<Record<CharacterClass, RegExp>> = {
  letter: /\p{L}/u,
  lower: /\p{Ll}/u,
  upper: /\p{Lu}/u,
  digit: /\p{Nd}/u,
  special: /[^\p{L}\p{M}\p{N}\s]/u,
};
const DAY_MS = 86_400_000;

/** Everything that is wrong with a new password, history apart; empty when it is good. Never says more of it than that. */
export function passwordFaults(policy: PasswordPolicy, password: string): readonly PasswordFault[] {
  if (!password.isWellFormed()) return ['not-text'];
  const text = password.normalize('NFC');
  const faults: PasswordFault[] = [];
  if ([...text].length < Math.max(1, policy.minLength)) faults.push('too-short');
  if (utf8(text).length > MAX_PASSWORD_BYTES) faults.push('too-long');
  for (const wanted of policy.classes) if (!PATTERNS[wanted].test(text)) faults.push(`no-${wanted}`);
  return faults;
}

/** Whether a password that was set at `changedMs` has to be changed now; both are wall clock. A clock that was set back makes no password old. */
export function passwordExpired({ maxAgeDays }: PasswordPolicy, changedMs: number, nowMs: number): boolean {
  return maxAgeDays !== undefined && nowMs - changedMs > maxAgeDays * DAY_MS;
}

/** @throws ProtocolError `ERR_USAGE_ARGUMENT` for a policy that cannot be kept */
export function requirePasswordPolicy(policy: PasswordPolicy): PasswordPolicy {
  const { minLength, maxTries, history, maxAgeDays } = policy;
  const fits =
    whole(minLength, 1, MAX_PASSWORD_BYTES) &&
    whole(maxTries, 1, MAX_PASSWORD_TRIES) &&
    whole(history, 0, MAX_PASSWORD_HISTORY) &&
    (maxAgeDays === undefined || whole(maxAgeDays, 1, 3_650));
  if (!fits) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'a password policy has numbers outside of their bounds');
  return policy;
}

function whole(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}

/**
 * A password as it goes into the derivation: NFC, no other mapping (RFC 8265, OpaqueString), UTF-8. Wipe it afterwards.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` for what no password can be: empty, over 255 bytes, no Unicode text
 */
export function typedBytes(password: string): Uint8Array {
  const bytes = utf8(password.normalize('NFC'));
  if (!password.isWellFormed() || bytes.length === 0 || bytes.length > MAX_PASSWORD_BYTES) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'a password has 1 to 255 bytes of Unicode text');
  }
  return bytes;
}
