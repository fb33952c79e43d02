import { toHex } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { complianceDeletion } from '../admin/compliance-deletion.ts';
import type { DeliverySurroundings } from '../configuration/deliver.ts';
import type { DeviceFacts } from '../configuration/device-facts.ts';
import { attend, silentSince } from '../state/attendance.ts';
import { cancelCommand, commandById, enqueueOwnCommand, finishCommand } from '../state/command-queue.ts';
import { endDevice } from '../state/device-lifecycle.ts';
import { type DeviceRecord, deviceById } from '../state/devices.ts';
import { appendEvent } from '../state/events.ts';
import { inventoryOf } from '../state/inventory.ts';
import { type FindingRecord, putSupervision, type SupervisionRecord, supervisionOf } from '../state/supervision.ts';
import { putDueWakeUp } from '../state/wake-ups.ts';
import type { WriteView } from '../store/lab-store.ts';
import { type ComplianceAction, type ComplianceContent, type ComplianceRule, enforcementOf } from './compliance-content.ts';
import { type Enforced, enforce } from './enforce.ts';
import { canMailUser, mailPrompts, promptWays } from './mail-prompts.ts';
import { nextViolationMs, violationsOf } from './violations.ts';

/** What is watched on a device. */
export interface Watched {
  readonly content: ComplianceContent;
  readonly facts: DeviceFacts;
  /** Application ids that are assigned to it as required. */
  readonly requiredApplications: readonly string[];
  /** UEM asks for the inventory so often; undefined: it does not by itself. */
  readonly inventoryIntervalS?: number | undefined;
}

/** What became of the device. */
export interface Supervised {
  readonly isUntrusted: boolean;
  /** Something new waits for the device. */
  readonly isQueued: boolean;
  /** The device is not managed any more. */
  readonly hasEnded: boolean;
}

const NOTHING: Supervised = { isUntrusted: false, isQueued: false, hasEnded: false };

/** The command that tells a device what it breaks. */
export const STATUS_COMMAND = 'UPDATE_COMPLIANCE_STATUS';
const REQUESTS = ['REQUEST_DEVICE_INFO', 'REQUEST_INSTALLED_APPS'] as const;

/**
 * Looks at an active device by the rules in force: tells its user, acts, and asks for the inventory, as far as each is due. Called when inventory, configuration or time has changed
 * something; a look more changes nothing.
 */
export function superviseDevice(tx: WriteView, device: DeviceRecord, watched: Watched, surroundings: DeliverySurroundings): Supervised {
  const { deviceId } = device;
  const { content, inventoryIntervalS } = watched;
  const { nowMs } = surroundings;
  const facts = { ...watched.facts, lastContactMs: silentSince(attend(tx, nowMs), watched.facts.lastContactMs, nowMs) };
  const before = supervisionOf(tx, deviceId);
  const violations = violationsOf(content, facts, { requiredApplications: watched.requiredApplications, nowMs });
  const enforced = enforce(content, violations, before?.findings ?? [], nowMs);
  const askedAtMs = inventoryIntervalS === undefined ? undefined : lastAsked(tx, deviceId, before, device);
  const isAskDue = inventoryIntervalS !== undefined && askedAtMs !== undefined && nowMs >= askedAtMs + inventoryIntervalS * 1_000;
  const asked = isAskDue ? nowMs : askedAtMs;
  const askDueMs = asked === undefined || inventoryIntervalS === undefined ? undefined : asked + inventoryIntervalS * 1_000;
  const dueMs = earliest(enforced.dueMs, nextViolationMs(content, facts, nowMs), askDueMs);
  const isUntrusted = enforced.findings.some(({ acted }) => acted === 'UNTRUST');

  const canMail = canMailUser(tx, device);
  const mailed = enforced.findings.filter(({ rule }) => enforced.prompted.some((one) => one === rule) && promptWays(content, rule, canMail).byMail);
  if (mailed.length > 0) mailPrompts(tx, device, content, mailed, surroundings);
  const isOnDevice = (rule: string): boolean => promptWays(content, rule, canMail).onDevice;
  const hasNews = isToBeTold(isOnDevice, before, enforced);
  const status = hasNews ? tellStatus(tx, device, { content, isOnDevice }, enforced, before, surroundings) : before?.statusCommand;
  if (isAskDue) for (const type of REQUESTS) queue(tx, deviceId, type, {}, surroundings);
  const isWatched = dueMs !== undefined || enforced.findings.length > 0 || asked !== undefined || status !== undefined;
  const record: SupervisionRecord = { findings: enforced.findings, isUntrusted: isUntrusted || undefined, statusCommand: status, askedAtMs: asked, dueMs };
  if (before !== undefined || isWatched) putSupervision(tx, deviceId, isWatched ? record : undefined);
  tellFindings(tx, deviceId, before?.findings ?? [], enforced.findings, nowMs);

  const hasActed = act(tx, device, enforced.actions, surroundings);
  const isQueued = hasNews || isAskDue || hasActed;
  if (isQueued && deviceById(tx, deviceId)?.status === 'active') putDueWakeUp(tx, deviceId, nowMs);
  return isWatched || isQueued ? { isUntrusted, isQueued, hasEnded: deviceById(tx, deviceId)?.status !== 'active' } : NOTHING;
}

