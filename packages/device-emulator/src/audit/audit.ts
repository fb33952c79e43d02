import { endsManagement } from '@uemkit/protocol';
import type { ServerCommand } from '../admin/admin-api.ts';
import type { Execution } from '../operating-systems/execution-log.ts';
import { type AppSums, type AuditedApp, appSums, checkApp } from './check-apps.ts';
import { type AuditedCompliance, checkCompliance } from './check-compliance.ts';
import { type AuditedConfiguration, checkConfiguration } from './check-configuration.ts';
import { checkExpectations, type PlannedCommand } from './check-expectations.ts';
import type { Difference } from './difference.ts';

/** One device as the run, the device itself and the server have it. */
export interface AuditedDevice {
  readonly index: number;
  /** Device id that the device got when it was activated; absent: it never was. */
  readonly activatedAs?: string | undefined;
  /** Why UEM refused its activation, in the words of the protocol (docs/protocol 2.7). */
  readonly refusal?: string | undefined;
  /** Compliance rules for which the plan has UEM refuse its activation; absent: it has to be activated. */
  readonly refusedFor?: readonly string[] | undefined;
  /** Device ids under which the server has it (live ones). */
  readonly serverIds: readonly string[];
  /** The device takes itself for managed. */
  readonly managed: boolean;
  /** The commands of the plan, those that UEM did not take included. */
  readonly sent: readonly PlannedCommand[];
  /** What the server knows of its commands; absent when there was nothing to ask for. */
  readonly serverCommands: readonly ServerCommand[];
  /** What the device carried out, in order. */
  readonly executions: readonly Execution[];
  /** Wake-ups that were lost and not made up for. */
  readonly lostPushes: number;
  /** Absent: not compared, because neither the plan nor the device has any. */
  readonly configuration?: AuditedConfiguration | undefined;
  /** Absent: not compared, because neither the plan nor the device has any. */
  readonly compliance?: AuditedCompliance | undefined;
}

export interface AuditReport {
  readonly ok: boolean;
  readonly planned: number;
  readonly activated: number;
  /** Devices that UEM refused to activate, as the plan expects. */
  readonly refused: number;
  readonly serverKnown: number;
  /** Devices that carried out a delete command. */
  readonly left: number;
  /** Devices for which nothing is open any more. */
  readonly drained: number;
  readonly apps: AppSums;
  /** Every difference, in the order of the devices, then of the apps. */
  readonly differences: readonly Difference[];
}

/**
 * Compares plan, devices and server: planned = activated = known to the server = drained, but for those that UEM has to refuse; no device twice, no command twice, none lost; each command became what the plan expects, and
 * each device holds the configuration that the server says. Pure, so that any process may repeat it.
 */
export function audit(devices: readonly AuditedDevice[], apps: readonly AuditedApp[] = []): AuditReport {
  const differences: Difference[] = [];
  let drained = 0;
  for (const device of devices) {
    const found = [...checkIdentity(device), ...checkCommands(device), ...checkConfigurationOf(device), ...checkComplianceOf(device), ...checkPushes(device)];
    differences.push(...found);
    if (device.activatedAs !== undefined && found.length === 0) drained++;
  }
  differences.push(...apps.flatMap(checkApp));
  return {
    ok: differences.length === 0,
    planned: devices.length,
    activated: devices.filter(({ activatedAs }) => activatedAs !== undefined).length,
    refused: devices.filter(isRefusedAsPlanned).length,
    // A device that left counts: the server knew it, and knows that it is gone.
    serverKnown: devices.filter((device) => device.activatedAs !== undefined && (hasLeft(device) || device.serverIds.includes(device.activatedAs))).length,
    left: devices.filter(hasLeft).length,
    drained,
    apps: appSums(apps),
    differences,
  };
}

/** True for a device that gave up its identity because a command told it to; the server must not have it as a live device. */
function hasLeft({ executions, managed }: AuditedDevice): boolean {
  return !managed && executions.some(({ type, status }) => status === 'done' && endsManagement(type));
}

/** True for a device that is out of compliance from the beginning, and that UEM did not let in for that. */
export function isRefusedAsPlanned({ activatedAs, refusal, refusedFor }: AuditedDevice): boolean {
  return activatedAs === undefined && refusedFor !== undefined && refusal === 'compliance';
}

