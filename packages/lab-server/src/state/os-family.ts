/** Families of operating systems, as assignments and rules name them. */
export const OS_FAMILIES = ['ANDROID', 'IOS', 'MACOS', 'WINDOWS', 'BLACKBERRY_10'] as const;

export type OsFamily = (typeof OS_FAMILIES)[number];

const BEGINNINGS: readonly (readonly [string, OsFamily])[] = [
  ['android', 'ANDROID'],
  ['samsung', 'ANDROID'],
  ['ios', 'IOS'],
  ['macos', 'MACOS'],
  ['windows', 'WINDOWS'],
  ['blackberry', 'BLACKBERRY_10'],
  ['bb10', 'BLACKBERRY_10'],
];

/** Family of what a device calls its platform (F1.3); undefined for a platform that nobody knows. */
export function osFamilyOf(platform: string): OsFamily | undefined {
  return BEGINNINGS.find(([beginning]) => platform.startsWith(beginning))?.[1];
}
