import type { ComplianceStatus } from '../operating-systems/device-state.ts';
import type { ConfigurationContent } from '../scenario/scenario.ts';
import type { Difference } from './difference.ts';

/** Compliance of one device as plan, server and device have it. */
export interface AuditedCompliance {
  /** Absent: the plan has no compliance profile for this device. */
  readonly planned?: PlannedCompliance | undefined;
  /** Rules that the device breaks, as the server says. */
  readonly server: readonly string[];
  /** The newest status that the device was told; absent: none ever. */
  readonly held?: ComplianceStatus | undefined;
}

export interface PlannedCompliance {
  /** What the compliance profile says. */
  readonly content: ConfigurationContent;
  /** Rules that the plan can decide; of the others it expects nothing. */
  readonly decided: readonly string[];
  /** Of these, the ones that the device breaks. */
  readonly broken: readonly string[];
}

/** Compares what the server says of a device's compliance with the plan, and what the device was told with the server. */
export function checkCompliance(device: number, { planned, server, held }: AuditedCompliance): readonly Difference[] {
  const found: Difference[] = [];
  for (const rule of planned?.decided ?? []) {
    const isBroken = planned?.broken.includes(rule) === true;
    if (isBroken !== server.includes(rule))
      found.push({ device, problem: 'complianceNotPlanned', detail: `${rule}: ${wordOf(!isBroken)} says the server; by the plan it ${wordOf(isBroken)}` });
  }
  const told = (held?.findings ?? []).map(({ rule }) => rule);
  const differs = (detail: string): void => void found.push({ device, problem: 'complianceDiffers', detail });
  for (const rule of told) if (!server.includes(rule)) differs(`${rule}: broken on the device, not on the server`);
  // Of a rule whose user is asked by mail alone the device hears nothing; without a profile of the plan nobody here knows of it.
  if (planned === undefined || Object.values(planned.content).some(isByMailAlone)) return found;
  for (const rule of server) if (!told.includes(rule)) differs(`${rule}: broken on the server, the device was not told`);
  if (held !== undefined && held.compliant !== (server.length === 0)) differs(`the device takes itself for ${held.compliant ? '' : 'not '}compliant`);
  return found;
}

function wordOf(isBroken: boolean): string {
  return isBroken ? 'is broken' : 'is kept';
}

function isByMailAlone(rule: unknown): boolean {
  return (rule as { readonly promptMethod?: unknown }).promptMethod === 'EMAIL';
}
