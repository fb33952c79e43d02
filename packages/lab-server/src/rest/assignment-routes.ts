import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import type { AssignableKind, Assignee, AssigneeKind, AssignmentRecord, Disposition } from '../state/assignments.ts';
import { type BodySchema, component, guidText, timeText, type ViewSchema } from './components.ts';
import type { MediaNoun } from './media-type.ts';
import {
  APP_POLICY_PART,
  APPLICATION_PART,
  CONFIGURATION_PROFILE_PART,
  DEVICE_GROUP_PART,
  POLICY_PART,
  PROFILE_PART,
  USER_GROUP_PART,
  USER_PART,
} from './parts.ts';
import type { PartDeclaration, Route } from './route.ts';
import { timeOf, type View } from './views.ts';

interface AssigneePath {
  readonly kind: AssigneeKind;
  /** Words in the names of operations and summaries. */
  readonly name: string;
  readonly is: string;
  readonly path: string;
  readonly part: string;
  readonly declared: PartDeclaration;
  readonly missing: 'USER_NOT_FOUND' | 'GROUP_NOT_FOUND';
}

interface ObjectPath {
  readonly kind: AssignableKind;
  readonly name: string;
  readonly is: string;
  readonly path: string;
  readonly part: string;
  readonly declared: PartDeclaration;
  readonly missing: 'POLICY_NOT_FOUND' | 'PROFILE_NOT_FOUND' | 'APPLICATION_NOT_FOUND';
}

const ASSIGNEES: readonly AssigneePath[] = [
  { kind: 'user', name: 'User', is: 'a user', path: '/users/{guid}', part: 'guid', declared: USER_PART, missing: 'USER_NOT_FOUND' },
  { kind: 'userGroup', name: 'Group', is: 'a user group', path: '/groups/{group}', part: 'group', declared: USER_GROUP_PART, missing: 'GROUP_NOT_FOUND' },
  {
    kind: 'deviceGroup',
    name: 'DeviceGroup',
    is: 'a device group',
    path: '/deviceGroups/{group}',
    part: 'group',
    declared: DEVICE_GROUP_PART,
    missing: 'GROUP_NOT_FOUND',
  },
];

const OBJECTS: readonly ObjectPath[] = [
  { kind: 'policy', name: 'Policy', is: 'an IT policy', path: 'policies', part: 'policy', declared: POLICY_PART, missing: 'POLICY_NOT_FOUND' },
  { kind: 'profile', name: 'Profile', is: 'a profile', path: 'profiles', part: 'profile', declared: CONFIGURATION_PROFILE_PART, missing: 'PROFILE_NOT_FOUND' },
  {
    kind: 'application',
    name: 'Application',
    is: 'an application',
    path: 'applications',
    part: 'application',
    declared: APPLICATION_PART,
    missing: 'APPLICATION_NOT_FOUND',
  },
  {
    kind: 'activationProfile',
    name: 'ActivationProfile',
    is: 'an activation profile',
    path: 'activationProfiles',
    part: 'profile',
    declared: PROFILE_PART,
    missing: 'PROFILE_NOT_FOUND',
  },
  { kind: 'appPolicy', name: 'AppPolicy', is: 'an app policy', path: 'appPolicies', part: 'appPolicy', declared: APP_POLICY_PART, missing: 'POLICY_NOT_FOUND' },
];

/** What is for users, and not for devices. */
const OF_USERS: readonly AssignableKind[] = ['activationProfile', 'appPolicy'];

/** Nouns of lists; others are those of profiles. */
const NOUNS: Readonly<Partial<Record<AssignableKind, MediaNoun>>> = { application: 'applications', policy: 'policies', appPolicy: 'apppolicies' };

interface DispositionBody {
  readonly disposition: Disposition;
}

const dispositionBody: BodySchema<DispositionBody> = component('ApplicationAssignment', v.strictObject({ disposition: v.picklist(['REQUIRED', 'OPTIONAL']) }));

const assignmentAnswer: ViewSchema = component(
  'Assignment',
  v.strictObject({
    guid: guidText,
    name: v.optional(v.string()),
    kind: v.optional(v.string()),
    applicationId: v.optional(v.string()),
    disposition: v.optional(v.picklist(['REQUIRED', 'OPTIONAL'])),
    assigned: timeText,
    /** The group that it comes from; absent: assigned directly. */
    group: v.optional(v.strictObject({ guid: guidText, name: v.string() })),
  }),
);
const assignmentsAnswer: ViewSchema = component('Assignments', v.strictObject({ assignments: v.array(assignmentAnswer) }));

