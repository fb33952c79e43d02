import { decodeCbor } from './cbor/decode.ts';
import { isCborMap } from './cbor/value.ts';
import { address, certificate, certificates, epochSeconds, id16, point65, random32, spkiPins, suite, suites, userIdText, version, versions } from './common.ts';
import { type MessageCodec, message } from './frame.ts';
import { LIMITS } from './limits.ts';
import { arrayOf, bool, bytes, coded, document, type FieldType, numbered, optional, required, structure, text, uint, type WireDocument } from './schema.ts';

/** What the device says of itself (F1.3). A claim, not an identity. */
export interface DeviceInfo {
  /** For example `android-enterprise`, `ios`. */
  readonly platform: string;
  readonly osVersion: string;
  readonly model: string;
  readonly clientVersion: string;
  /** Serial number or the like, as the operating system gives it to the client. */
  readonly serialNumber?: string | undefined;
  /** The operating system is jailbroken or rooted, as far as the device can tell. Absent: it does not say. */
  readonly compromised?: boolean | undefined;
}

export const deviceInfo: FieldType<DeviceInfo> = structure<DeviceInfo>({
  platform: required(0, text(1, 64)),
  osVersion: required(1, text(1, 64)),
  model: required(2, text(1, 64)),
  clientVersion: required(3, text(1, 64)),
  serialNumber: optional(4, text(1, 64)),
  compromised: optional(5, bool()),
});

/** Which secret the device holds: typed by a person, or scanned from a QR code (128 random bits). */
export type SecretKind = 'password' | 'qr';

/** A1 (F1.3): the device asks to be activated. */
export interface ActivationStart {
  readonly versions: readonly number[];
  readonly suites: readonly number[];
  /** Canonical form, see `canonicalUserId`. */
  readonly userId: string;
  readonly random: Uint8Array;
  readonly deviceInfo: DeviceInfo;
  readonly secretKind: SecretKind;
  /** Which of the user's secrets of this kind; absent: the one that is bound to no profile (`SECRET_SLOTS`). */
  readonly secretSlot?: number | undefined;
}

/** Secrets of one kind that a user may have at a time: slot 0, and slots 1 and 2 for those that are paired with an activation profile. */
export const SECRET_SLOTS = 3;

/** Slot 0 is never written, so that each choice has one encoding. */
const pairedSlot: FieldType<number> = uint(1, SECRET_SLOTS - 1);

export const activationStart: MessageCodec<ActivationStart> = message(
  'activationStart',
  structure<ActivationStart>({
    versions: required(0, versions),
    suites: required(1, suites),
    userId: required(2, userIdText),
    random: required(3, random32),
    deviceInfo: required(4, deviceInfo),
    secretKind: required(5, numbered<SecretKind>('password', 'qr')),
    secretSlot: optional(6, pairedSlot),
  }),
);

/** A2 (F1.4): how the secret is stretched. The same for known and unknown users. */
export interface ActivationParameters {
  readonly version: number;
  readonly suite: number;
  readonly activationId: Uint8Array;
  readonly coreId: string;
  readonly salt: Uint8Array;
  /** scrypt N, r, p. */
  readonly cost: readonly number[];
  readonly random: Uint8Array;
}

export const activationParameters: MessageCodec<ActivationParameters> = message(
  'activationParameters',
  structure<ActivationParameters>({
    version: required(0, version),
    suite: required(1, suite),
    activationId: required(2, id16),
    coreId: required(3, text()),
    salt: required(4, bytes(16)),
    cost: required(5, arrayOf(uint(1, 1_048_576), 3, 3)),
    random: required(6, random32),
  }),
);

/** A3: SPAKE2+ shareP. */
export interface ActivationShare {
  readonly activationId: Uint8Array;
  readonly shareP: Uint8Array;
}

export const activationShare: MessageCodec<ActivationShare> = message(
  'activationShare',
  structure<ActivationShare>({ activationId: required(0, id16), shareP: required(1, point65) }),
);

/** A4: SPAKE2+ shareV and the server's key confirmation, which the device checks before it sends anything more. */
export interface ActivationShareReply {
  readonly shareV: Uint8Array;
  readonly confirmV: Uint8Array;
}

