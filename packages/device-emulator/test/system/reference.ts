import type { Execution } from '../../src/operating-systems/execution-log.ts';
import type { Subject, World } from './world.ts';

/** What a device that carried these commands out must look like: the few facts that follow from the commands alone. */
interface Expected {
  readonly locked: boolean;
  readonly hasPassword: boolean;
  readonly personalData: boolean;
  /** A delete command was carried out. */
  readonly left: boolean;
}

function expectedAfter(executions: readonly Execution[], hasPassword: boolean): Expected {
  let now: Expected = { locked: false, hasPassword, personalData: true, left: false };
  for (const { type, status } of executions) {
    if (status !== 'done') continue;
    if (type === 'LOCK_DEVICE') now = { ...now, locked: now.hasPassword };
    if (type === 'UNLOCK_DEVICE') now = { ...now, locked: false, hasPassword: false };
    if (type === 'DELETE_WORK_SPACE_DATA') now = { ...now, left: true };
    if (type === 'DELETE_DEVICE_DATA') now = { locked: false, hasPassword: false, personalData: false, left: true };
  }
  return now;
}

/** What does not agree between what the administrator did, the devices, and the server. Empty when everything is as it must be. */
export function differences(world: World): readonly string[] {
  return [...world.problems, ...world.subjects.flatMap((subject) => differencesOf(world, subject).map((text) => `${subject.username}: ${text}`))];
}

function differencesOf(world: World, subject: Subject): readonly string[] {
  const { device, removedId } = subject;
  const removed = removedId !== undefined;
  const found: string[] = [];
  const same = (what: string, expected: unknown, seen: unknown): void => {
    if (expected !== seen) found.push(`${what}: expected ${String(expected)}, found ${String(seen)}`);
  };
  const { client, state } = device;
  if (device.dead || client === undefined || state === undefined) return ['the device does not run'];
  const executions = device.executions();
  const expected = expectedAfter(executions, device.options.hasPassword);
  const deviceId = client.deviceId ?? device.lastDeviceId ?? removedId;
  const record = deviceId === undefined ? undefined : world.recordOf(deviceId);
  if (record === undefined) return [`state of the client: ${client.state}, and the server has no device ${deviceId ?? ''}`];

  same('locked', expected.locked, state.locked);
  same('has a password', expected.hasPassword, state.passwordHash !== undefined);
  same('personal data', expected.personalData, state.personalData);
  const alive = !removed && !expected.left;
  if (alive) {
    same('state of the client', 'active', client.state);
    same('devices of the user at the server', client.deviceId, world.activeDevices(subject).join());
    same('is managed', true, state.activationType !== undefined);
    if (world.minimumLength !== undefined) same('policy', world.minimumLength, minimumLengthOf(state.policy.content));
  } else {
    if (!['inactive', 'revoked'].includes(client.state)) found.push(`state of the client: expected inactive or revoked, found ${client.state}`);
    same('devices of the user at the server', 0, world.activeDevices(subject).length);
    same('is managed', false, state.activationType !== undefined);
    same('state at the server', removed ? 'removed' : 'deactivated', record.status);
  }
  found.push(...commandDifferences(world, subject, { deviceId: record.deviceId, executions, alive }));
  return found;
}

function commandDifferences(
  world: World,
  { commands }: Subject,
  { deviceId, executions, alive }: { readonly deviceId: string; readonly executions: readonly Execution[]; readonly alive: boolean },
): readonly string[] {
  const found: string[] = [];
  const times = new Map<string, number>();
  for (const { commandId } of executions) times.set(commandId, (times.get(commandId) ?? 0) + 1);
  const atServer = new Map([...world.lab.admin.commands(deviceId)].map((command) => [command.commandId, command] as const));
  for (const [id, count] of times) {
    if (count > 1) found.push(`command ${id} was carried out ${count} times`);
    if (!atServer.has(id)) found.push(`command ${id} was carried out, and the server does not know it`);
  }
  for (const { id, type, cancelled } of commands) {
    const count = times.get(id) ?? 0;
    const command = atServer.get(id);
    const execution = executions.find(({ commandId }) => commandId === id);
    const about = `${type} ${id.slice(0, 8)} (${command?.state ?? 'unknown'} at the server, carried out ${count} times)`;
    if (cancelled) {
      if (count !== 0 || command?.state !== 'cancelled') found.push(`${about}: was taken back`);
    } else if (alive) {
      if (count !== 1) found.push(`${about}: must be carried out once`);
      else if (command?.state !== execution?.status) found.push(`${about}: the device says ${execution?.status}`);
    } else if (command?.state === 'queued' || command?.state === 'sent') {
      found.push(`${about}: is still open, and its device has left`);
    } else if (command?.state !== 'cancelled' && command?.state !== execution?.status) {
      found.push(`${about}: the device says ${execution?.status ?? 'nothing'}`);
    }
  }
  return found;
}

function minimumLengthOf(policy: unknown): unknown {
  return (policy as { readonly password?: { readonly minimumLength?: unknown } }).password?.minimumLength;
}