function checkIdentity(audited: AuditedDevice): readonly Difference[] {
  const { index: device, activatedAs, refusal, refusedFor, serverIds, managed } = audited;
  const left = hasLeft(audited);
  const found: Difference[] = [];
  if (activatedAs === undefined) {
    if (!isRefusedAsPlanned(audited)) found.push({ device, problem: 'notActivated', detail: notActivated(refusal, refusedFor) });
    for (const id of serverIds) found.push({ device, problem: 'otherDeviceOnServer', detail: `the server has ${id}, the device knows nothing of it` });
    return found;
  }
  if (refusedFor !== undefined)
    found.push({ device, problem: 'activationNotRefused', detail: `activated as ${activatedAs}; the plan has UEM refuse it for ${refusedFor.join(', ')}` });
  if (!left && !managed)
    found.push({ device, problem: 'notManaged', detail: `activated as ${activatedAs}, and no command ended that, but the server refuses the device` });
  if (left) {
    if (serverIds.includes(activatedAs)) found.push({ device, problem: 'leftButOnServer', detail: `the device left, the server still has ${activatedAs}` });
  } else if (!serverIds.includes(activatedAs)) {
    found.push({ device, problem: 'notOnServer', detail: `activated as ${activatedAs}, missing on the server` });
  }
  for (const id of new Set(serverIds)) {
    if (id !== activatedAs) found.push({ device, problem: 'duplicateOnServer', detail: `activated as ${activatedAs}, the server has ${id} too` });
  }
  return found;
}

function notActivated(refusal: string | undefined, refusedFor: readonly string[] | undefined): string {
  const expected = refusedFor === undefined ? 'planned' : `the plan has UEM refuse it for ${refusedFor.join(', ')}`;
  return `${expected}, but ${refusal === undefined ? 'the device was never activated' : `UEM refused it: ${refusal}`}`;
}

const ENDED: ReadonlyMap<string, Execution['status'] | 'none'> = new Map([
  ['COMPLETED', 'done'],
  ['FAILED', 'failed'],
  ['CANCELLED', 'none'],
]);

function checkCommands(audited: AuditedDevice): readonly Difference[] {
  const { index: device, sent, serverCommands, executions, managed } = audited;
  const left = hasLeft(audited);
  const found: Difference[] = [];
  const byId = new Map(serverCommands.map((command) => [command.guid, command]));
  const ours = new Set(sent.flatMap(({ commandId }) => commandId ?? []));
  const executed = new Map<string, Execution>();
  for (const execution of executions) {
    const { commandId, type } = execution;
    if (executed.has(commandId)) found.push({ device, problem: 'executedTwice', detail: `${type} ${commandId}` });
    executed.set(commandId, execution);
    if (!byId.has(commandId))
      found.push({ device, problem: 'unknownCommand', detail: `the device carried out ${type} ${commandId}, the server has no such command` });
  }
  for (const { commandId, type } of sent) {
    if (commandId !== undefined && !byId.has(commandId))
      found.push({ device, problem: 'commandLost', detail: `${type} ${commandId} was sent, missing on the server` });
  }
  for (const { guid, type, status } of serverCommands) {
    const execution = executed.get(guid);
    const ended = ENDED.get(status);
    // What was queued when the device left can reach nobody any more.
    if (ended === undefined && !left) found.push({ device, problem: 'commandOpen', detail: `${type} ${guid} is ${status} on the server` });
    if (ended === 'done' || ended === 'failed') {
      if (execution === undefined) {
        // A command of somebody else may have expired on its way; ours do not expire.
        if (ours.has(guid))
          found.push({ device, problem: 'commandLost', detail: `${type} ${guid} is ${status} on the server, the device never carried it out` });
      } else if (execution.status !== ended)
        found.push({ device, problem: 'statusDiffers', detail: `${type} ${guid} is ${status} on the server, ${execution.status} on the device` });
    }
    if (ended === 'none' && execution === undefined && managed && ours.has(guid))
      found.push({ device, problem: 'commandCancelled', detail: `${type} ${guid} was sent and is ${status} on the server, the device never got it` });
    if (ended === 'none' && execution !== undefined)
      found.push({ device, problem: 'statusDiffers', detail: `${type} ${guid} is ${status} on the server, ${execution.status} on the device` });
  }
  found.push(...checkExpectations(device, sent, executed));
  return found;
}

/** A device that left gave up what UEM kept on it. */
function checkConfigurationOf(audited: AuditedDevice): readonly Difference[] {
  const { index, activatedAs, configuration } = audited;
  return configuration === undefined || activatedAs === undefined || hasLeft(audited) ? [] : checkConfiguration(index, configuration);
}

/** A status that is on its way is another one in a moment, and shows as a command that is open. */
function checkComplianceOf(audited: AuditedDevice): readonly Difference[] {
  const { index, activatedAs, compliance, serverCommands } = audited;
  const isOpen = serverCommands.some(({ type, status }) => type === 'UPDATE_COMPLIANCE_STATUS' && !ENDED.has(status));
  return compliance === undefined || activatedAs === undefined || isOpen || hasLeft(audited) ? [] : checkCompliance(index, compliance);
}

function checkPushes({ index: device, lostPushes }: AuditedDevice): readonly Difference[] {
  return lostPushes === 0 ? [] : [{ device, problem: 'pushNotRecovered', detail: `${lostPushes} lost, no regular poll since` }];
}