export const activationShareReply: MessageCodec<ActivationShareReply> = message(
  'activationShareReply',
  structure<ActivationShareReply>({ shareV: required(0, point65), confirmV: required(1, bytes(32)) }),
);

/** A5: the device's key confirmation, and its certificate request in a record (`ActivationRequestContent`). */
export interface ActivationRequest {
  readonly activationId: Uint8Array;
  readonly confirmP: Uint8Array;
  /** CBC record with sequence number 0. */
  readonly record: Uint8Array;
}

export const activationRequest: MessageCodec<ActivationRequest> = message(
  'activationRequest',
  structure<ActivationRequest>({
    activationId: required(0, id16),
    confirmP: required(1, bytes(32)),
    record: required(2, bytes(1, LIMITS.certificateBodyBytes - 64)),
  }),
);

/** Plaintext of the record in A5. */
export interface ActivationRequestContent {
  /** PKCS#10 in DER; its challengePassword is base64url(pop). */
  readonly csr: Uint8Array;
  readonly attestation?: Uint8Array | undefined;
  /** Activation types that the device can take, in no order; absent: the server's choice is tried. */
  readonly activationTypes?: readonly string[] | undefined;
}

export const activationRequestContent: MessageCodec<ActivationRequestContent> = message(
  'activationRequest',
  structure<ActivationRequestContent>({
    csr: required(0, certificate),
    attestation: optional(1, bytes(1, LIMITS.certificateBytes)),
    activationTypes: optional(2, arrayOf(text(1, 64), 1, 16)),
  }),
);

/** A6: the activation details, or why there are none, in a record (`ActivationOutcome`). */
export interface ActivationResult {
  /** CBC record with sequence number 0. */
  readonly record: Uint8Array;
}

export const activationResult: MessageCodec<ActivationResult> = message(
  'activationResult',
  structure<ActivationResult>({ record: required(0, bytes(1, LIMITS.bodyBytes - 64)) }),
);

/** What the device is to be (F1.4, F1.5). */
export interface DeviceConfiguration {
  /** For example `work-and-personal-full-control`. */
  readonly activationType: string;
  readonly createWorkSpace: boolean;
  readonly encryptDevice: boolean;
  /** Regular poll (F5.2), seconds, and the width of the random part that is added to it. */
  readonly pollIntervalS: number;
  readonly pollJitterS: number;
  /** `host:port` of the device listener (mTLS). */
  readonly deviceAddress: string;
  /** `host:port` of the listener for devices that sign their requests (docs/protocol/11-signatures.md); absent: there is none. */
  readonly signedDeviceAddress?: string | undefined;
  /** `host:port` of the notification service; absent: the device only polls. */
  readonly notificationAddress?: string | undefined;
  /** Initial IT policy. */
  readonly policy?: WireDocument | undefined;
  readonly organizationNotice?: string | undefined;
}

export const deviceConfiguration: FieldType<DeviceConfiguration> = structure<DeviceConfiguration>({
  activationType: required(0, text(1, 64)),
  createWorkSpace: required(1, bool()),
  encryptDevice: required(2, bool()),
  pollIntervalS: required(3, uint(1, 31_536_000)),
  pollJitterS: required(4, uint(0, 31_536_000)),
  deviceAddress: required(5, address),
  notificationAddress: optional(6, address),
  policy: optional(7, document()),
  organizationNotice: optional(8, text(1, 4_096)),
  signedDeviceAddress: optional(9, address),
});

/** Plaintext of the record in A6. */
export interface ActivationDetails {
  /** Leaf first. */
  readonly certificates: readonly Uint8Array[];
  readonly tenantRoots: readonly Uint8Array[];
  /** SHA-256 of the SubjectPublicKeyInfo of servers that the device may meet; empty: roots decide alone. */
  readonly spkiPins: readonly Uint8Array[];
  readonly deviceId: string;
  readonly tunnelKey: Uint8Array;
  readonly configuration: DeviceConfiguration;
}

export const activationDetails: MessageCodec<ActivationDetails> = message(
  'activationResult',
  structure<ActivationDetails>({
    certificates: required(0, certificates),
    tenantRoots: required(1, certificates),
    spkiPins: required(2, spkiPins),
    deviceId: required(3, text(1, 64)),
    tunnelKey: required(4, bytes(32)),
    configuration: required(5, deviceConfiguration),
  }),
);

