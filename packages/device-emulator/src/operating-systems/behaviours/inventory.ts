import type * as wire from '@uemkit/protocol/wire';
import type { DeviceState } from '../device-state.ts';
import { hardwareIdentifier } from '../hardware-identifiers.ts';
import { type Behaviour, type BehaviourContext, done } from './behaviour.ts';

const CHARGING_CYCLE_MS = 20 * 3_600_000;

/** Battery level in percent: falls from full to a fifth over a charging cycle, then begins anew. A function of time, so nothing is stored. */
export function batteryLevel(state: DeviceState, nowMs: number): number {
  const inCycle = (nowMs / CHARGING_CYCLE_MS + state.batteryPhase / 1000) % 1;
  return 100 - Math.floor(inCycle * 80);
}

/** REQUEST_DEVICE_INFO: field names as in the REST API's user device, as far as they have one. */
export const requestDeviceInfo: Behaviour = (state, _properties, context) => {
  const { system, activationType, nowMs } = context;
  return done(state, {
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
    ...ofTheKind(state, context),
  });
};

/** What only some kinds of device have, or only some activation types show. */
function ofTheKind(state: DeviceState, { system, activationType, sha256 }: BehaviourContext): wire.WireDocument {
  const data: Record<string, wire.WireDocumentValue> = {};
  if (activationType.seesHardware) for (const kind of system.hardware) data[kind] = hardwareIdentifier(kind, state.serialNumber, sha256);
  if (system.supervisable) Object.assign(data, { supervised: state.supervised, lostMode: state.lostMode !== undefined });
  if (state.downloadedOsVersion !== undefined) data['downloadedOsVersion'] = state.downloadedOsVersion;
  if (state.workSpace !== undefined && system.managesWorkSpace && activationType.personalSide) {
    const { locked, enabled, passwordHash } = state.workSpace;
    Object.assign(data, { workSpaceLocked: locked, workSpaceEnabled: enabled, workSpacePasswordSet: passwordHash !== undefined });
  }
  return data;
}

/** REQUEST_INSTALLED_APPS: personal apps only where the activation type lets UEM see them. */
export const requestInstalledApps: Behaviour = (state, _properties, { activationType }) => {
  const visible = state.apps.filter((app) => app.managed || activationType.seesPersonalApps);
  return done(state, { applications: visible.map(({ id, name, version, managed }) => ({ id, name, version, managed })) });
};
