import { REGISTRATION } from '@uemkit/protocol/wire';
import { complianceContentOf } from '../compliance/activation-verdict.ts';
import { superviseDevice } from '../compliance/supervise-device.ts';
import { applicationByGuid } from '../state/applications.ts';
import { configurationProfileById } from '../state/configuration-profiles.ts';
import { DOCUMENT_NAMES } from '../state/deliveries.ts';
import { type DeviceRecord, deviceById, putDevice } from '../state/devices.ts';
import { decodeDocument, inventoryOf } from '../state/inventory.ts';
import { profileFor } from '../state/profiles.ts';
import { supervisionOf } from '../state/supervision.ts';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type AssignmentReader, assignmentReader } from './assigned-objects.ts';
import { type DeliverySurroundings, retarget } from './deliver.ts';
import { deviceFacts } from './device-facts.ts';
import { documentParts } from './documents.ts';
import { type EffectiveConfiguration, effectiveConfiguration } from './effective.ts';
import type { AgentContent } from './profile-contents.ts';

/**
 * Works out what one active device must be given, and looks at it by the compliance rules in force (F5.2). True: something new waits for it, so it has to be woken.
 * A device that is only registered is given nothing and watched by no rule.
 * Nothing else may hold on to `device`: its poll schedule may change, and it may end.
 */
export function recomputeDevice(
  tx: WriteView,
  device: DeviceRecord,
  surroundings: DeliverySurroundings,
  reader: AssignmentReader = assignmentReader(tx),
): boolean {
  const { deviceId, activationType } = device;
  if (activationType === REGISTRATION) return false;
  const facts = deviceFacts(device, inventoryOf(tx, deviceId));
  const wasUntrusted = supervisionOf(tx, deviceId)?.isUntrusted === true;
  let effective = effectiveConfiguration(reader.inputOf(device, facts, wasUntrusted));
  const agent = agentOf(tx, effective);
  const watched = {
    content: complianceContentOf(tx, effective.ranked.compliance),
    facts,
    requiredApplications: requiredApplications(tx, effective),
    inventoryIntervalS: agent.inventoryIntervalS,
  };
  const { isUntrusted, isQueued, hasEnded } = superviseDevice(tx, device, watched, surroundings);
  if (hasEnded) return false;
  if (isUntrusted !== wasUntrusted) effective = effectiveConfiguration(reader.inputOf(device, facts, isUntrusted));
  reschedule(tx, deviceId, agent);
  const parts = documentParts(tx, effective);
  const retargeted = DOCUMENT_NAMES.map((document) => retarget(tx, deviceId, document, parts[document], surroundings));
  return isQueued || retargeted.some((isNew) => isNew);
}

function agentOf(view: ReadView, { ranked }: EffectiveConfiguration): AgentContent {
  const id = ranked['enterprise-management-agent'];
  const profile = id === undefined ? undefined : configurationProfileById(view, id);
  return profile === undefined ? {} : (decodeDocument(profile.content) as AgentContent);
}

function requiredApplications(view: ReadView, { applications }: EffectiveConfiguration): readonly string[] {
  return Object.entries(applications).flatMap(([guid, disposition]) =>
    disposition === 'REQUIRED' ? (applicationByGuid(view, guid)?.applicationId ?? []) : [],
  );
}

/** The management agent profile says how often a device polls; without a word of it the activation profile does. */
function reschedule(tx: WriteView, deviceId: string, { pollIntervalS, pollJitterS }: AgentContent): void {
  const device = deviceById(tx, deviceId);
  const isSaid = pollIntervalS !== undefined || pollJitterS !== undefined;
  if (device === undefined || (!isSaid && device.hasAgentSchedule !== true)) return;
  const profile = profileFor(tx, device.profileId) ?? device;
  const schedule = { pollIntervalS: pollIntervalS ?? profile.pollIntervalS, pollJitterS: pollJitterS ?? profile.pollJitterS };
  if (device.pollIntervalS === schedule.pollIntervalS && device.pollJitterS === schedule.pollJitterS && (device.hasAgentSchedule === true) === isSaid) return;
  putDevice(tx, { ...device, ...schedule, hasAgentSchedule: isSaid || undefined });
}
