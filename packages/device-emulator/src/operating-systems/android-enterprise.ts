import type { SystemDefinition } from './system-definition.ts';

/** Android Enterprise: the UEM Client is the agent, woken by FCM (F5.2). */
export const ANDROID_ENTERPRISE: SystemDefinition = {
  id: 'android-enterprise',
  title: 'Android Enterprise',
  family: 'Android',
  agent: 'uem-client',
  pushService: 'fcm',
  activationTypes: [
    {
      name: 'work-and-personal-user-privacy',
      workSpace: true,
      encryptsDevice: true,
      controlsDevicePassword: false,
      deletesDevice: false,
      seesPersonalApps: false,
    },
    {
      name: 'work-and-personal-full-control',
      workSpace: true,
      encryptsDevice: true,
      controlsDevicePassword: true,
      deletesDevice: true,
      seesPersonalApps: true,
    },
    { name: 'work-space-only', workSpace: true, encryptsDevice: true, controlsDevicePassword: true, deletesDevice: true, seesPersonalApps: true },
  ],
  lockMaySetPassword: true,
  versions: ['13', '14', '15'],
  models: ['Emulated Phone A', 'Emulated Phone B', 'Emulated Tablet A'],
  storageMiB: [65_536, 131_072, 262_144],
  commonApps: [
    { id: 'example.camera', name: 'Camera', version: '4.2.0', managed: false },
    { id: 'example.phone', name: 'Phone', version: '11.0.1', managed: false },
    { id: 'example.photos', name: 'Photos', version: '6.9.3', managed: false },
  ],
  rareApps: [
    { id: 'example.game', name: 'Game', version: '1.0.7', managed: false },
    { id: 'example.music', name: 'Music', version: '8.1.0', managed: false },
    { id: 'example.maps', name: 'Maps', version: '25.3.1', managed: false },
    { id: 'example.bank', name: 'Bank', version: '3.3.0', managed: false },
  ],
  workApps: [
    { id: 'example.uem.client', name: 'UEM Client', version: '1.0.0', managed: true },
    { id: 'example.work.mail', name: 'Work Mail', version: '2.4.0', managed: true },
  ],
};
