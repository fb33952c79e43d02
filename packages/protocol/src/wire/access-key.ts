import { epochSeconds, id16, userIdText } from './common.ts';
import { type MessageCodec, message } from './frame.ts';
import { bytes, optional, required, structure, text } from './schema.ts';

/** A Dynamics app asks the UEM Client, or a sibling app, for an access key (F3.3). */
export interface AccessKeyRequest {
  readonly appId: string;
  readonly instanceId: Uint8Array;
  readonly nonce: Uint8Array;
}

export const accessKeyRequest: MessageCodec<AccessKeyRequest> = message(
  'accessKeyRequest',
  structure<AccessKeyRequest>({ appId: required(0, text()), instanceId: required(1, id16), nonce: required(2, bytes(32)) }),
);

/** The request on its way to UEM (F3.4). */
export interface AccessKeyForward extends AccessKeyRequest {
  /** `platform:package:hex(sha256 of the signer)`. */
  readonly platformId: string;
  /** When present it must equal the id that authenticated the connection. */
  readonly deviceId?: string | undefined;
}

export const accessKeyForward: MessageCodec<AccessKeyForward> = message(
  'accessKeyForward',
  structure<AccessKeyForward>({
    appId: required(0, text()),
    instanceId: required(1, id16),
    nonce: required(2, bytes(32)),
    platformId: required(3, text()),
    deviceId: optional(4, text(1, 64)),
  }),
);

/** The access key, on its way back to the app (F3.5, F3.6). */
export interface AccessKeyResponse {
  readonly accessKey: string;
  readonly keyId: Uint8Array;
  readonly nonce: Uint8Array;
  readonly expiryEpochS: number;
  readonly userId: string;
}

export const accessKeyResponse: MessageCodec<AccessKeyResponse> = message(
  'accessKeyResponse',
  structure<AccessKeyResponse>({
    accessKey: required(0, text(15, 15)),
    keyId: required(1, id16),
    nonce: required(2, bytes(32)),
    expiryEpochS: required(3, epochSeconds),
    userId: required(4, userIdText),
  }),
);
