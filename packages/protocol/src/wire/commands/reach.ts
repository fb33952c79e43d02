import { PLATFORMS, type PlatformId, REGISTRATION } from '../platforms.ts';
import type { CommandReach, Provenance } from './command-definition.ts';

/** `activationTypes` of each of `platforms`, as far as the platform has them. */
export function on(platforms: readonly PlatformId[], activationTypes: readonly string[], status: Provenance): readonly CommandReach[] {
  return platforms.map((platform) => {
    const known = PLATFORMS[platform].activationTypes;
    return { platform, activationTypes: known.filter((type) => activationTypes.includes(type)), status };
  });
}

/** Every activation type of each of `platforms` that manages the device. */
export function onManaged(platforms: readonly PlatformId[], status: Provenance): readonly CommandReach[] {
  return platforms.map((platform) => ({ platform, activationTypes: PLATFORMS[platform].activationTypes.filter((type) => type !== REGISTRATION), status }));
}

/** Every device that UEM knows. */
export function onAll(status: Provenance): readonly CommandReach[] {
  return ALL.map((platform) => ({ platform, activationTypes: PLATFORMS[platform].activationTypes, status }));
}

/** All kinds of device. */
export const ALL: readonly PlatformId[] = Object.keys(PLATFORMS) as PlatformId[];
/** The kinds on which the UEM Client itself is the agent. */
export const ANDROID: readonly PlatformId[] = ['android-mdm-controls', 'android-enterprise', 'samsung-knox'];
/** Those with a work space that can be handled apart from the device. */
export const ANDROID_WORK_SPACE: readonly PlatformId[] = ['android-enterprise', 'samsung-knox'];

/** Activation types in which UEM controls the device itself. */
export const DEVICE_CONTROL: readonly string[] = ['mdm-controls', 'work-and-personal-full-control', 'work-space-only', 'work-and-personal-regulated'];
/** Activation types with a work space beside a personal side. */
export const WORK_AND_PERSONAL: readonly string[] = ['work-and-personal-user-privacy', 'work-and-personal-full-control'];

/** One list; of two entries for a platform the later one counts. */
export function together(...lists: readonly (readonly CommandReach[])[]): readonly CommandReach[] {
  return [...new Map(lists.flat().map((entry) => [entry.platform, entry])).values()];
}
