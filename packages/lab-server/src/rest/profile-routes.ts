import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import { AdminProblem } from '../admin/problem.ts';
import type { ActivationProfileRecord } from '../state/profiles.ts';
import type { Route } from './rest-request.ts';
import { type BodySchema, checkBody } from './schemas.ts';

/** Longest poll interval on the wire, seconds. */
const MAX_INTERVAL_S = 31_536_000;

const seconds = (min: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(MAX_INTERVAL_S));

/** PUT /lab/v1/profiles/{guid} */
const profileBody: BodySchema<Omit<ActivationProfileRecord, 'profileId'>> = v.strictObject({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
  activationType: v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/, 'is not lower-case letters, digits and hyphens')),
  createWorkSpace: v.boolean(),
  encryptDevice: v.boolean(),
  pollIntervalS: seconds(1),
  pollJitterS: seconds(0),
  allowedDevices: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(1_000)),
});

/** Activation profiles (F1.1b). The documented API only refers to them by guid, so these routes are the lab's own. */
export function profileRoutes(admin: Administration): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/lab/v1/profiles',
      run: () => ({ status: 200, body: { profiles: [...admin.profiles()].map(profileView) } }),
    },
    {
      method: 'PUT',
      path: '/lab/v1/profiles/{guid}',
      json: true,
      async run({ parts, json }) {
        const profileId = parts['guid'] as string;
        if (!/^[a-z0-9-]{1,64}$/.test(profileId)) throw new AdminProblem('INVALID_PROPERTY', 'guid: is not lower-case letters, digits and hyphens');
        const profile: ActivationProfileRecord = { profileId, ...checkBody(profileBody, json) };
        await admin.putProfile(profile);
        return { status: 200, body: profileView(profile) };
      },
    },
  ];
}

function profileView({ profileId, policy: _policy, ...profile }: ActivationProfileRecord): object {
  return { guid: profileId, ...profile };
}
