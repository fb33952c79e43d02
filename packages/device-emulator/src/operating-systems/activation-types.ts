import type { ActivationTypeDefinition } from './system-definition.ts';

/** Control of the whole device, with no work space apart from it. */
export const MDM_CONTROLS: ActivationTypeDefinition = {
  name: 'mdm-controls',
  touches: 'the whole device, without a work space',
  workSpace: false,
  personalSide: true,
  encryptsDevice: true,
  locksDevice: true,
  controlsDevicePassword: true,
  managed: true,
  controlsDevice: true,
  deletesDevice: true,
  seesPersonalApps: true,
  seesHardware: true,
};

/** Work data only, with no work space apart from the rest. */
export const USER_PRIVACY: ActivationTypeDefinition = {
  name: 'user-privacy',
  touches: 'work data only',
  workSpace: false,
  personalSide: true,
  encryptsDevice: false,
  locksDevice: false,
  controlsDevicePassword: false,
  managed: true,
  controlsDevice: false,
  deletesDevice: false,
  seesPersonalApps: false,
  seesHardware: false,
};

/** The device proves its user at a log-in elsewhere; UEM puts nothing on it, so there is nothing to touch. */
export const TWO_FACTOR_REGISTRATION: ActivationTypeDefinition = {
  name: '2fa-registration',
  touches: 'nothing: the device is only known',
  workSpace: false,
  personalSide: true,
  encryptsDevice: false,
  locksDevice: false,
  controlsDevicePassword: false,
  managed: false,
  controlsDevice: false,
  deletesDevice: false,
  seesPersonalApps: false,
  seesHardware: false,
};

/** A work space beside a personal side that UEM leaves alone. */
export const WORK_AND_PERSONAL_USER_PRIVACY: ActivationTypeDefinition = {
  name: 'work-and-personal-user-privacy',
  touches: 'the work space only; it may lock the device',
  workSpace: true,
  personalSide: true,
  encryptsDevice: true,
  locksDevice: true,
  controlsDevicePassword: false,
  managed: true,
  controlsDevice: false,
  deletesDevice: false,
  seesPersonalApps: false,
  seesHardware: false,
};

/** A work space beside a personal side, and control of both. */
export const WORK_AND_PERSONAL_FULL_CONTROL: ActivationTypeDefinition = {
  name: 'work-and-personal-full-control',
  touches: 'the work space and the device',
  workSpace: true,
  personalSide: true,
  encryptsDevice: true,
  locksDevice: true,
  controlsDevicePassword: true,
  managed: true,
  controlsDevice: true,
  deletesDevice: true,
  seesPersonalApps: true,
  seesHardware: true,
};

/** The work space is the whole device. */
export const WORK_SPACE_ONLY: ActivationTypeDefinition = {
  ...WORK_AND_PERSONAL_FULL_CONTROL,
  name: 'work-space-only',
  touches: 'the whole device, which is the work space',
  personalSide: false,
};

/** Both sides of a BlackBerry 10 device under rules of the organisation. */
export const WORK_AND_PERSONAL_REGULATED: ActivationTypeDefinition = { ...WORK_AND_PERSONAL_FULL_CONTROL, name: 'work-and-personal-regulated' };
