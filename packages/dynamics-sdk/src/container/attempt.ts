import { isProtocolError, type SecretBytes, wipe } from '@uemkit/protocol';
import { charged, encodeGuard, type Guard, guardKey, readGuard } from './guard.ts';
import { openFailed } from './open-failed.ts';
import type { ContainerOptions } from './ports.ts';
import { GUARD_ROW, PASSWORD_ROW } from './rows.ts';
import { openSlot } from './slot.ts';

/**
 * What became of one try of a password.
 * `wrong`: so many tries are left. `exhausted`: none is left, nothing was tried; policy says whether that locks or wipes. `revoked`: there is no password any more,
 * only the unlock key opens.
 */
export type PasswordRefusal = { readonly kind: 'wrong'; readonly triesLeft: number } | { readonly kind: 'exhausted' } | { readonly kind: 'revoked' };

export type PasswordAttempt = { readonly kind: 'right'; readonly root: SecretBytes<'container root'>; readonly guard: Guard } | PasswordRefusal;

type AttemptPorts = Pick<ContainerOptions, 'crypto' | 'storage' | 'deviceKey'>;

/**
 * Tries a password. The try is counted, durably, before anything is compared: whoever stops the process in between has spent it.
 * After `right` the count is 0 again, durably, too.
 * @throws ProtocolError `ERR_STORE_WRITE` when the try cannot be counted: then nothing was tried. `ERR_CRYPTO_OPEN` when the device key is gone
 */
export async function tryPassword(ports: AttemptPorts, header: Uint8Array, typed: Uint8Array): Promise<PasswordAttempt> {
  const { crypto, storage, deviceKey } = ports;
  const slot = await storage.get(PASSWORD_ROW);
  if (slot === undefined) return { kind: 'revoked' };
  const key = await guardKey(crypto, deviceKey, header);
  // check: the device key is there
  if (key === undefined) throw openFailed();
  try {
    const guard = readGuard(crypto, key, await storage.get(GUARD_ROW));
    const next = guard && charged(guard);
    // check: a try is left
    if (guard === undefined || next === undefined) return { kind: 'exhausted' };
    // check: the try is counted before it is made
    await storage.commit([{ key: GUARD_ROW, value: encodeGuard(crypto, key, next) }]);
    const root = await openSlot(ports, { kind: 'password', header }, typed, slot).catch(wrongAsUndefined);
    if (root === undefined) return { kind: 'wrong', triesLeft: next.maxTries - next.tries };
    const cleared = { ...guard, tries: 0 };
    try {
      await storage.commit([{ key: GUARD_ROW, value: encodeGuard(crypto, key, cleared) }]);
    } catch (error) {
      wipe(root);
      throw error;
    }
    return { kind: 'right', root, guard: cleared };
  } finally {
    wipe(key);
  }
}

function wrongAsUndefined(error: unknown): undefined {
  if (isProtocolError(error) && error.code === 'ERR_CRYPTO_OPEN') return undefined;
  throw error;
}
