import type { DeviceState } from '../device-state.ts';
import { type Behaviour, type BehaviourContext, done, failed, textProperty } from './behaviour.ts';

/** Why a command for supervised devices cannot be carried out; undefined when it can. */
function refusal({ supervised }: DeviceState, { system, activationType }: BehaviourContext): string | undefined {
  if (!system.supervisable) return `${system.title} has no supervised devices`;
  if (!activationType.controlsDevice) return `activation type ${activationType.name} does not let UEM control the device`;
  return supervised ? undefined : 'the device is not supervised';
}

/** ENABLE_LOST_MODE {phoneNumber, message, footnote?}: locks, with or without a device password. */
export const enableLostMode: Behaviour = (state, properties, context) => {
  const reason = refusal(state, context);
  if (reason !== undefined) return failed(state, reason);
  const phoneNumber = textProperty(properties, 'phoneNumber');
  const message = textProperty(properties, 'message');
  const footnote = textProperty(properties, 'footnote');
  if (typeof phoneNumber !== 'string' || typeof message !== 'string' || footnote === null) {
    return failed(state, 'ENABLE_LOST_MODE: phoneNumber and message must be text, and so must footnote when it is there');
  }
  return done({ ...state, locked: true, lostMode: { phoneNumber, message, footnote } }, { lostMode: true });
};

/** DISABLE_LOST_MODE: what is left is the lock by the device password, if there is one. */
export const disableLostMode: Behaviour = (state, _properties, context) => {
  const reason = refusal(state, context);
  if (reason !== undefined) return failed(state, reason);
  if (state.lostMode === undefined) return done(state, { lostMode: false, reason: 'the device is not in lost mode' });
  return done({ ...state, locked: state.passwordHash !== undefined, lostMode: undefined }, { lostMode: false });
};

/** UPDATE_DEVICE_OS {installAction, osVersion} */
export const updateDeviceOs: Behaviour = (state, properties, context) => {
  const reason = refusal(state, context);
  if (reason !== undefined) return failed(state, reason);
  const { installAction, osVersion } = properties;
  if (installAction !== 'DOWNLOAD_ONLY' && installAction !== 'INSTALL')
    return failed(state, 'UPDATE_DEVICE_OS: installAction is neither DOWNLOAD_ONLY nor INSTALL');
  if (typeof osVersion !== 'string' || !/^\d{1,5}(\.\d{1,5}){0,3}$/.test(osVersion)) return failed(state, 'UPDATE_DEVICE_OS: osVersion is no version');
  if (!isNewer(osVersion, state.osVersion)) return failed(state, `the device has version ${state.osVersion}, and ${osVersion} is not newer`);
  if (installAction === 'DOWNLOAD_ONLY') return done({ ...state, downloadedOsVersion: osVersion }, { osVersion: state.osVersion, downloaded: osVersion });
  return done({ ...state, osVersion, downloadedOsVersion: undefined }, { osVersion });
};

/** Compares numbers between dots; what is missing counts as 0. */
function isNewer(version: string, than: string): boolean {
  const parts = version.split('.').map(Number);
  const others = than.split('.').map(Number);
  for (let place = 0; place < Math.max(parts.length, others.length); place++) {
    const difference = (parts[place] ?? 0) - (others[place] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
