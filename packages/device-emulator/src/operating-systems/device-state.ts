import { ProtocolError, utf8 } from '@uemkit/protocol';
import * as v from 'valibot';
import type { InstalledApp, SystemId } from './system-definition.ts';
import { SYSTEM_IDS } from './systems.ts';

/** A value of a policy or profile as it is kept: JSON without null. */
export type PlainValue = string | number | boolean | readonly PlainValue[] | { readonly [key: string]: PlainValue };
export type PlainDocument = { readonly [key: string]: PlainValue };

/** The work space (also: work profile) of a device. */
export interface WorkSpace {
  readonly locked: boolean;
  /** A disabled work space keeps its data and cannot be opened. */
  readonly enabled: boolean;
  /** SHA-256 in hex; absent: none is set, and the user is asked for one. */
  readonly passwordHash?: string | undefined;
  readonly createdAtMs: number;
}

/** What a lost device shows to whoever finds it. */
export interface LostMode {
  readonly phoneNumber: string;
  readonly message: string;
  readonly footnote?: string | undefined;
}

/** A policy or a set of profiles that is in force, with the revision that UEM gave it. */
export interface RevisedDocument {
  readonly revision: number;
  readonly content: PlainDocument;
}

/** Why the device is out of compliance, as UEM told it. */
export interface ComplianceFinding {
  readonly rule: string;
  readonly displayName?: string | undefined;
  readonly action?: string | undefined;
  /** Which time of how many the user is asked. */
  readonly prompt?: number | undefined;
  readonly of?: number | undefined;
}

/** What the UEM Client shows of compliance. */
export interface ComplianceStatus {
  readonly compliant: boolean;
  readonly findings: readonly ComplianceFinding[];
  /** How often the user has been asked. */
  readonly prompts: number;
}

/** Everything that an emulated device is, apart from its keys. A command turns one state into the next. */
export interface DeviceState {
  readonly system: SystemId;
  readonly osVersion: string;
  /** A version of the operating system that is on the device and not installed. */
  readonly downloadedOsVersion?: string | undefined;
  readonly model: string;
  readonly serialNumber: string;
  /** The organisation owns the device and prepared it for closer control. */
  readonly supervised: boolean;
  /** Absent until the device has been activated. */
  readonly activationType?: string | undefined;
  readonly locked: boolean;
  readonly lockMessage?: string | undefined;
  /** SHA-256 in hex: the emulator has no use for the password itself. */
  readonly passwordHash?: string | undefined;
  readonly lostMode?: LostMode | undefined;
  readonly encrypted: boolean;
  readonly workSpace?: WorkSpace | undefined;
  readonly policy: RevisedDocument;
  readonly profiles: RevisedDocument;
  /** Applications that are assigned; what is installed is in `apps`. */
  readonly applications: RevisedDocument;
  /** Absent: UEM has never said anything about it. */
  readonly compliance?: ComplianceStatus | undefined;
  readonly apps: readonly InstalledApp[];
  readonly storageMiB: number;
  /** Where in its charging cycle the battery was at time 0, in per mille. */
  readonly batteryPhase: number;
  readonly compromised: boolean;
  /** Personal data and files outside the work space are still there. */
  readonly personalData: boolean;
  /** Commands executed so far, those that failed included; the place of the next one in the execution log. */
  readonly commandsExecuted: number;
}

/** Version of the stored form. */
export const DEVICE_STATE_FORMAT = 1;

const plainValue: v.GenericSchema<PlainValue> = v.lazy(() =>
  v.union([v.string(), v.number(), v.boolean(), v.array(plainValue), v.record(v.string(), plainValue)]),
);
const revised = v.strictObject({ revision: v.pipe(v.number(), v.integer(), v.minValue(0)), content: v.record(v.string(), plainValue) });
const app = v.strictObject({ id: v.string(), name: v.string(), version: v.string(), managed: v.boolean(), hasData: v.boolean() });
const hash = v.pipe(v.string(), v.length(64));

const finding = v.strictObject({
  rule: v.string(),
  displayName: v.optional(v.string()),
  action: v.optional(v.string()),
  prompt: v.optional(v.number()),
  of: v.optional(v.number()),
});

const stored = v.strictObject({
  system: v.picklist(SYSTEM_IDS),
  osVersion: v.string(),
  downloadedOsVersion: v.optional(v.string()),
  model: v.string(),
  serialNumber: v.string(),
  supervised: v.boolean(),
  activationType: v.optional(v.string()),
  locked: v.boolean(),
  lockMessage: v.optional(v.string()),
  passwordHash: v.optional(hash),
  lostMode: v.optional(v.strictObject({ phoneNumber: v.string(), message: v.string(), footnote: v.optional(v.string()) })),
  encrypted: v.boolean(),
  workSpace: v.optional(v.strictObject({ locked: v.boolean(), enabled: v.boolean(), passwordHash: v.optional(hash), createdAtMs: v.number() })),
  policy: revised,
  profiles: revised,
  applications: revised,
  compliance: v.optional(v.strictObject({ compliant: v.boolean(), findings: v.array(finding), prompts: v.number() })),
  apps: v.array(app),
  storageMiB: v.number(),
  batteryPhase: v.number(),
  compromised: v.boolean(),
  personalData: v.boolean(),
  commandsExecuted: v.number(),
});
const envelope = v.strictObject({ format: v.number(), state: v.unknown() });

/** The durable form of a device's state. */
export function encodeDeviceState(state: DeviceState): Uint8Array {
  return utf8(JSON.stringify({ format: DEVICE_STATE_FORMAT, state }));
}

/** @throws ProtocolError `ERR_STORE_VERSION` for a newer form, `ERR_STORE_READ` for damaged bytes */
export function decodeDeviceState(bytes: Uint8Array): DeviceState {
  let outer: v.InferOutput<typeof envelope>;
  try {
    outer = v.parse(envelope, JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new ProtocolError('ERR_STORE_READ', 'the saved state of the device is damaged', { cause });
  }
  if (outer.format > DEVICE_STATE_FORMAT) {
    throw new ProtocolError('ERR_STORE_VERSION', 'the state of the device was saved by a newer version', { details: { format: outer.format } });
  }
  const parsed = v.safeParse(stored, outer.state);
  if (outer.format !== DEVICE_STATE_FORMAT || !parsed.success) throw new ProtocolError('ERR_STORE_READ', 'the saved state of the device is damaged');
  return parsed.output;
}
