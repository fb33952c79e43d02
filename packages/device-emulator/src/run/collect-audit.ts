import type { AdminApi, ServerDevice } from '../admin/admin-api.ts';
import { type AuditedDevice, type AuditReport, audit } from '../audit/audit.ts';
import { forEachBounded } from '../concurrency/for-each-bounded.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { type Plan, userPrefix } from '../plan/plan.ts';
import type { RunState } from './run-state.ts';

const WIDTH = 8;
/** States of a device that the server counts. */
const LIVE: readonly string[] = ['ACTIVE', 'PENDING', ''];

/** Asks the server and the devices for everything that the audit compares, and compares it. */
export async function collectAudit(plan: Plan, fleet: Fleet, state: RunState, api: AdminApi): Promise<AuditReport> {
  const byUser = new Map<string, ServerDevice[]>();
  for (const device of await api.devices(userPrefix(plan.fleetId))) {
    if (!LIVE.includes(device.state)) continue;
    byUser.set(device.username, [...(byUser.get(device.username) ?? []), device]);
  }
  const found: AuditedDevice[] = [];
  await forEachBounded(plan.devices, WIDTH, async ({ index, userId }) => {
    const device = fleet.device(index);
    const activatedAs = state.deviceId(index);
    const userGuid = state.userGuid(index);
    const serverCommands = activatedAs === undefined || userGuid === undefined ? [] : await api.commands({ deviceId: activatedAs, userGuid });
    found.push({
      index,
      activatedAs,
      serverIds: (byUser.get(userId.toLowerCase()) ?? []).map(({ deviceId }) => deviceId),
      managed: device.state === 'active',
      sent: state.commandsOf(index).flatMap(({ commandId, type }) => (commandId === undefined ? [] : [{ commandId, type }])),
      serverCommands,
      executions: device.executions(),
      lostPushes: device.lostPushes,
    });
  });
  return audit(found.sort((a, b) => a.index - b.index));
}
