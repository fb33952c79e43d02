import type { SystemDefinition } from './system-definition.ts';

/** iOS: the MDM daemon of the system is the agent, woken by APNs; the UEM Client only activates (F5.2). */
export const IOS: SystemDefinition = {
  id: 'ios',
  title: 'iOS',
  family: 'iOS',
  agent: 'mdm-daemon',
  pushService: 'apns',
  activationTypes: [
    { name: 'mdm-controls', workSpace: false, encryptsDevice: true, controlsDevicePassword: true, deletesDevice: true, seesPersonalApps: true },
    { name: 'user-privacy', workSpace: false, encryptsDevice: false, controlsDevicePassword: false, deletesDevice: false, seesPersonalApps: false },
  ],
  lockMaySetPassword: false,
  versions: ['17.7', '18.2', '18.3.1'],
  models: ['Emulated Handset 12', 'Emulated Handset 14', 'Emulated Slate 9'],
  storageMiB: [131_072, 262_144],
  commonApps: [
    { id: 'example.ios.calendar', name: 'Calendar', version: '18.0', managed: false },
    { id: 'example.ios.photos', name: 'Photos', version: '18.0', managed: false },
  ],
  rareApps: [
    { id: 'example.ios.music', name: 'Music', version: '5.5', managed: false },
    { id: 'example.ios.chess', name: 'Chess', version: '2.1', managed: false },
    { id: 'example.ios.news', name: 'News', version: '9.9', managed: false },
    { id: 'example.ios.health', name: 'Health', version: '4.0', managed: false },
  ],
  workApps: [{ id: 'example.ios.uem.client', name: 'UEM Client', version: '1.0.0', managed: true }],
};
