import type { Entropy } from '@uemkit/protocol';
import type { ActivationSettingsRecord } from '../state/activation-settings.ts';

/** Makes an activation password (F1.1c): each character of the alphabet is as likely as any other. */
export function generatePassword(entropy: Entropy, { passwordAlphabet, passwordLength }: ActivationSettingsRecord): string {
  const characters = [...passwordAlphabet];
  // Bytes from the last incomplete round of the alphabet are drawn again: they would favour its first characters.
  const limit = 256 - (256 % characters.length);
  let password = '';
  for (let length = 0; length < passwordLength; ) {
    const byte = entropy.randomBytes(1)[0] as number;
    if (byte >= limit) continue;
    password += characters[byte % characters.length];
    length++;
  }
  return password;
}
