import { applicationByGuid } from '../state/applications.ts';
import { type Assignee, type AssignmentRecord, assignmentsOf } from '../state/assignments.ts';
import { configurationProfileById, DEFAULT_KINDS, defaultProfileId } from '../state/configuration-profiles.ts';
import { type DeviceGroupRecord, listDeviceGroups, listsOfDevice, MAX_DEVICE_GROUPS } from '../state/device-groups.ts';
import type { DeviceRecord } from '../state/devices.ts';
import { DEFAULT_POLICY_ID, policyById } from '../state/policies.ts';
import { groupsOf } from '../state/user-groups.ts';
import type { ReadView } from '../store/lab-store.ts';
import type { DeviceFacts } from './device-facts.ts';
import type { AssignedApplication, AssignedObjects, AssignedProfile, EffectiveInput, Ranked } from './effective.ts';
import { matchesQuery } from './matches-query.ts';

/** Reads what is assigned; within one view the groups that many devices have in common are read once. */
export interface AssignmentReader {
  inputOf(device: DeviceRecord, facts: DeviceFacts, isUntrusted: boolean): EffectiveInput;
  /** For a user whose device is not there yet: no device group can have it. */
  inputOfUser(userGuid: string): EffectiveInput;
  /** Groups that a device is in, by list and by query. */
  deviceGroupsOf(deviceId: string, facts: DeviceFacts): readonly string[];
}

const NOTHING: AssignedObjects = { policies: [], profiles: [], applications: [] };

/** Valid as long as `view`; nothing may be assigned meanwhile. */
export function assignmentReader(view: ReadView): AssignmentReader {
  // BOUNDED by the groups that the devices of one step are in.
  const groups = new Map<string, AssignedObjects>();
  let queries: readonly DeviceGroupRecord[] | undefined;
  let defaults: AssignedObjects | undefined;

  const ofGroup = (kind: 'userGroup' | 'deviceGroup', id: string): AssignedObjects => {
    const key = `${kind}/${id}`;
    const known = groups.get(key);
    if (known !== undefined) return known;
    const found = objectsOf(view, { kind, id });
    groups.set(key, found);
    return found;
  };

  const deviceGroupsOf = (deviceId: string, facts: DeviceFacts): readonly string[] => {
    queries ??= listDeviceGroups(view, { limit: MAX_DEVICE_GROUPS }).flatMap(({ record }) => (record.query === undefined ? [] : [record]));
    const byQuery = queries.filter(({ query }) => query !== undefined && matchesQuery(query, facts)).map(({ groupId }) => groupId);
    return [...listsOfDevice(view, deviceId), ...byQuery];
  };

  const inputOfUser = (userGuid: string): EffectiveInput => {
    defaults ??= defaultObjects(view);
    return {
      isUntrusted: false,
      deviceGroups: NOTHING,
      user: objectsOf(view, { kind: 'user', id: userGuid }),
      userGroups: together(groupsOf(view, userGuid).map((id) => ofGroup('userGroup', id))),
      defaults,
    };
  };

  return {
    deviceGroupsOf,
    inputOfUser,
    inputOf: (device, facts, isUntrusted) => ({
      ...inputOfUser(device.userGuid),
      osFamily: facts.osFamily,
      isUntrusted,
      deviceGroups: together(deviceGroupsOf(device.deviceId, facts).map((id) => ofGroup('deviceGroup', id))),
    }),
  };
}

function objectsOf(view: ReadView, assignee: Assignee): AssignedObjects {
  const assignments = assignmentsOf(view, assignee);
  if (assignments.length === 0) return NOTHING;
  return {
    policies: assignments.flatMap((assigned) => policyOf(view, assigned)),
    profiles: assignments.flatMap((assigned) => profileOf(view, assigned)),
    applications: assignments.flatMap((assigned) => applicationOf(view, assigned)),
  };
}

function policyOf(view: ReadView, { object }: AssignmentRecord): readonly Ranked[] {
  const policy = object.kind === 'policy' ? policyById(view, object.id) : undefined;
  return policy === undefined ? [] : [{ id: policy.policyId, rank: policy.rank }];
}

function profileOf(view: ReadView, { object }: AssignmentRecord): readonly AssignedProfile[] {
  const profile = object.kind === 'profile' ? configurationProfileById(view, object.id) : undefined;
  return profile === undefined ? [] : [{ id: profile.profileId, rank: profile.rank, kind: profile.kind }];
}

function applicationOf(view: ReadView, { object, disposition = 'OPTIONAL' }: AssignmentRecord): readonly AssignedApplication[] {
  const application = object.kind === 'application' ? applicationByGuid(view, object.id) : undefined;
  return application === undefined ? [] : [{ id: application.guid, platforms: application.platforms, disposition }];
}

function defaultObjects(view: ReadView): AssignedObjects {
  const policy = policyById(view, DEFAULT_POLICY_ID);
  const profiles = DEFAULT_KINDS.flatMap((kind) => configurationProfileById(view, defaultProfileId(kind)) ?? []);
  return {
    policies: policy === undefined ? [] : [{ id: policy.policyId, rank: policy.rank }],
    profiles: profiles.map(({ profileId, kind, rank }) => ({ id: profileId, rank, kind })),
    applications: [],
  };
}

function together(parts: readonly AssignedObjects[]): AssignedObjects {
  if (parts.length === 0) return NOTHING;
  return {
    policies: parts.flatMap((part) => part.policies),
    profiles: parts.flatMap((part) => part.profiles),
    applications: parts.flatMap((part) => part.applications),
  };
}
