import * as wire from '@uemkit/protocol/wire';
import { MDM_CONTROLS } from './activation-types.ts';
import { personalApp, workApp } from './made-apps.ts';
import type { SystemDefinition } from './system-definition.ts';

/**
 * macOS: the MDM daemon of the system is the agent, woken by APNs (F5.2). A Mac has no UEM Client: its user activates it in Self-Service (F2). The
 * emulator takes the same credentials to the same exchange as for other kinds; the browser and the log-in at Self-Service are not emulated.
 */
export const MACOS: SystemDefinition = {
  id: 'macos',
  title: wire.PLATFORMS.macos.title,
  family: wire.PLATFORMS.macos.family,
  agent: 'mdm-daemon',
  pushService: 'apns',
  activationTypes: [MDM_CONTROLS],
  lockMaySetPassword: false,
  clearsDevicePassword: false,
  takesGeneratedPassword: false,
  managesWorkSpace: false,
  supervisable: false,
  wipesApplications: false,
  givesLogs: false,
  dynamicsApps: false,
  hardware: ['udid', 'wifiMacAddress'],
  versions: ['13.7', '14.6', '15.3'],
  models: ['Emulated Notebook 13', 'Emulated Notebook 16'],
  storageMiB: [524_288, 1_048_576],
  commonApps: [personalApp('example.mac.mail', 'Mail', '16.0'), personalApp('example.mac.photos', 'Photos', '9.0')],
  rareApps: [
    personalApp('example.mac.editor', 'Editor', '1.96'),
    personalApp('example.mac.music', 'Music', '1.5'),
    personalApp('example.mac.chess', 'Chess', '3.18'),
    personalApp('example.mac.drawing', 'Drawing', '7.3'),
  ],
  workApps: [workApp('example.mac.work.browser', 'Work Browser', '3.2.0')],
};
