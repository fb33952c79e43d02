import * as wire from '@uemkit/protocol/wire';
import { MDM_CONTROLS, TWO_FACTOR_REGISTRATION, USER_PRIVACY } from './activation-types.ts';
import { personalApp, workApp } from './made-apps.ts';
import type { SystemDefinition } from './system-definition.ts';

/** Android without a work space: the UEM Client is the agent, woken by FCM (F5.2). MDM controls are deprecated and fail on Android 10 and later. */
export const ANDROID_MDM_CONTROLS: SystemDefinition = {
  id: 'android-mdm-controls',
  title: wire.PLATFORMS['android-mdm-controls'].title,
  family: wire.PLATFORMS['android-mdm-controls'].family,
  agent: 'uem-client',
  pushService: 'fcm',
  activationTypes: [{ ...MDM_CONTROLS, lastMajorVersion: 9 }, USER_PRIVACY, TWO_FACTOR_REGISTRATION],
  lockMaySetPassword: true,
  clearsDevicePassword: true,
  takesGeneratedPassword: false,
  managesWorkSpace: false,
  supervisable: false,
  wipesApplications: false,
  givesLogs: true,
  dynamicsApps: true,
  hardware: ['imei', 'wifiMacAddress'],
  versions: ['7.1', '8.1', '9'],
  models: ['Emulated Phone C', 'Emulated Tablet C'],
  storageMiB: [16_384, 32_768],
  commonApps: [
    personalApp('example.camera', 'Camera', '2.8.1'),
    personalApp('example.phone', 'Phone', '7.0.0'),
    personalApp('example.photos', 'Photos', '3.1.4'),
  ],
  rareApps: [
    personalApp('example.game', 'Game', '1.0.2'),
    personalApp('example.radio', 'Radio', '5.5.0'),
    personalApp('example.maps', 'Maps', '21.0.9'),
    personalApp('example.bank', 'Bank', '2.0.6'),
  ],
  workApps: [workApp('example.uem.client', 'UEM Client', '1.0.0')],
};
