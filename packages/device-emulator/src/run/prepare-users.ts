import { ProtocolError, toHex } from '@uemkit/protocol';
import type { AdminApi } from '../admin/admin-api.ts';
import { forEachBounded } from '../concurrency/for-each-bounded.ts';
import { derivedPassword } from '../fleet/derived-key-store.ts';
import { type ActivationTypeDefinition, activationTypeOf } from '../operating-systems/system-definition.ts';
import { SYSTEMS } from '../operating-systems/systems.ts';
import type { Plan } from '../plan/plan.ts';
import type { PlannedDevice } from '../plan/planned-device.ts';
import type { SeededDraw } from '../plan/seeded-draw.ts';
import type { Progress } from './progress.ts';
import type { RunState } from './run-state.ts';

const WIDTH = 8;

export interface PrepareOptions {
  readonly api: AdminApi;
  readonly state: RunState;
  readonly plan: Plan;
  readonly draw: SeededDraw;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** This run has been started before, so users of its own may be there already. */
  readonly resumed: boolean;
}

/** Guid of the activation profile of each activation type that the plan needs. */
export type ProfileGuids = ReadonlyMap<string, string>;

/** Makes an activation profile for each activation type of the plan (F1.1b), with the poll interval of the scenario. */
export async function putProfiles(api: AdminApi, plan: Plan, draw: SeededDraw): Promise<ProfileGuids> {
  const { populations, poll } = plan.scenario;
  const guids = new Map<string, string>();
  for (const { operatingSystem, activationType } of populations) {
    if (guids.has(activationType)) continue;
    const type = activationTypeOf(SYSTEMS[operatingSystem], activationType) as ActivationTypeDefinition;
    const guid = `emulator-${toHex(draw.bytes(`profile ${activationType}`)).slice(0, 16)}`;
    await api.putProfile(guid, {
      name: `${plan.fleetId} ${activationType}`,
      activationType,
      createWorkSpace: type.workSpace,
      encryptDevice: type.encryptsDevice,
      pollIntervalS: poll.intervalMs / 1_000,
      pollJitterS: poll.jitterMs / 1_000,
      allowedDevices: 1,
    });
    guids.set(activationType, guid);
  }
  return guids;
}

/**
 * Adds a user for each planned device and sets the activation password (F1.1). Passwords come from the seed; QR codes are made when the device activates.
 * @throws ProtocolError `ERR_USAGE_STATE` when the server has users of this fleet from another run
 */
export async function prepareUsers(options: PrepareOptions, profiles: ProfileGuids): Promise<void> {
  const { state, plan, progress, signal } = options;
  const missing = plan.devices.filter(({ index }) => state.userGuid(index) === undefined);
  let done = 0;
  await forEachBounded(missing, WIDTH, async (device) => {
    signal.throwIfAborted();
    await prepareUser(device, options, profiles);
    progress.step(++done, missing.length, 'users added');
  });
}

async function prepareUser(device: PlannedDevice, { api, state, plan, draw, resumed }: PrepareOptions, profiles: ProfileGuids): Promise<void> {
  const { index, userId, credential, activationType } = device;
  const { guid, existed } = await api.createUser(userId);
  if (existed && !resumed) {
    throw new ProtocolError(
      'ERR_USAGE_STATE',
      `the server has a user ${userId} already: fleet ${plan.fleetId} has run against it before. Take another --seed or a fresh server; a run that was interrupted goes on with device-emulator resume`,
    );
  }
  if (credential === 'password') await api.setPassword(guid, derivedPassword(draw, index), profiles.get(activationType) as string);
  // Last, so that after a crash both steps are made again.
  await state.putUserGuid(index, guid);
}
