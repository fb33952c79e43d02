import type { StretchRequest } from '../../key-schedule/stretch.ts';
import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { StoreWrite } from '../../ports/store.ts';
import type { ActivationDetails, ActivationRefusalReason, DeviceConfiguration, DeviceInfo, QrCode } from '../../wire/activation.ts';
import type { TransitionListener } from '../table.ts';
import type { ActivationRecord, ConfigurationOutcome } from './activation-record.ts';

/** What the user typed or scanned (F1.2b). */
export type ActivationSecret =
  | { readonly kind: 'password'; readonly userId: string; readonly password: string; readonly slot?: number | undefined }
  | { readonly kind: 'qr'; readonly code: QrCode };

/** What the device role asks of its driver. */
export type ActivationRequestToDriver =
  /** Public key of the device key, which is durable when the answer comes. */
  | { readonly type: 'publicKey'; readonly keyId: string }
  /** scrypt; the driver wipes nothing, the machine does. */
  | { readonly type: 'stretch'; readonly stretch: StretchRequest }
  | { readonly type: 'sign'; readonly keyId: string; readonly message: Uint8Array }
  /** Shows the notice of the organisation to the user (F1.5). It is repeated after a crash. */
  | { readonly type: 'consent'; readonly notice: string }
  /** Work space, encryption, initial policy (F1.5). Idempotent: it is repeated after a crash. */
  | { readonly type: 'configure'; readonly configuration: DeviceConfiguration };

export type ActivationRequestResult =
  | { readonly type: 'publicKey'; readonly publicKey: Uint8Array }
  | { readonly type: 'stretched'; readonly bytes: Uint8Array }
  | { readonly type: 'signed'; readonly signature: Uint8Array }
  | { readonly type: 'consented'; readonly agreed: boolean }
  /** `writes`: the device's own state, committed in one transaction with the record that it is configured. */
  | { readonly type: 'configured'; readonly outcome: ConfigurationOutcome; readonly writes: readonly StoreWrite[] };

export type ActivationEvent =
  /** A1 is out (F1.3). */
  | { readonly type: 'requested' }
  /** confirmV is right: from here on the server is known to hold the secret's verifier (F1.4). */
  | { readonly type: 'serverAuthenticated' }
  /** A6 is accepted and saved (F1.4). A7 goes over mutual TLS with these certificates. */
  | { readonly type: 'certificateReceived'; readonly details: ActivationDetails }
  /** The user has read the notice of the organisation (F1.5). */
  | { readonly type: 'consented'; readonly agreed: boolean }
  /** The configuration is applied, or has failed, and that is saved (F1.5). */
  | { readonly type: 'configured'; readonly outcome: ConfigurationOutcome };

/**
 * How an activation ends when the server has answered A7: activated; reported that the configuration failed or that the user declined; or refused because another
 * device has the last place by now.
 */
export type ActivationOutput =
  | { readonly status: 'activated'; readonly record: ActivationRecord }
  | { readonly status: 'configurationFailed'; readonly message: string }
  | { readonly status: 'declined' }
  | { readonly status: 'refused'; readonly reason: ActivationRefusalReason };

/** What the device needs of X.509, so that the machine does not depend on how it is written. */
export interface DeviceCertificates {
  /** CertificationRequestInfo in DER, the bytes that the device key signs. */
  requestInfo(publicKey: Uint8Array, challengePassword: string): Uint8Array;
  /** The whole request in DER; `signature` is r||s. */
  request(requestInfo: Uint8Array, signature: Uint8Array): Uint8Array;
  /**
   * The leaf is for this key and device id, and leads to one of the tenant roots, now.
   * @throws ProtocolError `ERR_CERTIFICATE_*`
   */
  checkIssued(issued: IssuedCertificates): void;
}

export interface IssuedCertificates {
  /** Leaf first. */
  readonly certificates: readonly Uint8Array[];
  readonly tenantRoots: readonly Uint8Array[];
  readonly publicKey: Uint8Array;
  readonly deviceId: string;
  readonly nowMs: number;
}

export interface ActivationInitiatorOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly certificates: DeviceCertificates;
  readonly deviceInfo: DeviceInfo;
  /** Activation types that the device can take; absent: it is not known beforehand. */
  readonly activationTypes?: readonly string[] | undefined;
  /** Needed until A6 is accepted, so not for a record that is further. */
  readonly secret?: ActivationSecret | undefined;
  /** Saved by an earlier run, or made for a new one in phase `started`. */
  readonly record: ActivationRecord;
  readonly limits?: { readonly handshakeMs?: number; readonly answerMs?: number } | undefined;
  readonly onTransition?: TransitionListener | undefined;
}
