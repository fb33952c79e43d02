import type { DeviceState } from './device-state.ts';
import type { InstalledApp, SystemDefinition } from './system-definition.ts';

/** A number from 0 (inclusive) to `bound` (exclusive), fixed by the device and the name of the draw. */
export type Draw = (name: string, bound: number) => number;

function pick<T>(choices: readonly T[], index: number): T {
  const choice = choices[index];
  if (choice === undefined) throw new RangeError('nothing to choose from');
  return choice;
}

/** What is decided about a device before it is chosen by seed. */
export interface FactoryOptions {
  readonly serialNumber: string;
  /** SHA-256 in hex of the password that the user has set; absent: none. */
  readonly passwordHash?: string | undefined;
  /** The organisation prepared it for closer control, where the system knows that. */
  readonly supervised?: boolean | undefined;
  /** Its user has jailbroken or rooted it. */
  readonly compromised?: boolean | undefined;
}

/** The device as it leaves the factory: before activation, chosen by seed. */
export function factoryState(system: SystemDefinition, options: FactoryOptions, draw: Draw): DeviceState {
  const { serialNumber, passwordHash, supervised = false, compromised = false } = options;
  const rare = system.rareApps.filter((app: InstalledApp) => draw(`app ${app.id}`, 4) === 0);
  return {
    system: system.id,
    osVersion: pick(system.versions, draw('os version', system.versions.length)),
    model: pick(system.models, draw('model', system.models.length)),
    serialNumber,
    supervised: supervised && system.supervisable,
    locked: false,
    passwordHash,
    encrypted: false,
    policy: { revision: 0, content: {} },
    profiles: { revision: 0, content: {} },
    applications: { revision: 0, content: {} },
    apps: [...system.commonApps, ...rare],
    storageMiB: pick(system.storageMiB, draw('storage', system.storageMiB.length)),
    batteryPhase: draw('battery', 1000),
    compromised,
    personalData: true,
    commandsExecuted: 0,
  };
}
