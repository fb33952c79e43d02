import type * as wire from '@uemkit/protocol/wire';
import { commandForApplication } from './behaviours/application.ts';
import { updateApplications } from './behaviours/apps.ts';
import { type Behaviour, type BehaviourContext, type BehaviourResult, failed } from './behaviours/behaviour.ts';
import { updateComplianceStatus } from './behaviours/compliance.ts';
import { updateItPolicy, updateProfiles } from './behaviours/configuration.ts';
import { deleteDeviceData, deleteWorkSpaceData, wipeApplications } from './behaviours/delete.ts';
import { requestDeviceInfo, requestInstalledApps } from './behaviours/inventory.ts';
import { generateDevicePasswordAndLock, lockDevice, unlockDevice } from './behaviours/lock.ts';
import { getDeviceLogs } from './behaviours/logs.ts';
import { disableLostMode, enableLostMode, updateDeviceOs } from './behaviours/supervised.ts';
import { disableWorkSpace, enableWorkSpace, lockWorkSpace, resetWorkSpacePassword } from './behaviours/work-space.ts';
import type { DeviceState } from './device-state.ts';
import { activationTypeOf } from './system-definition.ts';
import { SYSTEMS } from './systems.ts';

/** Commands that emulated devices can carry out (F5.5), by type. REMOVE_DEVICE is none of them: UEM waits for no device there. */
export const BEHAVIOURS: ReadonlyMap<string, Behaviour> = new Map([
  ['LOCK_DEVICE', lockDevice],
  ['GENERATE_DEVICE_PASSWORD_AND_LOCK', generateDevicePasswordAndLock],
  ['UNLOCK_DEVICE', unlockDevice],
  ['DELETE_WORK_SPACE_DATA', deleteWorkSpaceData],
  ['DELETE_DEVICE_DATA', deleteDeviceData],
  ['ENABLE_LOST_MODE', enableLostMode],
  ['DISABLE_LOST_MODE', disableLostMode],
  ['UPDATE_DEVICE_OS', updateDeviceOs],
  ['WIPE_APPLICATIONS', wipeApplications],
  ['LOCK_WORK_SPACE', lockWorkSpace],
  ['RESET_WORK_SPACE_PASSWORD', resetWorkSpacePassword],
  ['ENABLE_WORK_SPACE', enableWorkSpace],
  ['DISABLE_WORK_SPACE', disableWorkSpace],
  ['LOCK_APPLICATION', commandForApplication],
  ['DELETE_APPLICATION', commandForApplication],
  ['ATTEST_APPLICATION', commandForApplication],
  ['BLOCK_APPLICATION', commandForApplication],
  ['UNBLOCK_APPLICATION', commandForApplication],
  ['UPDATE_IT_POLICY', updateItPolicy],
  ['UPDATE_PROFILES', updateProfiles],
  ['UPDATE_APPLICATIONS', updateApplications],
  ['UPDATE_COMPLIANCE_STATUS', updateComplianceStatus],
  ['REQUEST_DEVICE_INFO', requestDeviceInfo],
  ['REQUEST_INSTALLED_APPS', requestInstalledApps],
  ['GET_DEVICE_LOGS', getDeviceLogs],
]);

/** Commands for which the device reads its execution log. */
export const READS_EXECUTIONS: ReadonlySet<string> = new Set(['GET_DEVICE_LOGS']);

/** What a device that is only registered answers. */
const KNOWN_ONLY: ReadonlySet<string> = new Set(['REQUEST_DEVICE_INFO']);

/** What the device needs from outside to carry a command out. */
export type Surroundings = Pick<BehaviourContext, 'nowMs' | 'sha256'> & Partial<Pick<BehaviourContext, 'executions'>>;

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
  if (!activationType.managed && !KNOWN_ONLY.has(command.type)) return failed(state, `activation type ${activationType.name} only registers the device`);
  return behaviour(state, command.properties, { system, activationType, executions: [], ...surroundings });
}
