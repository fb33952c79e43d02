import { assignmentReader } from '../configuration/assigned-objects.ts';
import { deviceFacts, FACT_FIELDS, type FactField } from '../configuration/device-facts.ts';
import { matchesQuery } from '../configuration/matches-query.ts';
import { deleteAssignmentsOf } from '../state/assignments.ts';
import {
  addToDeviceGroup,
  type DeviceGroupRecord,
  type DeviceQuery,
  deleteDeviceGroup,
  deviceGroupById,
  devicesOnList,
  listDeviceGroups,
  MAX_DEVICE_GROUPS,
  putDeviceGroup,
  removeFromDeviceGroup,
} from '../state/device-groups.ts';
import { type DeviceRecord, type DeviceSummary, deviceById, deviceSummaryById, listDeviceSummaries } from '../state/devices.ts';
import { randomUuid } from '../state/ids.ts';
import { inventoryOf } from '../state/inventory.ts';
import { putRecomputeJob } from '../state/recompute-jobs.ts';
import type { ReadView } from '../store/lab-store.ts';
import { type ConfigurationOptions, required, requireRoom } from './configuration-options.ts';
import { rowsOf } from './pages.ts';
import { AdminProblem } from './problem.ts';
import { MAX_MEMBERS_PER_CALL, type NewGroup } from './user-group-administration.ts';

export interface NewDeviceGroup extends NewGroup {
  /** Absent: devices are put on a list. */
  readonly query?: DeviceQuery | undefined;
}

/** Groups of devices, by query or by list. */
export interface DeviceGroupAdministration {
  /** @throws AdminProblem `LIMIT_REACHED` */
  createDeviceGroup(group: NewDeviceGroup): Promise<DeviceGroupRecord>;
  /** A group stays what it is, by query or by list. @throws AdminProblem `GROUP_NOT_FOUND`, `INVALID_PROPERTY` */
  updateDeviceGroup(groupId: string, group: NewDeviceGroup): Promise<DeviceGroupRecord>;
  /** Deletes a group whose list is empty and that nothing is assigned to. @throws AdminProblem `GROUP_NOT_FOUND`, `IN_USE` */
  deleteDeviceGroup(groupId: string): Promise<void>;
  /** @throws AdminProblem `GROUP_NOT_FOUND` */
  deviceGroup(groupId: string): DeviceGroupRecord;
  deviceGroups(): Iterable<DeviceGroupRecord>;
  /** All or none. @throws AdminProblem `GROUP_NOT_FOUND`, `DEVICE_NOT_FOUND`, `DEVICE_NOT_ACTIVE`, `GROUP_BY_QUERY`, `LIMIT_REACHED` */
  addDevicesToGroup(groupId: string, deviceIds: readonly string[]): Promise<void>;
  /** @throws AdminProblem `GROUP_NOT_FOUND`, `GROUP_BY_QUERY`, `DEVICE_NOT_FOUND` when the device is not in it */
  removeDeviceFromGroup(groupId: string, deviceId: string): Promise<void>;
  /** Active devices of a group, with these fields and their ids. @throws AdminProblem `GROUP_NOT_FOUND` */
  deviceSummariesOfGroup<Name extends keyof DeviceSummary>(groupId: string, names: readonly Name[]): Iterable<Pick<DeviceSummary, Name | 'deviceId'>>;
  /** @throws AdminProblem `DEVICE_NOT_FOUND` */
  groupsOfDevice(deviceId: string): readonly DeviceGroupRecord[];
}

