import type { DeviceState } from '../../src/operating-systems/device-state.ts';
import type { Execution } from '../../src/operating-systems/execution-log.ts';
import { APP_ID } from './configuration.ts';
import { activated, carriedOut, type Expected, withoutManagement } from './expected.ts';
import { GIVEN_COMMANDS, isManaged } from './kinds.ts';
import type { Subject, World } from './world.ts';

/** What does not agree between what the administrator did, the devices, and the server. Empty when everything is as it must be. */
export function differences(world: World): readonly string[] {
  return [
    ...world.problems,
    ...mailDifferences(world),
    ...world.subjects.flatMap((subject) => differencesOf(world, subject).map((text) => `${subject.username}: ${text}`)),
  ];
}

/** Every mail that the server took arrived, and no other one. A crash may have sent it twice, under the same Message-ID. */
function mailDifferences({ lab, mails, agedMails }: World): readonly string[] {
  const found: string[] = [];
  const arrived = new Map(
    lab.admin.inbox({ limit: 1_000 }).map(({ source, to }) => [/^message-id:\s*<([^@>]+)@/im.exec(new TextDecoder().decode(source))?.[1] ?? '', to.join()]),
  );
  const isForgiven = (id: string): boolean => agedMails.has(id) && lab.admin.mail(id).status === 'expired';
  for (const [id, to] of mails) if (!isForgiven(id) && arrived.get(id) !== to) found.push(`mail ${id}: to ${to}, and ${arrived.get(id) ?? 'nobody'} has it`);
  for (const id of arrived.keys()) if (!mails.has(id)) found.push(`mail ${id} arrived, and nobody sent it`);
  for (const { mailId, status } of lab.admin.mails()) if (status !== 'sent' && !isForgiven(mailId)) found.push(`mail ${mailId}: ${status}`);
  return found;
}

/** The model of the device after its commands, and what it must have answered to each. */
function expectedAfter(subject: Subject, executions: readonly Execution[]): { readonly expected: Expected; readonly answers: ReadonlyMap<string, string> } {
  const { device, kind, supervised, commands } = subject;
  const subjected = { kind, supervised, hasPassword: device.options.hasPassword };
  const answers = new Map<string, string>();
  let expected = activated(subjected);
  for (const { commandId } of executions) {
    const given = commands.find(({ id }) => id === commandId);
    if (given === undefined || answers.has(commandId)) continue;
    const { now, status } = carriedOut(expected, given.name, subjected);
    expected = now;
    answers.set(commandId, status);
  }
  return { expected, answers };
}

function differencesOf(world: World, subject: Subject): readonly string[] {
  const { device, removedId, kind, userIsDeleted } = subject;
  const removed = removedId !== undefined;
  const found: string[] = [];
  const same = (what: string, wanted: unknown, seen: unknown): void => {
    if (wanted !== seen) found.push(`${what}: expected ${String(wanted)}, found ${String(seen)}`);
  };
  const { client, state } = device;
  if (device.dead || client === undefined || state === undefined) return ['the device does not run'];
  const executions = device.executions();
  const { expected: managed, answers } = expectedAfter(subject, executions);
  for (const [id, status] of answers) same(`answer to ${id}`, status, executions.find(({ commandId }) => commandId === id)?.status);
  const deviceId = client.deviceId ?? device.lastDeviceId ?? removedId;
  const record = deviceId === undefined ? undefined : world.recordOf(deviceId);
  if (record === undefined) return [`state of the client: ${client.state}, and the server has no device ${deviceId ?? ''}`];
  // Its user took it out of management: the server has been told.
  const quit = record.message === 'removed by its user';
  const alive = !removed && !managed.left && !quit;
  const expected = alive || managed.left ? managed : withoutManagement(managed);
  compareState(same, expected, state);
  if (alive) {
    same('state of the client', 'active', client.state);
    same('devices of the user at the server', client.deviceId, world.activeDevices(subject).join());
    same('activation type', kind.activationType, state.activationType);
    if (subject.hasAged && record.serials.length < 2) found.push('the certificate was not renewed');
    if (isManaged(kind))
      same(
        'data of managed apps',
        !expected.wiped,
        state.apps.some(({ managed: isWork, hasData }) => isWork && hasData),
      );
    if (isManaged(kind)) found.push(...configurationDifferences(world, subject, state));
  } else {
    if (!['inactive', 'revoked'].includes(client.state)) found.push(`state of the client: expected inactive or revoked, found ${client.state}`);
    same('devices of the user at the server', 0, userIsDeleted ? 0 : world.activeDevices(subject).length);
    same('is managed', false, state.activationType !== undefined);
    same('managed apps', 0, state.apps.filter((app) => app.managed).length);
    same('profiles', 0, Object.keys(state.profiles.content).length);
    same('state at the server', removed ? 'removed' : 'deactivated', record.status);
  }
  found.push(...commandDifferences(world, subject, { deviceId: record.deviceId, executions, alive }));
  return found;
}

function compareState(same: (what: string, wanted: unknown, seen: unknown) => void, expected: Expected, state: DeviceState): void {
  same('locked', expected.locked, state.locked);
  same('has a password', expected.hasPassword, state.passwordHash !== undefined);
  same('personal data', expected.personalData, state.personalData);
  same('lost mode', expected.lost, state.lostMode !== undefined);
  const isInstalled = state.osVersion === '21.1';
  // A device that was emptied keeps its operating system, and no download.
  const newer = isInstalled ? 'installed' : state.downloadedOsVersion === undefined ? 'none' : 'downloaded';
  same('version', expected.personalData || expected.newer === 'installed' ? expected.newer : 'none', newer);
  const { workSpace } = state;
  same('work space', expected.workSpace !== undefined, workSpace !== undefined);
  if (expected.workSpace === undefined || workSpace === undefined) return;
  same('work space locked', expected.workSpace.locked, workSpace.locked);
  same('work space enabled', expected.workSpace.enabled, workSpace.enabled);
  same('work space has a password', expected.workSpace.hasPassword, workSpace.passwordHash !== undefined);
}

/** What groups and assignments lead to, on the device itself. */
function configurationDifferences({ configuration }: World, subject: Subject, { policy, profiles, apps }: DeviceState): readonly string[] {
  const found: string[] = [];
  const wanted = configuration.expectedOn(subject);
  const length = minimumLengthOf(policy.content);
  if (wanted.minimumLength !== length) found.push(`policy: expected ${wanted.minimumLength}, found ${String(length)}`);
  const held = new Map(Object.entries(profiles.content).map(([id, profile]) => [id, ssidOf(profile)]));
  for (const [id, ssid] of wanted.profiles) if (held.get(id) !== ssid) found.push(`profile ${id}: expected ${ssid || 'it'}, found ${held.get(id)}`);
  for (const id of held.keys()) if (!wanted.profiles.has(id)) found.push(`profile ${id} is on the device, and not assigned`);
  const hasApp = apps.some(({ id, managed }) => managed && id === APP_ID);
  if (hasApp !== wanted.hasApp) found.push(`assigned app: expected ${wanted.hasApp}, found ${hasApp}`);
  return found;
}

function ssidOf(profile: unknown): string {
  return String((profile as { readonly content?: { readonly ssid?: unknown } }).content?.ssid ?? '');
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
  for (const { id, name, cancelled } of commands) {
    const count = times.get(id) ?? 0;
    const command = atServer.get(id);
    const execution = executions.find(({ commandId }) => commandId === id);
    const about = `${GIVEN_COMMANDS[name].type} ${id.slice(0, 8)} (${command?.state ?? 'unknown'} at the server, carried out ${count} times)`;
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
