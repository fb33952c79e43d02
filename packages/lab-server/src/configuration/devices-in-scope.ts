import { devicesOnList } from '../state/device-groups.ts';
import { type DeviceRecord, deviceById, listDevices, listDevicesOfUser } from '../state/devices.ts';
import type { RecomputePlace, RecomputeScope } from '../state/recompute-jobs.ts';
import { usersOfGroup } from '../state/user-groups.ts';
import type { ReadView } from '../store/lab-store.ts';

/** Some devices of a scope, and where to go on; no place: these were the last. */
export interface DevicesInScope {
  readonly devices: readonly DeviceRecord[];
  readonly place?: RecomputePlace | undefined;
}

/** The next devices of a scope behind `place`; ended ones are among them. At most `limit` records are read. */
export function devicesInScope(view: ReadView, scope: RecomputeScope, place: RecomputePlace | undefined, limit: number): DevicesInScope {
  const after = place?.device;
  switch (scope.kind) {
    case 'tenant':
      return pageOf(
        listDevices(view, { after, limit }).map((row) => row.record),
        limit,
      );
    case 'device':
      return { devices: known(deviceById(view, scope.id)) };
    case 'user':
      return pageOf(listDevicesOfUser(view, scope.id, { limit, ...(after === undefined ? {} : { after }) }), limit);
    case 'deviceGroup': {
      const ids = devicesOnList(view, scope.id, { after, limit });
      return { devices: ids.flatMap((id) => known(deviceById(view, id))), place: ids.length < limit ? undefined : { device: ids.at(-1) } };
    }
    case 'userGroup':
      return ofUserGroup(view, scope.id, place, limit);
  }
}

function pageOf(devices: readonly DeviceRecord[], limit: number): DevicesInScope {
  return { devices, place: devices.length < limit ? undefined : { device: devices.at(-1)?.deviceId } };
}

function known(device: DeviceRecord | undefined): readonly DeviceRecord[] {
  return device === undefined ? [] : [device];
}

/** Member by member. Members without devices count too: a large group of them is read in parts as well. */
function ofUserGroup(view: ReadView, groupId: string, place: RecomputePlace | undefined, limit: number): DevicesInScope {
  const devices: DeviceRecord[] = [];
  let { user, device } = place ?? {};
  for (let read = 0; read < limit; read++) {
    if (device === undefined) {
      [user] = usersOfGroup(view, groupId, { after: user, limit: 1 });
      if (user === undefined) return { devices };
    }
    const wanted = limit - devices.length;
    const page = listDevicesOfUser(view, user as string, { limit: wanted, ...(device === undefined ? {} : { after: device }) });
    devices.push(...page);
    device = page.length < wanted ? undefined : page.at(-1)?.deviceId;
    if (devices.length >= limit) break;
  }
  return { devices, place: { user, device } };
}
