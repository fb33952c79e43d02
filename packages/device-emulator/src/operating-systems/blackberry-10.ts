import * as wire from '@uemkit/protocol/wire';
import { WORK_AND_PERSONAL_REGULATED, WORK_SPACE_ONLY } from './activation-types.ts';
import { personalApp, workApp } from './made-apps.ts';
import type { SystemDefinition } from './system-definition.ts';

/** BlackBerry 10: the Enterprise Management Agent of the system is the agent, woken by the service of the Infrastructure (F5.2). */
export const BLACKBERRY_10: SystemDefinition = {
  id: 'blackberry-10',
  title: wire.PLATFORMS['blackberry-10'].title,
  family: wire.PLATFORMS['blackberry-10'].family,
  agent: 'enterprise-management-agent',
  pushService: 'bb10',
  activationTypes: [WORK_AND_PERSONAL_REGULATED, WORK_SPACE_ONLY],
  lockMaySetPassword: false,
  clearsDevicePassword: false,
  takesGeneratedPassword: false,
  managesWorkSpace: false,
  supervisable: false,
  wipesApplications: false,
  givesLogs: false,
  dynamicsApps: false,
  hardware: ['imei', 'wifiMacAddress'],
  versions: ['10.3.1', '10.3.2', '10.3.3'],
  models: ['Emulated Keyboard Phone 3', 'Emulated Square Phone 1'],
  storageMiB: [16_384, 32_768],
  commonApps: [personalApp('example.bb10.hub', 'Hub', '10.3.3'), personalApp('example.bb10.camera', 'Camera', '10.3.1')],
  rareApps: [
    personalApp('example.bb10.music', 'Music', '2.2.0'),
    personalApp('example.bb10.bricks', 'Bricks', '1.1.0'),
    personalApp('example.bb10.maps', 'Maps', '10.0.8'),
    personalApp('example.bb10.remember', 'Remember', '10.3.2'),
  ],
  workApps: [workApp('example.bb10.work.browser', 'Work Browser', '10.3.3')],
};
