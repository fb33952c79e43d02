import { assignmentReader } from '../configuration/assigned-objects.ts';
import { deviceFacts } from '../configuration/device-facts.ts';
import { type EffectiveConfiguration, effectiveConfiguration } from '../configuration/effective.ts';
import { appPolicyById } from '../state/app-policies.ts';
import { applicationByGuid } from '../state/applications.ts';
import {
  type Assignable,
  type Assignee,
  type AssignmentRecord,
  assignment,
  assignmentsOf,
  type Disposition,
  deleteAssignment,
  putAssignment,
} from '../state/assignments.ts';
import { configurationProfileById } from '../state/configuration-profiles.ts';
import { type DeliveryRecord, DOCUMENT_NAMES, type DocumentName, deliveryOf } from '../state/deliveries.ts';
import { deviceGroupById } from '../state/device-groups.ts';
import { type DeviceRecord, deviceById } from '../state/devices.ts';
import { inventoryOf } from '../state/inventory.ts';
import { policyById } from '../state/policies.ts';
import { profileById } from '../state/profiles.ts';
import { putRecomputeJob } from '../state/recompute-jobs.ts';
import { type FindingRecord, supervisionOf } from '../state/supervision.ts';
import { userGroupById } from '../state/user-groups.ts';
import { userByGuid } from '../state/users.ts';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type ConfigurationOptions, required } from './configuration-options.ts';
import { AdminProblem } from './problem.ts';

/** What is in force on a device, and how far it has been delivered. */
export interface DeviceConfiguration {
  readonly effective: EffectiveConfiguration;
  /** Absent: the document has always been empty. */
  readonly deliveries: Readonly<Partial<Record<DocumentName, DeliveryRecord>>>;
}

/** Who gets what. */
export interface AssignmentAdministration {
  /**
   * Assigns a policy, profile or application to a user or group; again: changes the disposition.
   * @throws AdminProblem `USER_NOT_FOUND`, `GROUP_NOT_FOUND`, `POLICY_NOT_FOUND`, `PROFILE_NOT_FOUND`, `APPLICATION_NOT_FOUND`, `INVALID_PROPERTY`
   */
  assign(assignee: Assignee, object: Assignable, disposition?: Disposition): Promise<AssignmentRecord>;
  /** @throws AdminProblem `ASSIGNMENT_NOT_FOUND` */
  unassign(assignee: Assignee, object: Assignable): Promise<void>;
  /** @throws AdminProblem `USER_NOT_FOUND`, `GROUP_NOT_FOUND` */
  assignments(assignee: Assignee): readonly AssignmentRecord[];
  /** What is in force on a device now, worked out anew. @throws AdminProblem `DEVICE_NOT_FOUND` */
  deviceConfiguration(deviceId: string): DeviceConfiguration;
  /** Rules of compliance that a device breaks, in the order of its profile. */
  complianceFindings(deviceId: string): readonly FindingRecord[];
}

export function createAssignmentAdministration({ clock, store, reconfigure }: ConfigurationOptions): AssignmentAdministration {
  return {
    async assign(assignee, object, disposition) {
      const assigned = await store.transaction((tx) => {
        requireAssignee(tx, assignee);
        requireObject(tx, object);
        if ((object.kind === 'application') !== (disposition !== undefined))
          throw new AdminProblem('INVALID_PROPERTY', 'disposition: is said of applications, and of nothing else');
        if (object.kind === 'activationProfile' && assignee.kind === 'deviceGroup')
          throw new AdminProblem('INVALID_PROPERTY', 'an activation profile is for users: there is no device yet');
        if (object.kind === 'appPolicy' && assignee.kind === 'deviceGroup')
          throw new AdminProblem('INVALID_PROPERTY', 'an app policy is for users: an app need not be on a managed device');
        const before = assignment(tx, assignee, object);
        const record: AssignmentRecord = { assignee, object, disposition, createdAtMs: before?.createdAtMs ?? clock.nowMs() };
        putAssignment(tx, record);
        if (before === undefined || before.disposition !== disposition) recomputeOf(tx, assignee, clock.nowMs());
        return record;
      });
      reconfigure();
      return assigned;
    },
    async unassign(assignee, object) {
      await store.transaction((tx) => {
        if (!deleteAssignment(tx, assignee, object)) throw new AdminProblem('ASSIGNMENT_NOT_FOUND', 'it is not assigned there');
        recomputeOf(tx, assignee, clock.nowMs());
      });
      reconfigure();
    },
    assignments: (assignee) =>
      store.read((view) => {
        requireAssignee(view, assignee);
        return assignmentsOf(view, assignee);
      }),
    complianceFindings: (deviceId) => store.read((view) => supervisionOf(view, deviceId)?.findings ?? []),
    deviceConfiguration: (deviceId) =>
      store.read((view) => {
        const device = requireDevice(view, deviceId);
        const facts = deviceFacts(device, inventoryOf(view, deviceId));
        const effective = effectiveConfiguration(assignmentReader(view).inputOf(device, facts, supervisionOf(view, deviceId)?.isUntrusted === true));
        const deliveries: Partial<Record<DocumentName, DeliveryRecord>> = {};
        for (const document of DOCUMENT_NAMES) {
          const delivery = deliveryOf(view, deviceId, document);
          if (delivery !== undefined) deliveries[document] = delivery;
        }
        return { effective, deliveries };
      }),
  };
}

/** Whose devices an assignment changes. Devices come into a group by query without being on a list, so then everybody is looked at. */
function recomputeOf(tx: WriteView, { kind, id }: Assignee, nowMs: number): void {
  const isQuery = kind === 'deviceGroup' && deviceGroupById(tx, id)?.query !== undefined;
  putRecomputeJob(tx, isQuery ? { kind: 'tenant' } : { kind, id }, nowMs);
}

function requireAssignee(view: ReadView, { kind, id }: Assignee): void {
  if (kind === 'user') required(userByGuid(view, id), 'USER_NOT_FOUND', 'there is no such user');
  else if (kind === 'userGroup') required(userGroupById(view, id), 'GROUP_NOT_FOUND', 'there is no such user group');
  else required(deviceGroupById(view, id), 'GROUP_NOT_FOUND', 'there is no such device group');
}

function requireObject(view: ReadView, { kind, id }: Assignable): void {
  switch (kind) {
    case 'policy':
      required(policyById(view, id), 'POLICY_NOT_FOUND', 'there is no such IT policy');
      return;
    case 'profile':
      required(configurationProfileById(view, id), 'PROFILE_NOT_FOUND', 'there is no such profile');
      return;
    case 'application':
      required(applicationByGuid(view, id), 'APPLICATION_NOT_FOUND', 'there is no such application');
      return;
    case 'activationProfile':
      required(profileById(view, id), 'PROFILE_NOT_FOUND', 'there is no such activation profile');
      return;
    case 'appPolicy':
      required(appPolicyById(view, id), 'POLICY_NOT_FOUND', 'there is no such app policy');
  }
}

function requireDevice(view: ReadView, deviceId: string): DeviceRecord {
  const device = deviceById(view, deviceId);
  if (device === undefined || device.status === 'pending') throw new AdminProblem('DEVICE_NOT_FOUND', 'there is no such device');
  return device;
}
