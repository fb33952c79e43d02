import * as wire from '@uemkit/protocol/wire';
import { MDM_CONTROLS, TWO_FACTOR_REGISTRATION, USER_PRIVACY } from './activation-types.ts';
import { personalApp, workApp } from './made-apps.ts';
import type { SystemDefinition } from './system-definition.ts';

/** iOS: the MDM daemon of the system is the agent, woken by APNs; the UEM Client only activates (F5.2). */
export const IOS: SystemDefinition = {
  id: 'ios',
  title: wire.PLATFORMS.ios.title,
  family: wire.PLATFORMS.ios.family,
  agent: 'mdm-daemon',
  pushService: 'apns',
  activationTypes: [MDM_CONTROLS, USER_PRIVACY, TWO_FACTOR_REGISTRATION],
  lockMaySetPassword: false,
  clearsDevicePassword: true,
  takesGeneratedPassword: false,
  managesWorkSpace: false,
  supervisable: true,
  wipesApplications: true,
  givesLogs: true,
  dynamicsApps: true,
  hardware: ['imei', 'udid', 'wifiMacAddress'],
  versions: ['17.7', '18.2', '18.3.1'],
  models: ['Emulated Handset 12', 'Emulated Handset 14', 'Emulated Slate 9'],
  storageMiB: [131_072, 262_144],
  commonApps: [personalApp('example.ios.calendar', 'Calendar', '18.0'), personalApp('example.ios.photos', 'Photos', '18.0')],
  rareApps: [
    personalApp('example.ios.music', 'Music', '5.5'),
    personalApp('example.ios.chess', 'Chess', '2.1'),
    personalApp('example.ios.news', 'News', '9.9'),
    personalApp('example.ios.health', 'Health', '4.0'),
  ],
  workApps: [workApp('example.ios.uem.client', 'UEM Client', '1.0.0')],
};
