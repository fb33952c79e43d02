import { certificates, epochSeconds, id16, point65, spkiPins } from './common.ts';
import { type MessageCodec, message } from './frame.ts';
import { arrayOf, bytes, document, type FieldType, optional, required, structure, text, uint, type WireDocument } from './schema.ts';

/** Plaintext of the record in M3 of `sc`: the provisioning request (F4.16). */
export interface ProvisioningRequest {
  readonly appId: string;
  readonly appVersion: string;
  readonly platform: string;
  readonly instanceId: Uint8Array;
  /** Both present exactly when a UEM Client took part. */
  readonly deviceId?: string | undefined;
  /** SHA-256 of the SubjectPublicKeyInfo of the device certificate. */
  readonly deviceKeyHash?: Uint8Array | undefined;
}

export const provisioningRequest: MessageCodec<ProvisioningRequest> = message(
  'handshakeFinish',
  structure<ProvisioningRequest>({
    appId: required(0, text()),
    appVersion: required(1, text(1, 32)),
    platform: required(2, text(1, 64)),
    instanceId: required(3, id16),
    deviceId: optional(4, text(1, 64)),
    deviceKeyHash: optional(5, bytes(32)),
  }),
);

/** One BlackBerry Proxy instance that an app may use. */
export interface ProxyInstance {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly spkiPins: readonly Uint8Array[];
  readonly keyExchangeKey: Uint8Array;
  readonly roots: readonly Uint8Array[];
}

export const proxyInstance: FieldType<ProxyInstance> = structure<ProxyInstance>({
  id: required(0, text()),
  host: required(1, text()),
  port: required(2, uint(1, 65_535)),
  spkiPins: required(3, spkiPins),
  keyExchangeKey: required(4, point65),
  roots: required(5, certificates),
});

/** Provisioning data that completes the activation of an app (F3.11). */
export interface ProvisioningData {
  readonly masterSessionKey: Uint8Array;
  readonly sessionKeyId: Uint8Array;
  readonly configuration: WireDocument;
  readonly policy: WireDocument;
  readonly proxies: readonly ProxyInstance[];
  readonly tenantRoots: readonly Uint8Array[];
  readonly deviceId?: string | undefined;
  readonly deviceKeyHash?: Uint8Array | undefined;
  readonly expiryEpochS: number;
  readonly coreKeyExchangeKey: Uint8Array;
}

export const provisioningData: MessageCodec<ProvisioningData> = message(
  'provisioningData',
  structure<ProvisioningData>({
    masterSessionKey: required(0, bytes(32)),
    sessionKeyId: required(1, id16),
    configuration: required(2, document()),
    policy: required(3, document()),
    proxies: required(4, arrayOf(proxyInstance, 0, 32)),
    tenantRoots: required(5, certificates),
    deviceId: optional(6, text(1, 64)),
    deviceKeyHash: optional(7, bytes(32)),
    expiryEpochS: required(8, epochSeconds),
    coreKeyExchangeKey: required(9, point65),
  }),
);

/** 0 is success in both. */
export interface ProvisioningStatus {
  readonly status: number;
}

export const provisioningAck: MessageCodec<ProvisioningStatus> = message(
  'provisioningAck',
  structure<ProvisioningStatus>({ status: required(0, uint(0, 255)) }),
);
export const provisioningDone: MessageCodec<ProvisioningStatus> = message(
  'provisioningDone',
  structure<ProvisioningStatus>({ status: required(0, uint(0, 255)) }),
);
