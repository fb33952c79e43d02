import * as v from 'valibot';
import { complianceContent } from '../compliance/compliance-content.ts';
import type { ProfileKind } from '../state/configuration-profiles.ts';
import { connectivityContent } from './connectivity-content.ts';
import { flag, hostName, line, port } from './content-parts.ts';

const whole = (min: number, max: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max));
const appIds = v.optional(v.pipe(v.array(line(128)), v.maxLength(200)));
/** Base64 of DER. */
const certificate = v.pipe(v.string(), v.minLength(1), v.maxLength(16_384), v.base64('is not base64'));

const agentContent: v.GenericSchema<unknown, AgentContent> = v.strictObject({
  pollIntervalS: v.optional(whole(1, 31_536_000)),
  pollJitterS: v.optional(whole(0, 31_536_000)),
  /** UEM asks for device information and installed apps so often. */
  inventoryIntervalS: v.optional(whole(60, 31_536_000)),
});

/**
 * Contents of profiles, by kind. The kinds are documented; of their settings only some are public, so the fields are ours but for *compliance* and the routes of
 * *dynamics-connectivity*.
 */
export const PROFILE_CONTENTS: Readonly<Record<ProfileKind, v.GenericSchema>> = {
  compliance: complianceContent,
  'enterprise-connectivity': v.strictObject({
    secureConnectPlus: flag,
    secureGateway: flag,
    routedApplications: appIds,
  }),
  'enterprise-management-agent': agentContent,
  dynamics: v.strictObject({
    requireDeviceManagement: flag,
    enrollUemClient: flag,
    enableLauncher: flag,
    startAfterConditionalAccess: flag,
    /** Entitlement ids of the apps that may ask for access keys of other apps on their device. */
    activationDelegates: appIds,
    /** Apps lock after this time without use. */
    idleLockMinutes: v.optional(whole(1, 1_440)),
    /** Apps that have not reached UEM for so long are blocked, or destroy their data. */
    noContactDays: v.optional(whole(1, 3_650)),
    noContactAction: v.optional(v.picklist(['block', 'wipe'])),
    passwordMinLength: v.optional(whole(1, 64)),
    passwordMaxTries: v.optional(whole(1, 100)),
    /** What too many wrong passwords do. */
    whenExhausted: v.optional(v.picklist(['lock', 'wipe'])),
    passwordHistory: v.optional(whole(1, 20)),
    passwordMaxAgeDays: v.optional(whole(1, 3_650)),
    /** Apps ask so often what has changed. */
    updateIntervalMinutes: v.optional(whole(5, 1_440)),
  }),
  'dynamics-connectivity': connectivityContent,
  'device-sr-requirements': v.strictObject({
    minimumOsVersion: v.optional(line(64)),
    installOverWiFiOnly: flag,
    deferDays: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(365))),
  }),
  'factory-reset-protection': v.strictObject({
    enabled: v.boolean(),
    accounts: v.optional(v.pipe(v.array(line(254)), v.maxLength(20))),
  }),
  gatekeeping: v.strictObject({
    servers: v.pipe(v.array(hostName), v.minLength(1), v.maxLength(20)),
    domain: v.optional(line(128)),
  }),
  email: v.strictObject({
    server: hostName,
    port: v.optional(port),
    useTls: flag,
    domain: v.optional(line(128)),
    syncDays: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(365))),
    useSecureGateway: flag,
    certificateProfile: v.optional(line(64)),
  }),
  'wi-fi': v.strictObject({
    ssid: v.pipe(v.string(), v.minLength(1), v.maxLength(32)),
    hidden: flag,
    security: v.picklist(['OPEN', 'WPA2_PERSONAL', 'WPA3_PERSONAL', 'WPA2_ENTERPRISE', 'WPA3_ENTERPRISE']),
    preSharedKey: v.optional(v.pipe(v.string(), v.minLength(8), v.maxLength(63))),
    certificateProfile: v.optional(line(64)),
    proxy: v.optional(v.strictObject({ host: hostName, port })),
  }),
  vpn: v.strictObject({
    server: hostName,
    kind: v.picklist(['IKEV2', 'L2TP', 'TLS']),
    authentication: v.picklist(['SHARED_SECRET', 'CERTIFICATE', 'PASSWORD']),
    sharedSecret: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(128))),
    certificateProfile: v.optional(line(64)),
    perAppApplications: appIds,
  }),
  certificate: v.strictObject({ certificate, trust: v.optional(v.picklist(['AUTHORITY', 'SERVER'])) }),
  'certificate-retrieval': v.strictObject({ server: hostName, port: v.optional(port), baseName: v.optional(line(254)), useTls: flag }),
  'user-credential': v.strictObject({
    authority: line(128),
    keyBits: v.optional(v.picklist([2_048, 3_072, 4_096])),
    renewBeforeDays: v.optional(whole(1, 365)),
  }),
  'custom-payload': v.strictObject({
    platforms: v.optional(v.pipe(v.array(line(32)), v.maxLength(8))),
    payload: v.pipe(v.string(), v.minLength(1), v.maxLength(24_000)),
  }),
};

/** Fields that are told to devices only: an administrator writes them and never reads them back. */
export const SECRET_FIELDS: readonly string[] = ['preSharedKey', 'sharedSecret', 'payload'];

/** Content of a management agent profile. */
export interface AgentContent {
  readonly pollIntervalS?: number | undefined;
  readonly pollJitterS?: number | undefined;
  readonly inventoryIntervalS?: number | undefined;
}
