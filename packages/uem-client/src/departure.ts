import { MANAGEMENT_KEYS, type StoreWrite } from '@uemkit/protocol';
import type { DeactivationReason } from './operating-system.ts';
import type { UemClientOptions } from './options.ts';
import { PUSH_TOKEN_KEY, writeDeparting, writeEnded } from './state/saved-state.ts';

/**
 * Destroys the identity of the device: certificates and roots, the key, then whatever the operating system removes. The mark comes first, so that a crash in the
 * middle is finished by doing all of it again.
 * @returns the writes that end it; they are the caller's to commit
 */
export async function depart(options: UemClientOptions, keyId: string, reason: DeactivationReason): Promise<readonly StoreWrite[]> {
  await options.store.commit(writeDeparting(keyId, reason));
  await options.keyStore.destroy(keyId);
  await options.operatingSystem.deactivated(reason);
  const forgotten = [PUSH_TOKEN_KEY, ...Object.values(MANAGEMENT_KEYS)].map((key) => ({ key, value: null }));
  return [writeEnded(reason), ...forgotten];
}

/** The verdict in an error, when it is one: only UEM gives them, over mutual TLS. */
export function verdictOf(code: string): Exclude<DeactivationReason, 'command'> | undefined {
  switch (code) {
    case 'ERR_REJECTED_REVOKED':
      return 'revoked';
    case 'ERR_REJECTED_UNKNOWN':
      return 'unknown';
    case 'ERR_REJECTED_EXPIRED':
      return 'expired';
    default:
      return undefined;
  }
}
