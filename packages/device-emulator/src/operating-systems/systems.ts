import { ANDROID_ENTERPRISE } from './android-enterprise.ts';
import { ANDROID_MDM_CONTROLS } from './android-mdm-controls.ts';
import { BLACKBERRY_10 } from './blackberry-10.ts';
import { IOS } from './ios.ts';
import { MACOS } from './macos.ts';
import { SAMSUNG_KNOX } from './samsung-knox.ts';
import type { SystemDefinition, SystemId } from './system-definition.ts';
import { WINDOWS_10 } from './windows-10.ts';

/** Every operating system that can be emulated, by id. */
export const SYSTEMS: Readonly<Record<SystemId, SystemDefinition>> = {
  ios: IOS,
  macos: MACOS,
  'android-mdm-controls': ANDROID_MDM_CONTROLS,
  'android-enterprise': ANDROID_ENTERPRISE,
  'samsung-knox': SAMSUNG_KNOX,
  'windows-10': WINDOWS_10,
  'blackberry-10': BLACKBERRY_10,
};

export const SYSTEM_IDS: readonly SystemId[] = Object.keys(SYSTEMS) as SystemId[];
