import * as wire from '@uemkit/protocol/wire';
import { MDM_CONTROLS } from './activation-types.ts';
import { personalApp, workApp } from './made-apps.ts';
import type { SystemDefinition } from './system-definition.ts';

/** Windows 10: the MDM daemon of the system is the agent, woken by WNS (F5.2). */
export const WINDOWS_10: SystemDefinition = {
  id: 'windows-10',
  title: wire.PLATFORMS['windows-10'].title,
  family: wire.PLATFORMS['windows-10'].family,
  agent: 'mdm-daemon',
  pushService: 'wns',
  activationTypes: [MDM_CONTROLS],
  lockMaySetPassword: false,
  clearsDevicePassword: false,
  takesGeneratedPassword: true,
  managesWorkSpace: false,
  supervisable: false,
  wipesApplications: false,
  givesLogs: false,
  dynamicsApps: false,
  hardware: ['wifiMacAddress'],
  versions: ['10.0.18363', '10.0.19044', '10.0.19045'],
  models: ['Emulated Laptop 5', 'Emulated Laptop 7'],
  storageMiB: [262_144, 524_288],
  commonApps: [personalApp('example.windows.browser', 'Browser', '120.0'), personalApp('example.windows.mail', 'Mail', '16.5')],
  rareApps: [
    personalApp('example.windows.paint', 'Paint', '11.2'),
    personalApp('example.windows.cards', 'Cards', '4.19'),
    personalApp('example.windows.player', 'Player', '3.0.20'),
    personalApp('example.windows.terminal', 'Terminal', '1.21'),
  ],
  workApps: [workApp('example.windows.work.files', 'Work Files', '1.3.0')],
};
