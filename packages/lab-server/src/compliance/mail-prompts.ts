import type { DeliverySurroundings } from '../configuration/deliver.ts';
import { COMPLIANCE_TEMPLATE_ID } from '../mail/device-templates.ts';
import { hasRoomForMail, mailAddressOf, queueMail, timeText } from '../mail/queue-mail.ts';
import { templateInForce } from '../mail/template-in-force.ts';
import type { DeviceRecord } from '../state/devices.ts';
import type { FindingRecord } from '../state/supervision.ts';
import { userByGuid } from '../state/users.ts';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type ComplianceAction, type ComplianceContent, type ComplianceRule, enforcementOf } from './compliance-content.ts';

/** Where the user is told of a broken rule. */
export interface PromptWays {
  readonly onDevice: boolean;
  readonly byMail: boolean;
}

/** What comes after the last prompt, in words for the user. */
const CONSEQUENCES: Readonly<Record<ComplianceAction, string>> = {
  MONITOR_AND_LOG: 'it is noted',
  UNTRUST: 'the device loses access to the resources of the organization',
  DELETE_WORK_DATA: 'the work data on the device is deleted',
  DELETE_ALL_DATA: 'the data on the device is deleted',
  REMOVE_FROM_SERVER: 'the device is not managed any more',
};

/** True when a mail can be put into the outbox for the user of this device. */
export function canMailUser(view: ReadView, { userGuid }: DeviceRecord): boolean {
  return mailAddressOf(userByGuid(view, userGuid)) !== undefined && hasRoomForMail(view);
}

/** The ways that the rule asks for. Nobody is acted against without having been asked: where no mail can be sent, the device is told in its place. Pure. */
export function promptWays(content: ComplianceContent, rule: string, canMail: boolean): PromptWays {
  const method = enforcementOf(content, rule as ComplianceRule)?.promptMethod ?? 'DEVICE_NOTIFICATION';
  const byMail = method !== 'DEVICE_NOTIFICATION' && canMail;
  return { byMail, onDevice: method !== 'EMAIL' || !byMail };
}

/**
 * Puts one mail for all rules that its user is asked about now into the outbox. It is written together with the count of the prompts, so no crash makes two of one. A mail that no host has taken
 * when the next step is due is of no use any more.
 */
export function mailPrompts(
  tx: WriteView,
  device: DeviceRecord,
  content: ComplianceContent,
  findings: readonly FindingRecord[],
  surroundings: DeliverySurroundings,
): void {
  const user = userByGuid(tx, device.userGuid);
  const template = templateInForce(tx, COMPLIANCE_TEMPLATE_ID);
  const dueMs = Math.min(...findings.flatMap(({ nextMs }) => nextMs ?? []));
  if (user === undefined || template === undefined || !Number.isFinite(dueMs)) return;
  const values = { device: device.info.model, findings: findings.map((finding) => lineOf(content, finding)).join('\n') };
  if (queueMail(tx, { user, template, deviceId: device.deviceId, expiresAtMs: dueMs, values }, surroundings) !== undefined) surroundings.mailWaits?.();
}

function lineOf(content: ComplianceContent, { rule, displayName, prompts, nextMs = 0 }: FindingRecord): string {
  const { promptCount, action } = enforcementOf(content, rule as ComplianceRule) ?? { promptCount: prompts, action: 'MONITOR_AND_LOG' as const };
  const next = prompts < promptCount ? 'you are asked again' : CONSEQUENCES[action];
  return `- ${displayName} (notice ${prompts} of ${promptCount}; ${timeText(nextMs)}: ${next})`;
}
