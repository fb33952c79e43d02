import { isProtocolError } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import type { DeviceRecord } from '../state/devices.ts';
import { decodeDocument, type InventoryRecord } from '../state/inventory.ts';
import { type OsFamily, osFamilyOf } from '../state/os-family.ts';

/** An app as the device reports it. */
export interface ReportedApp {
  readonly id: string;
  readonly version: string;
}

/** What UEM knows of a device. A fact that the device has not reported, or not in a form that anybody can read, is absent: nothing follows from it. */
export interface DeviceFacts {
  readonly osFamily?: OsFamily | undefined;
  /** Platform as the device named it at its activation. */
  readonly os: string;
  readonly osVersion: string;
  readonly hardwareModel: string;
  readonly activationType: string;
  /** As the activation profile said, else as the device reports. */
  readonly ownership?: string | undefined;
  readonly compromised?: boolean | undefined;
  readonly encrypted?: boolean | undefined;
  readonly passwordSet?: boolean | undefined;
  readonly installedApps?: readonly ReportedApp[] | undefined;
  readonly lastContactMs: number;
}

/** Apps of one report that are looked at. */
export const MAX_REPORTED_APPS = 2_000;
const TEXT_CHARACTERS = 256;

/** Fields of the record that facts are from. */
export type FactField = 'info' | 'activationType' | 'ownership' | 'lastContactMs' | 'activatedAtMs' | 'createdAtMs';
export const FACT_FIELDS: readonly FactField[] = ['info', 'activationType', 'ownership', 'lastContactMs', 'activatedAtMs', 'createdAtMs'];

/** What the device said when it was activated, and what it has reported since. */
export function deviceFacts(device: Pick<DeviceRecord, FactField>, inventory: InventoryRecord): DeviceFacts {
  const { info, activationType, lastContactMs, activatedAtMs, createdAtMs } = device;
  const reported = documentOf(inventory.deviceInfo);
  const apps = documentOf(inventory.installedApps)?.['applications'];
  return {
    osFamily: osFamilyOf(info.platform),
    os: info.platform,
    osVersion: text(reported?.['osVersion']) ?? info.osVersion,
    hardwareModel: text(reported?.['hardwareModel']) ?? info.model,
    activationType,
    ownership: device.ownership ?? text(reported?.['ownership']),
    compromised: truth(reported?.['compromised']) ?? info.compromised,
    encrypted: truth(reported?.['encrypted']),
    passwordSet: truth(reported?.['passwordSet']),
    installedApps: Array.isArray(apps) ? reportedApps(apps) : undefined,
    lastContactMs: lastContactMs ?? activatedAtMs ?? createdAtMs,
  };
}

/** A document of a device may be anything; one that cannot be read tells nothing. */
function documentOf(bytes: Uint8Array | undefined): wire.WireDocument | undefined {
  if (bytes === undefined) return undefined;
  try {
    return decodeDocument(bytes);
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}

function text(value: wire.WireDocumentValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= TEXT_CHARACTERS ? value : undefined;
}

function truth(value: wire.WireDocumentValue | undefined): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

function reportedApps(items: readonly wire.WireDocumentValue[]): readonly ReportedApp[] {
  const apps: ReportedApp[] = [];
  for (const item of items.slice(0, MAX_REPORTED_APPS)) {
    if (typeof item !== 'object' || Array.isArray(item) || item instanceof Uint8Array) continue;
    const { id, version } = item as wire.WireDocument;
    const appId = text(id);
    if (appId !== undefined) apps.push({ id: appId, version: text(version) ?? '' });
  }
  return apps;
}