/** Why UEM does not activate a device whose user has proved the secret (F1.4). A closed set: the device can tell its user what to do about each. */
export type ActivationRefusalReason =
  | 'deviceLimit'
  | 'kindNotAllowed'
  | 'osTooOld'
  | 'modelNotAllowed'
  | 'activationTypeNotAvailable'
  | 'licenceLimit'
  | 'compliance';

export const ACTIVATION_REFUSAL_REASONS: Readonly<Record<ActivationRefusalReason, number>> = {
  deviceLimit: 1,
  kindNotAllowed: 2,
  osTooOld: 3,
  modelNotAllowed: 4,
  activationTypeNotAvailable: 5,
  licenceLimit: 6,
  compliance: 7,
};

/** The other plaintext of the record in A6: the secret is right and is not used up, but there is no device. */
export interface ActivationRefused {
  readonly refusal: ActivationRefusalReason;
  /** For the user: what would be allowed. */
  readonly message?: string | undefined;
}

export const activationRefused: MessageCodec<ActivationRefused> = message(
  'activationResult',
  structure<ActivationRefused>({ refusal: required(6, coded(ACTIVATION_REFUSAL_REASONS)), message: optional(7, text(1, LIMITS.resultMessageBytes)) }),
);

/** Plaintext of the record in A6. */
export type ActivationOutcome = ActivationDetails | ActivationRefused;

/** Key of `ActivationRefused.refusal`; details have no such key, so it tells the two apart. */
const REFUSAL_KEY = 6;

/** True when the outcome is a refusal. */
export function isActivationRefused(outcome: ActivationOutcome): outcome is ActivationRefused {
  return 'refusal' in outcome;
}

/** Writes the plaintext of the record in A6. */
export function encodeActivationOutcome(outcome: ActivationOutcome): Uint8Array {
  return isActivationRefused(outcome) ? activationRefused.encodeBody(outcome) : activationDetails.encodeBody(outcome);
}

/** Reads the plaintext of the record in A6. @throws ProtocolError `ERR_WIRE_*` */
export function decodeActivationOutcome(plaintext: Uint8Array): ActivationOutcome {
  const map = decodeCbor(plaintext);
  return isCborMap(map) && map.has(REFUSAL_KEY) ? activationRefused.decodeBody(plaintext) : activationDetails.decodeBody(plaintext);
}

/** A7 (F1.5), over mTLS with the new certificate. From here on the device counts. */
export interface ActivationDone {
  readonly deviceId: string;
  /** `declined`: the user did not agree to the organisation's notice, so nothing was configured. */
  readonly status: 'completed' | 'failed' | 'declined';
  /** Why the device could not apply its configuration. */
  readonly message?: string | undefined;
}

export const activationDone: MessageCodec<ActivationDone> = message(
  'activationDone',
  structure<ActivationDone>({
    deviceId: required(0, text(1, 64)),
    status: required(1, numbered<ActivationDone['status']>('completed', 'failed', 'declined')),
    message: optional(2, text(1, LIMITS.resultMessageBytes)),
  }),
);

/** Content of an activation QR code: base64url of this map (no frame header). */
export interface QrCode {
  readonly format: number;
  /** `host:port` of the activation listener. */
  readonly host: string;
  readonly userId: string;
  readonly secret: Uint8Array;
  /** SHA-256 of the SubjectPublicKeyInfo of the first TLS listener that the device dials. */
  readonly spkiPin: Uint8Array;
  readonly coreId: string;
  readonly expiryEpochS: number;
  /** Goes into A1; absent: 0. */
  readonly secretSlot?: number | undefined;
}

export const qrCode: FieldType<QrCode> = structure<QrCode>({
  format: required(0, uint(1, 1)),
  host: required(1, address),
  userId: required(2, userIdText),
  secret: required(3, bytes(16)),
  spkiPin: required(4, bytes(32)),
  coreId: required(5, text()),
  expiryEpochS: required(6, epochSeconds),
  secretSlot: optional(7, pairedSlot),
});
