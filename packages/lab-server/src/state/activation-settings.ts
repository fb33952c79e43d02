import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type Table, table } from './table.ts';

/** What the administrator sets for all activations of the tenant. */
export interface ActivationSettingsRecord {
  /** Characters of a password that is made. */
  readonly passwordLength: number;
  /** What it is made of: different characters. */
  readonly passwordAlphabet: string;
  /** Life of a secret when nothing else is said, milliseconds. */
  readonly secretLifeMs: number;
  /** Whether a secret is used up by the first device when nothing else is said. */
  readonly expireAfterUse: boolean;
  /** Most active devices of the tenant; absent: as many as come. */
  readonly licences?: number | undefined;
}

/** Digits and lower-case letters but `i`, `l`, `o` and `u`: nothing looks like something else, and phones type it without shifting. */
export const READABLE_ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** In force until the administrator changes them: 10 characters of 32 are 50 bits; 30 days are the longest life that the vendor documents. */
export const DEFAULT_ACTIVATION_SETTINGS: ActivationSettingsRecord = {
  passwordLength: 10,
  passwordAlphabet: READABLE_ALPHABET,
  secretLifeMs: 30 * 86_400_000,
  expireAfterUse: true,
};

const settings: Table<ActivationSettingsRecord> = table('activation-settings');
const ONLY = 'this';

export function activationSettings(view: ReadView): ActivationSettingsRecord {
  return settings.get(view, ONLY) ?? DEFAULT_ACTIVATION_SETTINGS;
}

export function putActivationSettings(tx: WriteView, changed: ActivationSettingsRecord): void {
  settings.put(tx, ONLY, changed);
}
