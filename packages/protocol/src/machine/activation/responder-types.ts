import type { SecretBytes } from '../../bytes/secret.ts';
import type { Spake2Verifier } from '../../key-schedule/spake2plus.ts';
import type { CryptoProvider, ScryptCost } from '../../ports/crypto-provider.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { ActivationOutcome, ActivationRefusalReason, DeviceInfo, SecretKind } from '../../wire/activation.ts';
import type { TransitionListener } from '../table.ts';

/** The secret of one user and kind, as the server keeps it. */
export interface ActivationVerifier {
  /** Names this secret; a new one for the same user has another id. */
  readonly secretId: string;
  readonly salt: Uint8Array;
  /** Cost that the verifier was made with; kind `qr` has the one in force. */
  readonly cost: ScryptCost;
  readonly verifier: Spake2Verifier;
}

/** The device that a valid A5 speaks for. */
export interface IssueRequest {
  readonly userId: string;
  readonly secretKind: SecretKind;
  readonly secretId: string;
  readonly deviceInfo: DeviceInfo;
  /** 65 bytes, from the certificate request; its possession is proved. */
  readonly publicKey: Uint8Array;
  readonly attestation: Uint8Array | undefined;
  /** Activation types that the device can take; absent: it did not say. */
  readonly activationTypes: readonly string[] | undefined;
}

/**
 * What the server keeps about activations, as one transaction sees it. Every method is synchronous; writes become durable with the transaction,
 * and nothing is sent before that.
 */
export interface ActivationRecords {
  /** The secret of this user, kind and slot, also when it is expired or exhausted: its salt must not change then. */
  find(userId: string, kind: SecretKind, slot: number): ActivationVerifier | undefined;
  /**
   * Takes one try of a secret (crypto design 14.8). False when there is none left, when it is expired or dead, or another one by now.
   * Without an id it does a write of the same weight, so that time does not tell an unknown user.
   */
  charge(secretId: string | undefined): boolean;
  /** Gives one try back after a right proof. */
  refund(secretId: string): void;
  /** False when another device key has proved this secret within `activationResultMs` and its device does not count yet (14.10). */
  mayActivate(secretId: string, publicKey: Uint8Array): boolean;
  /** The A6 frame that was remembered for this A5 within `activationResultMs`. */
  recallResult(requestHash: Uint8Array): Uint8Array | undefined;
  /** Keeps A6 for `activationResultMs`. */
  rememberResult(requestHash: Uint8Array, frame: Uint8Array): void;
  /**
   * Makes the pending device of this key (in place of an earlier pending one of the same key), its certificate and configuration. Or says why there is none:
   * then it has written nothing.
   */
  issue(request: IssueRequest): ActivationOutcome;
}

/** A certificate request that has been read and whose signature verifies. */
export interface ReadCertificateRequest {
  readonly publicKey: Uint8Array;
  readonly challengePassword: string;
}

export interface ActivationResponderOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly coreId: string;
  /** Durable key of the salts of users that do not exist. */
  readonly fakeSaltKey: SecretBytes<'fake-salt'>;
  /** scrypt cost in force: for users that do not exist, and for QR secrets. */
  readonly cost: ScryptCost;
  /** @throws ProtocolError when it is no PKCS#10 request of the profile, or its signature does not verify. */
  readCertificateRequest(csr: Uint8Array): ReadCertificateRequest;
  readonly limits?: { readonly handshakeMs?: number; readonly pendingPerSource?: number; readonly pendingRuns?: number } | undefined;
  readonly onTransition?: TransitionListener | undefined;
}

/** Why the server refused. For its own journal: on the wire every reason looks the same. */
export type ActivationRefusal =
  | 'badMessage'
  | 'tooManyRuns'
  | 'unknownRun'
  | 'notDurableYet'
  | 'noUsableSecret'
  | 'wrongSecret'
  | 'otherShare'
  | 'badPoint'
  | 'badRecord'
  | 'badCertificateRequest'
  | 'notBoundToRun'
  | 'otherDeviceKey';

/** Answer to one frame of a device. */
export interface ActivationAnswer {
  /** A2, A4, A6, or an alert. */
  readonly frame: Uint8Array;
  readonly step: 'F1.4';
  readonly userId?: string | undefined;
  readonly refusal?: ActivationRefusal | undefined;
  /** A6 tells the authenticated device that it is not activated, and this is why. */
  readonly refused?: ActivationRefusalReason | undefined;
  /** To be called once the transaction has been committed (then `frame` may be sent) or has failed (then it must not be). */
  settle(durable: boolean): void;
}

/** One request of a device, with what the transport knows. */
export interface ActivationContext {
  /** Original peer as our own relay reports it; for limits only. */
  readonly source: string;
  readonly nowMs: number;
  readonly records: ActivationRecords;
}
