import { ProtocolError } from '@uemkit/protocol';
import type { AdminApi } from '../admin/admin-api.ts';
import { forEachBounded } from '../concurrency/for-each-bounded.ts';
import { derivedPassword } from '../fleet/derived-key-store.ts';
import type { Plan, PlannedDevice } from '../plan/plan.ts';
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

/** @throws ProtocolError `ERR_USAGE_ARGUMENT` when the server has no profile for a type */
export async function findProfiles(api: AdminApi, plan: Plan): Promise<ProfileGuids> {
  const guids = new Map<string, string>();
  for (const type of new Set(plan.devices.map(({ activationType }) => activationType))) {
    const guid = await api.profileFor(type);
    if (guid === undefined) throw new ProtocolError('ERR_USAGE_ARGUMENT', `the server has no activation profile with the activation type ${type}`);
    guids.set(type, guid);
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
      `the server has a user ${userId} already: fleet ${plan.fleetId} has run against it before. Resume that run, take another --seed, or a fresh server`,
    );
  }
  if (credential === 'password') await api.setPassword(guid, derivedPassword(draw, index), profiles.get(activationType));
  // Last, so that after a crash both steps are made again.
  await state.putUserGuid(index, guid);
}
