import { type Entropy, keySchedule, utf8 } from '@uemkit/protocol';

/** A new unlock key as people read it: 15 characters with 75 random bits, `01234-56789-ABCDE`. */
export function generateUnlockKey(entropy: Entropy): string {
  return keySchedule.formatAccessKey(keySchedule.generateAccessKey(entropy));
}

/** An unlock key as typed, blanks, hyphens and case forgiven. Wipe it afterwards. @throws ProtocolError `ERR_USAGE_ARGUMENT` when it cannot be one */
export function unlockKeyBytes(typed: string): Uint8Array {
  return utf8(keySchedule.normalizeAccessKey(typed));
}
