import { type Behaviour, done, failed, textProperty } from './behaviour.ts';
import { hashOfPassword } from './password.ts';

/**
 * LOCK_DEVICE {password?, message?}. Without a device password there is nothing to lock with: the command ends well and
 * changes nothing, and says so. With `password` (base64, as in the REST API) the device gets it first, where the activation type lets UEM do that.
 */
export const lockDevice: Behaviour = (state, properties, { system, activationType, sha256 }) => {
  if (!activationType.locksDevice) return failed(state, `activation type ${activationType.name} does not let UEM lock the device`);
  const password = textProperty(properties, 'password');
  const message = textProperty(properties, 'message');
  if (password === null || message === null) return failed(state, 'LOCK_DEVICE: password and message must be text');
  const newHash = password === undefined ? undefined : hashOfPassword(password, sha256);
  if (password !== undefined && newHash === undefined) return failed(state, 'LOCK_DEVICE: the password is not base64 of a password');
  if (password !== undefined && !system.lockMaySetPassword) return failed(state, `${system.title} takes no device password with a lock command`);
  if (password !== undefined && !activationType.controlsDevicePassword) {
    return failed(state, `activation type ${activationType.name} does not let UEM set the device password`);
  }
  const passwordHash = newHash ?? state.passwordHash;
  if (passwordHash === undefined) return done(state, { locked: false, reason: 'the device has no password' });
  return done({ ...state, locked: true, passwordHash, lockMessage: message ?? state.lockMessage }, { locked: true });
};

/** UNLOCK_DEVICE: clears the device password and unlocks. A device in lost mode stays in it. */
export const unlockDevice: Behaviour = (state, _properties, { system, activationType }) => {
  if (!system.clearsDevicePassword) return failed(state, `${system.title} does not let UEM clear the device password`);
  if (!activationType.controlsDevicePassword) {
    return failed(state, `activation type ${activationType.name} does not let UEM clear the device password`);
  }
  return done({ ...state, locked: false, passwordHash: undefined, lockMessage: undefined }, { locked: false, passwordSet: false });
};

/** GENERATE_DEVICE_PASSWORD_AND_LOCK {password}: the device takes the password that UEM made, and locks. */
export const generateDevicePasswordAndLock: Behaviour = (state, properties, { system, activationType, sha256 }) => {
  if (!system.takesGeneratedPassword) return failed(state, `${system.title} takes no generated device password`);
  if (!activationType.controlsDevicePassword) {
    return failed(state, `activation type ${activationType.name} does not let UEM set the device password`);
  }
  const password = textProperty(properties, 'password');
  const passwordHash = typeof password === 'string' ? hashOfPassword(password, sha256) : undefined;
  if (passwordHash === undefined) return failed(state, 'GENERATE_DEVICE_PASSWORD_AND_LOCK: the password is not base64 of a password');
  return done({ ...state, locked: true, passwordHash }, { locked: true });
};
