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
}

const secrets: Table<ActivationSecretRecord> = table('activation-secret');

/** Sets the secret of its user and kind; the one before is gone. */
export function putActivationSecret(tx: WriteView, secret: ActivationSecretRecord): void {
  secrets.put(tx, joinId(secret.userGuid, secret.kind), secret);
}

/** The secret of a user, also when it is expired or exhausted. */
export function activationSecret(view: ReadView, userGuid: string, kind: wire.SecretKind): ActivationSecretRecord | undefined {
  return secrets.get(view, joinId(userGuid, kind));
}

export function deleteActivationSecret(tx: WriteView, userGuid: string, kind: wire.SecretKind): void {
  secrets.delete(tx, joinId(userGuid, kind));
}

/** Both kinds at most. */
export function listActivationSecrets(view: ReadView, userGuid: string): readonly ActivationSecretRecord[] {
  return secrets.page(view, { under: partOf(userGuid), limit: 2 }).map((row) => row.record);
}
