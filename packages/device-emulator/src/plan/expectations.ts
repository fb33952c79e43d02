import { type CommandDefinition, commandDefinition, reaches } from '@uemkit/protocol';
import type { CommandEntry, Expectation } from '../scenario/scenario.ts';

/** What of a planned device decides about commands. */
interface CommandedDevice {
  readonly system: string;
  readonly activationType: string;
  readonly supervised: boolean;
  readonly hasDevicePassword: boolean;
}

/** What earlier commands of the plan leave behind on a device, as far as it decides about later ones. */
interface Expected {
  hasPassword: boolean;
  isInLostMode: boolean;
}

/**
 * Works out what is to become of the commands of a plan by the table of commands (docs/commands.md): neither UEM nor a device is asked, so a mistake of either shows. Goes through the
 * steps in their order, because a lock without effect and one that locks differ by what was sent before.
 */
export class Expectations {
  readonly #devices: readonly CommandedDevice[];
  // BOUNDED by the devices.
  readonly #expected: Map<number, Expected> = new Map();
  /** Equal lists are one. BOUNDED by the combinations that a step has. */
  readonly #lists: Map<string, readonly Expectation[]> = new Map();

  constructor(devices: readonly CommandedDevice[]) {
    this.#devices = devices;
  }

  /** For each of `indexes` what is to become of each command; steps have to be asked for in the order in which they are due. */
  ofStep(send: readonly CommandEntry[], indexes: readonly number[]): readonly (readonly Expectation[])[] {
    return indexes.map((index) => {
      const device = this.#devices[index] as CommandedDevice;
      const expected = this.#expected.get(index) ?? { hasPassword: device.hasDevicePassword, isInLostMode: false };
      this.#expected.set(index, expected);
      const list = send.map((entry) => {
        const expectation = entry.expect ?? expectationOf(entry, device, expected);
        if (expectation === 'done') remember(entry, expected);
        return expectation;
      });
      const key = list.join();
      const same = this.#lists.get(key) ?? list;
      this.#lists.set(key, same);
      return same;
    });
  }
}

function expectationOf({ command: type, properties }: CommandEntry, device: CommandedDevice, { hasPassword, isInLostMode }: Expected): Expectation {
  const definition = commandDefinition(type) as CommandDefinition;
  const isBeyond = (reach: CommandDefinition['reach']): boolean => reaches(reach, device.system, device.activationType) === 'no';
  if (isBeyond(definition.reach)) return 'refusedByUem';
  if (Object.keys(properties).some((name) => isBeyond(definition.properties[name]?.reach ?? definition.reach))) return 'refusedByUem';
  // No Dynamics app is active on an emulated device.
  if (definition.carriedOutBy === 'application') return 'refusedByDevice';
  if (definition.supervisedOnly === true && !device.supervised) return 'refusedByDevice';
  if (type === 'LOCK_DEVICE' && !hasPassword && properties['password'] === undefined) return 'noEffect';
  if (type === 'DISABLE_LOST_MODE' && !isInLostMode) return 'noEffect';
  return 'done';
}

function remember({ command: type, properties }: CommandEntry, expected: Expected): void {
  if (type === 'GENERATE_DEVICE_PASSWORD_AND_LOCK' || (type === 'LOCK_DEVICE' && properties['password'] !== undefined)) expected.hasPassword = true;
  if (type === 'UNLOCK_DEVICE') expected.hasPassword = false;
  if (type === 'ENABLE_LOST_MODE') expected.isInLostMode = true;
  if (type === 'DISABLE_LOST_MODE') expected.isInLostMode = false;
}
