import type { DeviceState } from '../device-state.ts';
import { type Behaviour, done, failed } from './behaviour.ts';

/** The state without anything that UEM has put on the device. */
export function withoutWorkData(state: DeviceState): DeviceState {
  return {
    ...state,
    workSpace: undefined,
    activationType: undefined,
    // Lost mode is control by an organisation that the device belongs to no more.
    locked: state.lostMode === undefined ? state.locked : state.passwordHash !== undefined,
    lostMode: undefined,
    apps: state.apps.filter((app) => !app.managed),
    policy: { revision: 0, content: {} },
    profiles: { revision: 0, content: {} },
    applications: { revision: 0, content: {} },
    compliance: undefined,
  };
}

/** DELETE_WORK_SPACE_DATA: deletes only work data; the device is not managed any more, personal data stays. */
export const deleteWorkSpaceData: Behaviour = (state) => ({ state: withoutWorkData(state), outcome: { status: 'done' }, leaves: true });

/** DELETE_DEVICE_DATA: back to the state in which the device left the factory, where the activation type allows that. */
export const deleteDeviceData: Behaviour = (state, _properties, { activationType, system }) => {
  if (!activationType.deletesDevice) return failed(state, `activation type ${activationType.name} lets UEM delete work data only`);
  const empty: DeviceState = {
    ...withoutWorkData(state),
    locked: false,
    lockMessage: undefined,
    passwordHash: undefined,
    downloadedOsVersion: undefined,
    personalData: false,
    apps: system.commonApps.map((app) => ({ ...app, hasData: false })),
  };
  return { state: empty, outcome: { status: 'done' }, leaves: true };
};

/** WIPE_APPLICATIONS: deletes the data of the managed apps; the apps stay, and the device stays activated. */
export const wipeApplications: Behaviour = (state, _properties, { system }) => {
  if (!system.wipesApplications) return failed(state, `${system.title} does not wipe apps apart from the device`);
  const wiped = state.apps.filter((app) => app.managed && app.hasData).length;
  return done({ ...state, apps: state.apps.map((app) => (app.managed ? { ...app, hasData: false } : app)) }, { wiped });
};
