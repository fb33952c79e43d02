import type * as wire from '@uemkit/protocol/wire';
import { toPlain } from './behaviours/configuration.ts';
import type { DeviceState } from './device-state.ts';
import { activationTypeOf, type InstalledApp } from './system-definition.ts';
import { SYSTEMS } from './systems.ts';

/** The state after the configuration of F1.5, or why it cannot be applied. */
export type Configured = { readonly state: DeviceState } | { readonly refusal: string };

/** Applies the device configuration (F1.5). Pure and idempotent: the same configuration on the result changes nothing. */
export function configureDevice(state: DeviceState, configuration: wire.DeviceConfiguration, nowMs: number): Configured {
  const system = SYSTEMS[state.system];
  const type = activationTypeOf(system, configuration.activationType);
  if (type === undefined) return { refusal: `${system.title} has no activation type ${configuration.activationType}` };
  if (configuration.createWorkSpace && !type.workSpace) return { refusal: `activation type ${type.name} has no work space` };
  const { lastMajorVersion } = type;
  if (lastMajorVersion !== undefined && Number.parseInt(state.osVersion, 10) > lastMajorVersion) {
    return { refusal: `activation type ${type.name} ends with ${system.family} ${lastMajorVersion}, and the device has ${state.osVersion}` };
  }
  const workSpace = configuration.createWorkSpace ? (state.workSpace ?? { locked: false, enabled: true, createdAtMs: nowMs }) : undefined;
  const installed = new Set(state.apps.map((app: InstalledApp) => app.id));
  return {
    state: {
      ...state,
      activationType: type.name,
      encrypted: state.encrypted || configuration.encryptDevice,
      workSpace,
      apps: type.managed ? [...state.apps, ...system.workApps.filter((app) => !installed.has(app.id))] : state.apps,
      // An activation begins anew: what UEM keeps on the device comes by updates (F5), the whole of it first.
      policy: { revision: 0, content: toPlain(configuration.policy ?? {}) },
      profiles: { revision: 0, content: {} },
      applications: { revision: 0, content: {} },
      compliance: undefined,
    },
  };
}
