import * as wire from '@uemkit/protocol/wire';
import { WORK_AND_PERSONAL_FULL_CONTROL, WORK_AND_PERSONAL_USER_PRIVACY, WORK_SPACE_ONLY } from './activation-types.ts';
import { personalApp, workApp } from './made-apps.ts';
import type { SystemDefinition } from './system-definition.ts';

/** Android Enterprise: the UEM Client is the agent, woken by FCM (F5.2). */
export const ANDROID_ENTERPRISE: SystemDefinition = {
  id: 'android-enterprise',
  title: wire.PLATFORMS['android-enterprise'].title,
  family: wire.PLATFORMS['android-enterprise'].family,
  agent: 'uem-client',
  pushService: 'fcm',
  activationTypes: [WORK_AND_PERSONAL_USER_PRIVACY, WORK_AND_PERSONAL_FULL_CONTROL, WORK_SPACE_ONLY],
  lockMaySetPassword: true,
  clearsDevicePassword: true,
  takesGeneratedPassword: false,
  managesWorkSpace: true,
  supervisable: false,
  wipesApplications: false,
  givesLogs: true,
  dynamicsApps: true,
  hardware: ['imei', 'wifiMacAddress'],
  versions: ['13', '14', '15'],
  models: ['Emulated Phone A', 'Emulated Phone B', 'Emulated Tablet A'],
  storageMiB: [65_536, 131_072, 262_144],
  commonApps: [
    personalApp('example.camera', 'Camera', '4.2.0'),
    personalApp('example.phone', 'Phone', '11.0.1'),
    personalApp('example.photos', 'Photos', '6.9.3'),
  ],
  rareApps: [
    personalApp('example.game', 'Game', '1.0.7'),
    personalApp('example.music', 'Music', '8.1.0'),
    personalApp('example.maps', 'Maps', '25.3.1'),
    personalApp('example.bank', 'Bank', '3.3.0'),
  ],
  workApps: [workApp('example.uem.client', 'UEM Client', '1.0.0'), workApp('example.work.mail', 'Work Mail', '2.4.0')],
};
