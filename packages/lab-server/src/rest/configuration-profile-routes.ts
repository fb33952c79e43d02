import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import type { NewConfigurationProfile } from '../admin/configuration-profile-administration.ts';
import { PROFILE_CONTENTS, SECRET_FIELDS } from '../configuration/profile-contents.ts';
import {
  type ConfigurationProfileRecord,
  isDefaultProfile,
  isRanked,
  type ProfileKind,
  RANKED_KINDS,
  UNRANKED_KINDS,
} from '../state/configuration-profiles.ts';
import { decodeDocument } from '../state/inventory.ts';
import { type BodySchema, component, guidText, line, linksView, pageView, timeText, type ViewSchema } from './components.ts';
import { pageLinks, pageOf } from './paging.ts';
import { CONFIGURATION_PROFILE_PART } from './parts.ts';
import { rank } from './policy-routes.ts';
import { type Route, route } from './route.ts';
import { documentView, jsonDocument, timeOf, type View } from './views.ts';

const FIELDS = ['name', 'kind', 'guid'] as const;
const readProfile = (profile: ConfigurationProfileRecord, field: (typeof FIELDS)[number]): string => (field === 'guid' ? profile.profileId : profile[field]);

/** Every kind of profile, activation profiles apart. */
const PROFILE_KINDS: readonly [ProfileKind, ...ProfileKind[]] = [...RANKED_KINDS, ...UNRANKED_KINDS];

const bodyOf = (kind: ProfileKind) =>
  v.strictObject({
    kind: v.literal(kind),
    name: line(128),
    description: v.optional(line(1_024)),
    rank: v.optional(rank),
    content: PROFILE_CONTENTS[kind] as v.GenericSchema<unknown, object>,
  });

const profileBody: BodySchema<NewConfigurationProfile> = component('NewProfile', v.variant('kind', PROFILE_KINDS.map(bodyOf)));

const profileAnswer: ViewSchema = component(
  'Profile',
  v.strictObject({
    guid: guidText,
    kind: v.picklist(PROFILE_KINDS),
    name: v.string(),
    description: v.optional(v.string()),
    rank: v.optional(v.number()),
    isDefault: v.boolean(),
    version: v.number(),
    updated: timeText,
    content: documentView,
    links: linksView,
  }),
);
const profilesView = pageView('Profiles', 'profiles', profileAnswer);

/** /profiles/{profile}. What only devices are told is left out. */
function profileView(base: string, profile: ConfigurationProfileRecord): View {
  const { profileId, kind, name, description, version, updatedAtMs } = profile;
  const content = Object.entries(jsonDocument(decodeDocument(profile.content))).filter(([field]) => !SECRET_FIELDS.includes(field));
  return {
    guid: profileId,
    kind,
    name,
    description,
    rank: isRanked(kind) ? profile.rank : undefined,
    isDefault: isDefaultProfile(profile),
    version,
    updated: timeOf(updatedAtMs),
    content: Object.fromEntries(content),
    links: [{ rel: 'self', href: `${base}/profiles/${profileId}` }],
  };
}

const PARTS = { profile: CONFIGURATION_PROFILE_PART };

/** Profiles (F5.1); activation profiles have routes of their own. */
export function configurationProfileRoutes(admin: Administration): readonly Route[] {
  return [
    route({
      id: 'listProfiles',
      method: 'GET',
      path: '/profiles',
      summary: 'Lists profiles, activation profiles apart',
      tag: 'profiles',
      role: 'readOnly',
      list: FIELDS,
      answers: { 200: { noun: 'profiles', schema: profilesView } },
      run({ list, base }) {
        const page = pageOf(admin.configurationProfiles(), list, readProfile);
        const links = pageLinks(`${base}/profiles`, list, page.hasMore);
        return { status: 200, body: { profiles: page.items.map((profile) => profileView(base, profile)), links } };
      },
    }),
    route({
      id: 'createProfile',
      method: 'POST',
      path: '/profiles',
      summary: 'Adds a profile; its content is checked against its kind',
      tag: 'profiles',
      role: 'administrator',
      body: { noun: 'profile', schema: profileBody },
      answers: { 201: { noun: 'profile', schema: profileAnswer, headers: { location: 'path of the profile' } } },
      problems: ['LIMIT_REACHED'],
      async run({ body, base }) {
        const profile = await admin.createConfigurationProfile(body);
        return { status: 201, body: profileView(base, profile), headers: { location: `${base}/profiles/${profile.profileId}` } };
      },
    }),
    route({
      id: 'getProfile',
      method: 'GET',
      path: '/profiles/{profile}',
      summary: 'Shows one profile, without what only devices are told',
      tag: 'profiles',
      role: 'readOnly',
      parts: PARTS,
      answers: { 200: { noun: 'profile', schema: profileAnswer } },
      problems: ['PROFILE_NOT_FOUND'],
      run: ({ parts, base }) => ({ status: 200, body: profileView(base, admin.configurationProfile(parts.profile)) }),
    }),
    route({
      id: 'putProfile',
      method: 'PUT',
      path: '/profiles/{profile}',
      summary: 'Replaces a profile; its kind stays',
      tag: 'profiles',
      role: 'administrator',
      parts: PARTS,
      body: { noun: 'profile', schema: profileBody },
      answers: { 200: { noun: 'profile', schema: profileAnswer } },
      problems: ['PROFILE_NOT_FOUND'],
      run: async ({ parts, body, base }) => ({ status: 200, body: profileView(base, await admin.updateConfigurationProfile(parts.profile, body)) }),
    }),
    route({
      id: 'deleteProfile',
      method: 'DELETE',
      path: '/profiles/{profile}',
      summary: 'Deletes a profile that is assigned to nobody',
      tag: 'profiles',
      role: 'administrator',
      parts: PARTS,
      answers: { 204: {} },
      problems: ['PROFILE_NOT_FOUND', 'IN_USE'],
      async run({ parts }) {
        await admin.deleteConfigurationProfile(parts.profile);
        return { status: 204 };
      },
    }),
  ];
}