/** Events of the rules that are broken now, or kept again, and of the actions that were taken. */
function tellFindings(tx: WriteView, deviceId: string, before: readonly FindingRecord[], after: readonly FindingRecord[], timeMs: number): void {
  for (const { rule, displayName: reason, acted: action } of after) {
    const known = before.find((finding) => finding.rule === rule);
    if (known === undefined) appendEvent(tx, { timeMs, type: 'COMPLIANCE_VIOLATED', deviceId, rule, reason });
    if (action !== undefined && known?.acted === undefined) appendEvent(tx, { timeMs, type: 'COMPLIANCE_ACTION', deviceId, rule, action });
  }
  for (const { rule } of before) if (after.every((finding) => finding.rule !== rule)) appendEvent(tx, { timeMs, type: 'COMPLIANCE_RESTORED', deviceId, rule });
}

/** A device is told when its user is to be asked there, when something was done, and when it keeps a rule again. */
function isToBeTold(isOnDevice: (rule: string) => boolean, before: SupervisionRecord | undefined, { findings, prompted, actions }: Enforced): boolean {
  const isCleared = before?.findings.some(({ rule }) => findings.every((finding) => finding.rule !== rule)) === true;
  return isCleared || actions.length > 0 || prompted.some(isOnDevice);
}

/** Queues the status; one that waits is replaced. Gives the id of the command; undefined when the device is not to be told. */
function tellStatus(
  tx: WriteView,
  { deviceId }: DeviceRecord,
  { content, isOnDevice }: { readonly content: ComplianceContent; isOnDevice(rule: string): boolean },
  { findings }: Enforced,
  before: SupervisionRecord | undefined,
  surroundings: DeliverySurroundings,
): string | undefined {
  if (before?.statusCommand !== undefined) cancelCommand(tx, deviceId, before.statusCommand, 'a newer status takes its place', surroundings.nowMs);
  const shown = findings.filter(({ rule }) => isOnDevice(rule));
  const properties = {
    compliant: findings.length === 0,
    findings: shown.map(({ rule, displayName, prompts, nextMs, acted }): wire.WireDocument => {
      const enforcement = enforcementOf(content, rule as ComplianceRule);
      const { promptCount: of = 0, action = 'MONITOR_AND_LOG' } = enforcement ?? {};
      const isOpen = acted === undefined && nextMs !== undefined;
      return { rule, displayName, action, ...(isOpen ? { prompt: prompts, of, nextAtEpochS: Math.floor(nextMs / 1_000) } : {}) };
    }),
  };
  return queue(tx, deviceId, STATUS_COMMAND, properties, surroundings);
}

function queue(tx: WriteView, deviceId: string, type: string, properties: wire.WireDocument, { entropy, nowMs }: DeliverySurroundings): string | undefined {
  return enqueueOwnCommand(tx, { commandId: toHex(entropy.randomBytes(16)), deviceId, type, properties }, nowMs)?.commandId;
}

/** Takes the actions of rules whose user did not do anything. True: a command waits for the device. */
function act(tx: WriteView, device: DeviceRecord, actions: readonly ComplianceAction[], surroundings: DeliverySurroundings): boolean {
  const { deviceId } = device;
  if (actions.includes('REMOVE_FROM_SERVER')) {
    const current = deviceById(tx, deviceId);
    if (current?.status === 'active') endDevice(tx, current, { status: 'removed', reason: 'out of compliance' }, surroundings.nowMs);
    return false;
  }
  const isAll = actions.includes('DELETE_ALL_DATA');
  if (!isAll && !actions.includes('DELETE_WORK_DATA')) return false;
  const command = complianceDeletion({ platform: device.info.platform, activationType: device.activationType }, isAll);
  return command !== undefined && queue(tx, deviceId, command, {}, surroundings) !== undefined;
}

/** When the inventory was asked for last: by UEM, or when the device last told it, or at its activation. */
function lastAsked(tx: WriteView, deviceId: string, before: SupervisionRecord | undefined, { activatedAtMs, createdAtMs }: DeviceRecord): number {
  const { deviceInfoAtMs = 0, installedAppsAtMs = 0 } = inventoryOf(tx, deviceId);
  return Math.max(before?.askedAtMs ?? activatedAtMs ?? createdAtMs, Math.min(deviceInfoAtMs, installedAppsAtMs));
}

function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** A device that begins anew or has ended: what was watched is of the past. */
export function endSupervision(tx: WriteView, deviceId: string, nowMs: number): void {
  const { statusCommand } = supervisionOf(tx, deviceId) ?? {};
  const command = statusCommand === undefined ? undefined : commandById(tx, deviceId, statusCommand);
  if (command !== undefined) finishCommand(tx, command, { state: 'cancelled', finishedAtMs: nowMs, message: 'the device began anew' });
  putSupervision(tx, deviceId, undefined);
}
