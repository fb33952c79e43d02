import * as wire from '@uemkit/protocol/wire';
import { WORK_AND_PERSONAL_FULL_CONTROL, WORK_AND_PERSONAL_USER_PRIVACY, WORK_SPACE_ONLY } from './activation-types.ts';
import { personalApp, workApp } from './made-apps.ts';
import type { SystemDefinition } from './system-definition.ts';

/** Samsung Knox Workspace: an Android device whose work space is the one of its maker; the UEM Client is the agent, woken by FCM (F5.2). */
export const SAMSUNG_KNOX: SystemDefinition = {
  id: 'samsung-knox',
  title: wire.PLATFORMS['samsung-knox'].title,
  family: wire.PLATFORMS['samsung-knox'].family,
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
  versions: ['10', '11', '12'],
  models: ['Emulated Knox Phone 21', 'Emulated Knox Phone 23', 'Emulated Knox Tablet 7'],
  storageMiB: [131_072, 262_144],
  commonApps: [
    personalApp('example.knox.camera', 'Camera', '12.0'),
    personalApp('example.knox.phone', 'Phone', '14.1'),
    personalApp('example.knox.gallery', 'Gallery', '13.5'),
  ],
  rareApps: [
    personalApp('example.knox.health', 'Health', '6.2'),
    personalApp('example.knox.notes', 'Notes', '4.4'),
    personalApp('example.music', 'Music', '8.1.0'),
    personalApp('example.maps', 'Maps', '25.3.1'),
  ],
  workApps: [workApp('example.uem.client', 'UEM Client', '1.0.0'), workApp('example.knox.work.mail', 'Work Mail', '2.4.0')],
};
