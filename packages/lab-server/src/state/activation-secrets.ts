import type { ScryptCost } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { generationOf, profileById } from './profiles.ts';
import { joinId, partOf, type Table, table } from './table.ts';
import type { TryBudget } from './try-budget.ts';

/** An activation password or QR secret, as the server keeps it: a verifier, never the secret (F1.1c). */
export interface ActivationSecretRecord {
  readonly secretId: string;
  readonly userGuid: string;
  /** Canonical; part of what the verifier was made from. */
  readonly userId: string;
  readonly kind: wire.SecretKind;
  /** 0; or 1 and 2 for a secret that is paired with an activation profile, and whose devices are admitted whatever their number. */
  readonly slot: number;
  readonly salt: Uint8Array;
  readonly cost: ScryptCost;
  readonly w0: Uint8Array;
  readonly L: Uint8Array;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** Deleted when the first device that used it counts. */
  readonly expireAfterUse: boolean;
  /** Profile of devices that are activated with it, instead of the user's. */
  readonly profileId?: string | undefined;
  /** Of `profileId` when the secret was made: it is of no use once that profile was deleted, also when there is another one of the same name. */
  readonly profileGeneration?: number | undefined;
  readonly tries: TryBudget;
  /** Device key that proved the secret last, and when: for a one-time secret nobody else may go on for a while. */
  readonly provedByKeyId?: string | undefined;
  readonly provedAtMs?: number | undefined;
}

interface SecretReference {
  readonly userGuid: string;
  readonly kind: wire.SecretKind;
  readonly slot: number;
}

const secrets: Table<ActivationSecretRecord> = table('activation-secret');
const secretsById: Table<SecretReference> = table('activation-secret-by-id');

/** Sets the secret of its user, kind and slot; the one before is gone. */
export function putActivationSecret(tx: WriteView, secret: ActivationSecretRecord): void {
  const { secretId, userGuid, kind, slot } = secret;
  const before = activationSecret(tx, userGuid, kind, slot);
  if (before !== undefined && before.secretId !== secretId) secretsById.delete(tx, before.secretId);
  secrets.put(tx, idOf(userGuid, kind, slot), secret);
  secretsById.put(tx, secretId, { userGuid, kind, slot });
}

/** The secret with this id, unless another one has taken its place. */
export function activationSecretById(view: ReadView, secretId: string): ActivationSecretRecord | undefined {
  const reference = secretsById.get(view, secretId);
  return reference === undefined ? undefined : activationSecret(view, reference.userGuid, reference.kind, reference.slot);
}

/** The secret of a user, also when it is expired or exhausted. */
export function activationSecret(view: ReadView, userGuid: string, kind: wire.SecretKind, slot = 0): ActivationSecretRecord | undefined {
  return secrets.get(view, idOf(userGuid, kind, slot));
}

export function deleteActivationSecret(tx: WriteView, userGuid: string, kind: wire.SecretKind, slot = 0): void {
  const secret = activationSecret(tx, userGuid, kind, slot);
  if (secret === undefined) return;
  secrets.delete(tx, idOf(userGuid, kind, slot));
  secretsById.delete(tx, secret.secretId);
}

/** All kinds and slots of a user. */
export function listActivationSecrets(view: ReadView, userGuid: string): readonly ActivationSecretRecord[] {
  return secrets.page(view, { under: partOf(userGuid), limit: 2 * wire.SECRET_SLOTS }).map((row) => row.record);
}

/** False once the profile that the secret is for was deleted. */
export function hasItsProfile(view: ReadView, { profileId, profileGeneration }: ActivationSecretRecord): boolean {
  return profileId === undefined || (profileById(view, profileId) !== undefined && generationOf(view, profileId) === profileGeneration);
}

function idOf(userGuid: string, kind: wire.SecretKind, slot: number): string {
  return slot === 0 ? joinId(userGuid, kind) : joinId(userGuid, kind, String(slot));
}
