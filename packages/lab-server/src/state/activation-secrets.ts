import type { ScryptCost, wire } from '@uemkit/protocol';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { joinId, partOf, type Table, table } from './table.ts';
import type { TryBudget } from './try-budget.ts';

/** An activation password or QR secret, as the server keeps it: a verifier, never the secret (F1.1c). */
export interface ActivationSecretRecord {
  readonly secretId: string;
  readonly userGuid: string;
  /** Canonical; part of what the verifier was made from. */
  readonly userId: string;
  readonly kind: wire.SecretKind;
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
  readonly tries: TryBudget;
  /** Device key that proved the secret last, and when: for a one-time secret nobody else may go on for a while. */
  readonly provedByKeyId?: string | undefined;
  readonly provedAtMs?: number | undefined;
}

interface SecretReference {
  readonly userGuid: string;
  readonly kind: wire.SecretKind;
}

const secrets: Table<ActivationSecretRecord> = table('activation-secret');
const secretsById: Table<SecretReference> = table('activation-secret-by-id');

/** Sets the secret of its user and kind; the one before is gone. */
export function putActivationSecret(tx: WriteView, secret: ActivationSecretRecord): void {
  const before = activationSecret(tx, secret.userGuid, secret.kind);
  if (before !== undefined && before.secretId !== secret.secretId) secretsById.delete(tx, before.secretId);
  secrets.put(tx, joinId(secret.userGuid, secret.kind), secret);
  secretsById.put(tx, secret.secretId, { userGuid: secret.userGuid, kind: secret.kind });
}

/** The secret with this id, unless another one has taken its place. */
export function activationSecretById(view: ReadView, secretId: string): ActivationSecretRecord | undefined {
  const reference = secretsById.get(view, secretId);
  return reference === undefined ? undefined : activationSecret(view, reference.userGuid, reference.kind);
}

/** The secret of a user, also when it is expired or exhausted. */
export function activationSecret(view: ReadView, userGuid: string, kind: wire.SecretKind): ActivationSecretRecord | undefined {
  return secrets.get(view, joinId(userGuid, kind));
}

export function deleteActivationSecret(tx: WriteView, userGuid: string, kind: wire.SecretKind): void {
  const secret = activationSecret(tx, userGuid, kind);
  if (secret === undefined) return;
  secrets.delete(tx, joinId(userGuid, kind));
  secretsById.delete(tx, secret.secretId);
}

/** Both kinds at most. */
export function listActivationSecrets(view: ReadView, userGuid: string): readonly ActivationSecretRecord[] {
  return secrets.page(view, { under: partOf(userGuid), limit: 2 }).map((row) => row.record);
}