export function createDeviceGroupAdministration({ clock, entropy, store, reconfigure }: ConfigurationOptions): DeviceGroupAdministration {
  const read = <R>(fn: (view: ReadView) => R): R => store.read(fn);
  return {
    createDeviceGroup: ({ name, description, query }) =>
      // A new group has no assignments yet, so nothing changes for a device.
      store.transaction((tx) => {
        requireRoom(listDeviceGroups(tx, { limit: MAX_DEVICE_GROUPS }), MAX_DEVICE_GROUPS, 'device groups');
        const group: DeviceGroupRecord = { groupId: randomUuid(entropy), name, description, query, createdAtMs: clock.nowMs() };
        putDeviceGroup(tx, group);
        return group;
      }),
    async updateDeviceGroup(groupId, { name, description, query }) {
      const changed = await store.transaction((tx) => {
        const known = requireGroup(tx, groupId);
        if ((known.query === undefined) !== (query === undefined))
          throw new AdminProblem('INVALID_PROPERTY', 'query: a group by list stays one, and so does a group by query');
        const group: DeviceGroupRecord = { ...known, name, description, query };
        putDeviceGroup(tx, group);
        // Devices may come and go, and nobody knows which before each has been asked.
        if (JSON.stringify(known.query) !== JSON.stringify(query)) putRecomputeJob(tx, { kind: 'tenant' }, clock.nowMs());
        return group;
      });
      reconfigure();
      return changed;
    },
    async deleteDeviceGroup(groupId) {
      await store.transaction((tx) => {
        const group = requireGroup(tx, groupId);
        if (devicesOnList(tx, groupId, { limit: 1 }).length > 0) throw new AdminProblem('IN_USE', 'the group has devices; take them out first');
        deleteAssignmentsOf(tx, { kind: 'deviceGroup', id: groupId });
        deleteDeviceGroup(tx, groupId);
        if (group.query !== undefined) putRecomputeJob(tx, { kind: 'tenant' }, clock.nowMs());
      });
      reconfigure();
    },
    deviceGroup: (groupId) => store.read((view) => requireGroup(view, groupId)),
    *deviceGroups() {
      for (const { record } of rowsOf(read, listDeviceGroups, (row) => row.id)) yield record;
    },
    async addDevicesToGroup(groupId, deviceIds) {
      const nowMs = clock.nowMs();
      if (deviceIds.length > MAX_MEMBERS_PER_CALL) throw new AdminProblem('LIMIT_REACHED', `at most ${MAX_MEMBERS_PER_CALL} devices at a time`);
      await store.transaction((tx) => {
        requireList(requireGroup(tx, groupId));
        for (const deviceId of deviceIds) {
          const device = required(deviceById(tx, deviceId), 'DEVICE_NOT_FOUND', `there is no device ${deviceId}`);
          if (device.status !== 'active') throw new AdminProblem('DEVICE_NOT_ACTIVE', `device ${deviceId} is not active`);
          if (addToDeviceGroup(tx, groupId, deviceId)) putRecomputeJob(tx, { kind: 'device', id: deviceId }, nowMs);
        }
      });
      reconfigure();
    },
    async removeDeviceFromGroup(groupId, deviceId) {
      await store.transaction((tx) => {
        requireList(requireGroup(tx, groupId));
        if (!removeFromDeviceGroup(tx, groupId, deviceId)) throw new AdminProblem('DEVICE_NOT_FOUND', 'the device is not in the group');
        putRecomputeJob(tx, { kind: 'device', id: deviceId }, clock.nowMs());
      });
      reconfigure();
    },
    *deviceSummariesOfGroup(groupId, names) {
      type Asked = { readonly after?: string; readonly limit: number };
      type Found<Name extends keyof DeviceRecord> = readonly { readonly id: string; readonly record: Pick<DeviceRecord, Name> | undefined }[];
      const wanted = new Set([...names, 'deviceId', 'status'] as const);
      const { query } = store.read((view) => requireGroup(view, groupId));
      if (query === undefined) {
        const page = (view: ReadView, asked: Asked): Found<(typeof names)[number] | 'deviceId' | 'status'> =>
          devicesOnList(view, groupId, asked).map((id) => ({ id, record: deviceSummaryById(view, id, wanted) }));
        for (const { record: device } of rowsOf(read, page, (row) => row.id)) if (device?.status === 'active') yield device;
        return;
      }
      // What the query looks at has to be read, too.
      const looked = new Set([...wanted, ...FACT_FIELDS]);
      const page = (view: ReadView, asked: Asked): ReturnType<typeof listDeviceSummaries<(typeof names)[number] | 'deviceId' | 'status' | FactField>> =>
        listDeviceSummaries(view, asked, looked);
      for (const { record: device } of rowsOf(read, page, (row) => row.id)) {
        const facts = device.status === 'active' ? store.read((view) => deviceFacts(device, inventoryOf(view, device.deviceId))) : undefined;
        if (facts !== undefined && matchesQuery(query, facts)) yield device;
      }
    },
    groupsOfDevice: (deviceId) =>
      store.read((view) => {
        const device = required(deviceById(view, deviceId), 'DEVICE_NOT_FOUND', 'there is no such device');
        const ids = assignmentReader(view).deviceGroupsOf(deviceId, deviceFacts(device, inventoryOf(view, deviceId)));
        return ids.flatMap((id) => deviceGroupById(view, id) ?? []);
      }),
  };
}

function requireGroup(view: ReadView, groupId: string): DeviceGroupRecord {
  return required(deviceGroupById(view, groupId), 'GROUP_NOT_FOUND', 'there is no such device group');
}

function requireList({ query }: DeviceGroupRecord): void {
  if (query !== undefined) throw new AdminProblem('GROUP_BY_QUERY', 'devices come into this group by its query');
}
