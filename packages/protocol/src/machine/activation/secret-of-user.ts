import { canonicalUserId } from '../../key-schedule/user-id.ts';
import type { ActivationSecret } from './initiator-types.ts';

/** The user id that goes into A1: of the QR object, when it was scanned. */
export function userIdOf(secret: ActivationSecret): string {
  return canonicalUserId(secret.kind === 'qr' ? secret.code.userId : secret.userId);
}

/** The slot of the secret that goes into A1; slot 0 is not written. */
export function slotOf(secret: ActivationSecret): number | undefined {
  const slot = secret.kind === 'qr' ? secret.code.secretSlot : secret.slot;
  return slot === 0 ? undefined : slot;
}