/** Who gets what: for users and both kinds of groups, policies, profiles, applications and activation profiles. */
export function assignmentRoutes(admin: Administration): readonly Route[] {
  const described = ({ object, disposition, createdAtMs }: AssignmentRecord, group?: View): View => ({
    guid: object.id,
    ...namesOf(admin, object),
    disposition,
    assigned: timeOf(createdAtMs),
    group,
  });

  /** What somebody has; of a user also what comes from the groups that he is in. */
  const listed = ({ kind, id }: Assignee, object: AssignableKind): readonly View[] => {
    const own = admin.assignments({ kind, id }).filter((assigned) => assigned.object.kind === object);
    const groups = kind === 'user' ? admin.groupsOfUser(id) : [];
    const through = groups.flatMap(({ groupId, name }) =>
      admin
        .assignments({ kind: 'userGroup', id: groupId })
        .filter((assigned) => assigned.object.kind === object)
        .map((assigned) => described(assigned, { guid: groupId, name })),
    );
    return [...own.map((assigned) => described(assigned)), ...through];
  };

  return ASSIGNEES.flatMap((assignee) =>
    OBJECTS.filter(({ kind }) => assignee.kind !== 'deviceGroup' || !OF_USERS.includes(kind)).flatMap((object): readonly Route[] => {
      const whose = { [assignee.part]: assignee.declared };
      const both = { ...whose, [object.part]: object.declared };
      const list = `${assignee.path}/${object.path}`;
      const one = `${list}/{${object.part}}`;
      const assigneeOf = (parts: Readonly<Record<string, string>>): Assignee => ({ kind: assignee.kind, id: parts[assignee.part] as string });
      const objectOf = (parts: Readonly<Record<string, string>>) => ({ kind: object.kind, id: parts[object.part] as string });
      const isApplication = object.kind === 'application';
      const noun = NOUNS[object.kind] ?? 'profiles';
      return [
        {
          id: `list${assignee.name}${object.name}Assignments`,
          method: 'GET',
          path: list,
          summary: `Lists what is assigned to ${assignee.is}: ${object.path}${assignee.kind === 'user' ? ', also through groups' : ''}`,
          tag: 'assignments',
          role: 'readOnly',
          parts: whose,
          answers: { 200: { noun, schema: assignmentsAnswer } },
          problems: [assignee.missing],
          run: ({ parts }) => ({ status: 200, body: { assignments: listed(assigneeOf(parts), object.kind) } }),
        },
        {
          id: `assign${object.name}To${assignee.name}`,
          method: 'PUT',
          path: one,
          summary: `Assigns ${object.is} to ${assignee.is}`,
          tag: 'assignments',
          role: 'administrator',
          parts: both,
          ...(isApplication ? { body: { schema: dispositionBody } } : {}),
          answers: { 200: { schema: assignmentAnswer } },
          problems: [assignee.missing, object.missing],
          async run({ parts, body }) {
            const disposition = isApplication ? (body as DispositionBody).disposition : undefined;
            return { status: 200, body: described(await admin.assign(assigneeOf(parts), objectOf(parts), disposition)) };
          },
        },
        {
          id: `unassign${object.name}From${assignee.name}`,
          method: 'DELETE',
          path: one,
          summary: `Takes ${object.is} away from ${assignee.is}`,
          tag: 'assignments',
          role: 'administrator',
          parts: both,
          answers: { 204: {} },
          problems: ['ASSIGNMENT_NOT_FOUND'],
          async run({ parts }) {
            await admin.unassign(assigneeOf(parts), objectOf(parts));
            return { status: 204 };
          },
        },
      ];
    }),
  );
}

/** How an object is called. */
function namesOf(admin: Administration, { kind, id }: AssignmentRecord['object']): View {
  switch (kind) {
    case 'policy':
      return { name: admin.policy(id).name };
    case 'profile': {
      const profile = admin.configurationProfile(id);
      return { name: profile.name, kind: profile.kind };
    }
    case 'application': {
      const { name, applicationId } = admin.application(id);
      return { name, applicationId };
    }
    case 'appPolicy': {
      const { name, applicationGuid } = admin.appPolicyById(id);
      return { name, applicationId: admin.application(applicationGuid).applicationId };
    }
    case 'activationProfile':
      return {};
  }
}
