import * as wire from '@uemkit/protocol/wire';
import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import { MAX_PROFILE_ENTRIES } from '../admin/check-profile.ts';
import { NO_VERSION, VERSION } from '../configuration/compare-versions.ts';
import type { ActivationProfileRecord } from '../state/profiles.ts';
import { type BodySchema, component, guidText, type ViewSchema } from './components.ts';
import { PROFILE_PART } from './parts.ts';
import { type Route, route } from './route.ts';

/** Longest poll interval on the wire, seconds. */
const MAX_INTERVAL_S = 31_536_000;

const seconds = (min: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(MAX_INTERVAL_S));

const typeName = v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/, 'is not lower-case letters, digits and hyphens'));
const kind = v.picklist(Object.keys(wire.PLATFORMS), 'is no kind of device');
const CHOICE = { activationType: typeName, createWorkSpace: v.boolean(), encryptDevice: v.boolean() };

const FIELDS = {
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
  ...CHOICE,
  pollIntervalS: seconds(1),
  pollJitterS: seconds(0),
  allowedDevices: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(1_000)),
  ownership: v.optional(v.picklist(['notSpecified', 'work', 'personal'])),
  organizationNotice: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(4_096))),
  deviceKinds: v.optional(v.pipe(v.array(kind), v.minLength(1), v.maxLength(MAX_PROFILE_ENTRIES))),
  activationTypes: v.optional(v.record(kind, v.pipe(v.array(component('ActivationTypeChoice', v.strictObject(CHOICE))), v.minLength(1), v.maxLength(16)))),
  modelRestriction: v.optional(
    v.strictObject({
      rule: v.picklist(['allow', 'disallow']),
      models: v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(64))), v.minLength(1), v.maxLength(MAX_PROFILE_ENTRIES)),
    }),
  ),
  minimumOsVersions: v.optional(v.record(kind, v.pipe(v.string(), v.regex(VERSION, NO_VERSION)))),
};

/** PUT /lab/v1/profiles/{guid} */
const profileBody: BodySchema<Omit<ActivationProfileRecord, 'profileId'>> = component('NewActivationProfile', v.strictObject(FIELDS));

const profileAnswer: ViewSchema = component('ActivationProfile', v.strictObject({ guid: guidText, ...FIELDS }));
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
      id: 'getActivationProfile',
      method: 'GET',
      path: '/lab/v1/profiles/{guid}',
      summary: 'Shows one activation profile',
      tag: 'lab',
      role: 'readOnly',
      parts: { guid: PROFILE_PART },
      answers: { 200: { schema: profileAnswer } },
      problems: ['PROFILE_NOT_FOUND'],
      run: ({ parts }) => ({ status: 200, body: profileView(admin.profile(parts.guid)) }),
    }),
    route({
      id: 'deleteActivationProfile',
      method: 'DELETE',
      path: '/lab/v1/profiles/{guid}',
      summary: 'Deletes an activation profile; passwords and QR codes that were made for it expire',
      tag: 'lab',
      role: 'administrator',
      parts: { guid: PROFILE_PART },
      answers: { 204: {} },
      problems: ['PROFILE_NOT_FOUND', 'PROFILE_IN_USE'],
      async run({ parts }) {
        await admin.deleteProfile(parts.guid);
        return { status: 204 };
      },
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
