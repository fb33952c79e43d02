import { errorOfAlert, isProtocolError, type StoreWrite } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { ask, type ClientContext } from './ask.ts';
import type { UemClientPorts } from './client-ports.ts';
import type { DeactivationReason } from './operating-system.ts';
import type { ActiveDevice } from './state/active-device.ts';
import { FORGOTTEN, loadAnew, loadFormer, writeDeparting, writeEnded } from './state/saved-state.ts';

/**
 * Destroys the identity of the device: certificates and roots, the key, then whatever the operating system removes. The mark comes first, so that a crash in the
 * middle is finished by doing all of it again.
 * @returns the writes that end it; they are the caller's to commit
 */
export async function depart(options: UemClientPorts, keyId: string, reason: DeactivationReason): Promise<readonly StoreWrite[]> {
  await options.store.commit(writeDeparting(keyId, reason));
  // What cannot be read must not keep a device from leaving.
  const anew = await loadAnew(options.store).catch(() => undefined);
  if (anew !== undefined) await options.keyStore.destroy(anew.keyId);
  await options.keyStore.destroy(keyId);
  await options.operatingSystem.deactivated(reason);
  return [writeEnded(reason), ...FORGOTTEN];
}

/**
 * Destroys the identity that an activation has replaced, and what belongs to it. Before UEM has accepted the new activation there is none, so that somebody
 * who does not know a password deletes nothing. Does it again after a crash.
 */
export async function destroyFormer({ store, keyStore, operatingSystem }: UemClientPorts): Promise<void> {
  const keyId = await loadFormer(store);
  if (keyId === undefined) return;
  await keyStore.destroy(keyId);
  await operatingSystem.deactivated('expired');
  await store.commit(FORGOTTEN);
}

/**
 * Tells UEM, over mutual TLS, that the user removes this device. A UEM that does not know the device any more, or has revoked it, needs not be told.
 * @throws ProtocolError when UEM could not be told
 */
export async function reportDeactivation(context: ClientContext, device: ActiveDevice, signal: AbortSignal): Promise<void> {
  const { address, trust, identity } = device;
  const frame = wire.deactivate.encode({ cause: 'user' });
  const request = { peer: 'uem', step: 'F5.5', answerStep: 'F5.6', service: 'device', address, trust, identity, frame, signal } as const;
  try {
    await ask(context, request, wire.acknowledgement, errorOfAlert);
  } catch (error) {
    if (!isProtocolError(error) || verdictOf(error.code) === undefined) throw error;
  }
}

/** The verdict in an error, when it is one: only UEM gives them, over mutual TLS. */
export function verdictOf(code: string): Exclude<DeactivationReason, 'command' | 'user'> | undefined {
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
