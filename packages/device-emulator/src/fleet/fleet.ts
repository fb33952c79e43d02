import { forEachBounded } from '../concurrency/for-each-bounded.ts';
import type { Plan } from '../plan/plan.ts';
import { FleetDevice, type FleetSurroundings } from './fleet-device.ts';

/** Devices that are opened or closed at the same time. */
const WIDTH = 32;

/** All devices of a run, by index. */
export class Fleet {
  readonly #devices: ReadonlyMap<number, FleetDevice>;

  private constructor(devices: ReadonlyMap<number, FleetDevice>) {
    this.#devices = devices;
  }

  /** Opens every device: those that were activated before go on, an activation that was interrupted after A6 is confirmed. */
  static async open(plan: Plan, surroundings: FleetSurroundings, failed: (index: number, error: unknown) => void, signal: AbortSignal): Promise<Fleet> {
    const devices = new Map<number, FleetDevice>();
    await forEachBounded(plan.devices, WIDTH, async (planned) => {
      const device = await FleetDevice.open(planned, surroundings);
      devices.set(planned.index, device);
      try {
        await device.open({ signal });
      } catch (error) {
        // The confirmation is made up for by the activation driver; a device that cannot reach its server is not lost.
        if (!signal.aborted) failed(planned.index, error);
      }
    });
    return new Fleet(devices);
  }

  device(index: number): FleetDevice {
    const device = this.#devices.get(index);
    if (device === undefined) throw new RangeError(`the fleet has no device ${index}`);
    return device;
  }

  get devices(): Iterable<FleetDevice> {
    return this.#devices.values();
  }

  /** Ends all devices; their state is saved already. */
  async close(): Promise<void> {
    await forEachBounded(this.#devices.values(), WIDTH, (device) => device.close());
  }
}
