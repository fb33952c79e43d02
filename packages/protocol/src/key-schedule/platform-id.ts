/** The parts of a platform id (docs/protocol/08-identity.md, 8.10). */
export interface PlatformIdParts {
  /** The operating system, and the space of the device that the app is in: apps of one space have the same. */
  readonly platform: string;
  readonly packageName: string;
  /** SHA-256 of the signer's certificate, 64 hexadecimal digits. */
  readonly signer: string;
}

const PLATFORM_ID = /^([a-z0-9-]+):([^:]+):([0-9a-f]{64})$/;

/** Takes a platform id apart; undefined for what is none. */
export function platformIdParts(id: string): PlatformIdParts | undefined {
  const [, platform, packageName, signer] = PLATFORM_ID.exec(id) ?? [];
  return platform === undefined ? undefined : ({ platform, packageName, signer } as PlatformIdParts);
}

/** True when both are apps in one space of a device, for example in its Knox Workspace. What is no platform id is in none. */
export function isSameSpace(a: string, b: string): boolean {
  const [one, other] = [platformIdParts(a), platformIdParts(b)];
  // check: 08 spaces of a device
  return one !== undefined && one.platform === other?.platform;
}
