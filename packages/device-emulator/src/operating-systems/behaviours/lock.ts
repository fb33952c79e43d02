import { toHex } from '@uemkit/protocol';
import { type Behaviour, done, failed, textProperty } from './behaviour.ts';

/**
 * LOCK_DEVICE {password?, message?}. Without a device password there is nothing to lock with: the command ends well and
 * changes nothing, and says so. With `password` (base64, as in the REST API) the device gets it first, where the activation type lets UEM do that.
 */
export const lockDevice: Behaviour = (state, properties, { system, activationType, sha256 }) => {
  const password = textProperty(properties, 'password');
  const message = textProperty(properties, 'message');
  if (password === null || message === null) return failed(state, 'LOCK_DEVICE: password and message must be text');
  const newPassword = password === undefined ? undefined : fromBase64(password);
  if (password !== undefined && newPassword === undefined) return failed(state, 'LOCK_DEVICE: the password is not base64 of a password');
  if (password !== undefined && !system.lockMaySetPassword) return failed(state, `${system.title} takes no device password with a lock command`);
  if (password !== undefined && !activationType.controlsDevicePassword) {
    return failed(state, `activation type ${activationType.name} does not let UEM set the device password`);
  }
  const passwordHash = newPassword === undefined ? state.passwordHash : toHex(sha256(newPassword));
  if (passwordHash === undefined) return done(state, { locked: false, reason: 'the device has no password' });
  return done({ ...state, locked: true, passwordHash, lockMessage: message ?? state.lockMessage }, { locked: true });
};

/** UNLOCK_DEVICE: clears the device password and unlocks. */
export const unlockDevice: Behaviour = (state, _properties, { activationType }) => {
  if (!activationType.controlsDevicePassword) {
    return failed(state, `activation type ${activationType.name} does not let UEM clear the device password`);
  }
  return done({ ...state, locked: false, passwordHash: undefined, lockMessage: undefined }, { locked: false, passwordSet: false });
};

/** Bytes of standard base64; undefined for anything else and for no bytes at all. */
function fromBase64(text: string): Uint8Array | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text) || text === '') return undefined;
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
