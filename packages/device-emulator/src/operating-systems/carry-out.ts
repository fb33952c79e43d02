import type { wire } from '@uemkit/protocol';
import { updateApplications } from './behaviours/apps.ts';
import { type Behaviour, type BehaviourContext, type BehaviourResult, failed } from './behaviours/behaviour.ts';
import { updateComplianceStatus } from './behaviours/compliance.ts';
import { updateItPolicy, updateProfiles } from './behaviours/configuration.ts';
import { deleteDeviceData, deleteWorkSpaceData } from './behaviours/delete.ts';
import { requestDeviceInfo, requestInstalledApps } from './behaviours/inventory.ts';
import { lockDevice, unlockDevice } from './behaviours/lock.ts';
import type { DeviceState } from './device-state.ts';
import { activationTypeOf } from './system-definition.ts';
import { SYSTEMS } from './systems.ts';

/** Commands that emulated devices can carry out (F5.5), by type. */
export const BEHAVIOURS: ReadonlyMap<string, Behaviour> = new Map([
  ['LOCK_DEVICE', lockDevice],
  ['UNLOCK_DEVICE', unlockDevice],
  ['DELETE_WORK_SPACE_DATA', deleteWorkSpaceData],
  ['DELETE_DEVICE_DATA', deleteDeviceData],
  ['UPDATE_IT_POLICY', updateItPolicy],
  ['UPDATE_PROFILES', updateProfiles],
  ['UPDATE_APPLICATIONS', updateApplications],
  ['UPDATE_COMPLIANCE_STATUS', updateComplianceStatus],
  ['REQUEST_DEVICE_INFO', requestDeviceInfo],
  ['REQUEST_INSTALLED_APPS', requestInstalledApps],
]);

/** What the device needs from outside to carry a command out. */
export type Surroundings = Pick<BehaviourContext, 'nowMs' | 'sha256'>;

/** The command as far as the device cares. */
export interface CommandToCarryOut {
  readonly type: string;
  readonly properties: wire.WireDocument;
}

/** Carries one command out on `state`. Pure; a failure leaves the state as it was. */
export function carryOut(state: DeviceState, command: CommandToCarryOut, surroundings: Surroundings): BehaviourResult {
  const system = SYSTEMS[state.system];
  const behaviour = BEHAVIOURS.get(command.type);
  if (behaviour === undefined) return failed(state, `${system.title} does not know the command ${command.type}`);
  const activationType = state.activationType === undefined ? undefined : activationTypeOf(system, state.activationType);
  if (activationType === undefined) return failed(state, 'the device is not activated');
  return behaviour(state, command.properties, { system, activationType, ...surroundings });
}
