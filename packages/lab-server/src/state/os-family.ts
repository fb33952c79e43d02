import * as wire from '@uemkit/protocol/wire';

/** Families of operating systems, as assignments and rules name them. */
export const OS_FAMILIES = ['ANDROID', 'IOS', 'MACOS', 'WINDOWS', 'BLACKBERRY_10'] as const;

export type OsFamily = (typeof OS_FAMILIES)[number];

/** Family of what a device calls its platform (F1.3); undefined for a platform that nobody knows. */
export function osFamilyOf(platform: string): OsFamily | undefined {
  const name = wire.platformOf(platform)?.family.toUpperCase().replaceAll(' ', '_');
  return OS_FAMILIES.find((family) => family === name);
}
