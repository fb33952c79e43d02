import type { wire } from '@uemkit/protocol';
import type { DeviceState } from '../device-state.ts';
import { type Behaviour, done } from './behaviour.ts';

const CHARGING_CYCLE_MS = 20 * 3_600_000;

/** Battery level in percent: falls from full to a fifth over a charging cycle, then begins anew. A function of time, so nothing is stored. */
export function batteryLevel(state: DeviceState, nowMs: number): number {
  const inCycle = (nowMs / CHARGING_CYCLE_MS + state.batteryPhase / 1000) % 1;
  return 100 - Math.floor(inCycle * 80);
}

/** REQUEST_DEVICE_INFO: field names as in the REST API's user device, as far as they have one. */
export const requestDeviceInfo: Behaviour = (state, _properties, { system, activationType, nowMs }) => {
  const data: Record<string, wire.WireDocumentValue> = {
    os: system.title,
    osFamilyName: system.family,
    osVersion: state.osVersion,
    hardwareModel: state.model,
    serialNumber: state.serialNumber,
    activationType: activationType.name,
    batteryLevel: batteryLevel(state, nowMs),
    storageMiB: state.storageMiB,
    compromised: state.compromised,
    encrypted: state.encrypted,
    locked: state.locked,
    passwordSet: state.passwordHash !== undefined,
    workSpace: state.workSpace !== undefined,
    policyRevision: state.policy.revision,
    profileRevision: state.profiles.revision,
    applicationRevision: state.applications.revision,
  };
  return done(state, data);
};

/** REQUEST_INSTALLED_APPS: personal apps only where the activation type lets UEM see them. */
export const requestInstalledApps: Behaviour = (state, _properties, { activationType }) => {
  const visible = state.apps.filter((app) => app.managed || activationType.seesPersonalApps);
  return done(state, { applications: visible.map(({ id, name, version, managed }) => ({ id, name, version, managed })) });
};
