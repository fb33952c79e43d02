import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import type { ActivationProfileRecord } from '../state/profiles.ts';
import { type BodySchema, component, guidText, type ViewSchema } from './components.ts';
import { PROFILE_PART } from './parts.ts';
import { type Route, route } from './route.ts';

/** Longest poll interval on the wire, seconds. */
const MAX_INTERVAL_S = 31_536_000;

const seconds = (min: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(MAX_INTERVAL_S));

const FIELDS = {
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
  activationType: v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/, 'is not lower-case letters, digits and hyphens')),
  createWorkSpace: v.boolean(),
  encryptDevice: v.boolean(),
  pollIntervalS: seconds(1),
  pollJitterS: seconds(0),
  allowedDevices: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(1_000)),
};

/** PUT /lab/v1/profiles/{guid} */
const profileBody: BodySchema<Omit<ActivationProfileRecord, 'profileId'>> = component('NewActivationProfile', v.strictObject(FIELDS));

const profileAnswer: ViewSchema = component('ActivationProfile', v.strictObject({ guid: guidText, ...FIELDS, organizationNotice: v.optional(v.string()) }));
const profilesAnswer: ViewSchema = component('ActivationProfiles', v.strictObject({ profiles: v.array(profileAnswer) }));

/** Activation profiles (F1.1b). The documented API only refers to them by guid, so these routes are the lab's own. */
export function profileRoutes(admin: Administration): readonly Route[] {
  return [
    route({
      id: 'listActivationProfiles',
      method: 'GET',
      path: '/lab/v1/profiles',
      summary: 'Lists activation profiles',
      tag: 'lab',
      role: 'readOnly',
      answers: { 200: { schema: profilesAnswer } },
      run: () => ({ status: 200, body: { profiles: [...admin.profiles()].map(profileView) } }),
    }),
    route({
      id: 'putActivationProfile',
      method: 'PUT',
      path: '/lab/v1/profiles/{guid}',
      summary: 'Creates or replaces an activation profile',
      tag: 'lab',
      role: 'administrator',
      parts: { guid: PROFILE_PART },
      body: { schema: profileBody },
      answers: { 200: { schema: profileAnswer } },
      async run({ parts, body }) {
        const profile: ActivationProfileRecord = { profileId: parts.guid, ...body };
        await admin.putProfile(profile);
        return { status: 200, body: profileView(profile) };
      },
    }),
  ];
}

function profileView({ profileId, policy: _policy, ...profile }: ActivationProfileRecord): object {
  return { guid: profileId, ...profile };
}
