import { ANDROID_ENTERPRISE } from './android-enterprise.ts';
import { IOS } from './ios.ts';
import type { SystemDefinition, SystemId } from './system-definition.ts';

/** Every operating system that can be emulated, by id. */
export const SYSTEMS: Readonly<Record<SystemId, SystemDefinition>> = { 'android-enterprise': ANDROID_ENTERPRISE, ios: IOS };

export const SYSTEM_IDS: readonly SystemId[] = Object.keys(SYSTEMS) as SystemId[];
