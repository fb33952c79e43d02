import { address, epochSeconds, id16, userIdText } from './common.ts';
import { FRAME_HEADER_BYTES, type MessageCodec, message } from './frame.ts';
import { LIMITS } from './limits.ts';
import { arrayOf, bool, bytes, optional, required, structure, text } from './schema.ts';

const MAC_BYTES = 32;

/** The app shows the NOC the hash of its access key (F3.7). */
export interface NocVerify {
  readonly userId: string;
  readonly accessKeyHash: Uint8Array;
  readonly appId: string;
  readonly instanceId: Uint8Array;
}

export const nocVerify: MessageCodec<NocVerify> = message(
  'nocVerify',
  structure<NocVerify>({ userId: required(0, userIdText), accessKeyHash: required(1, bytes(32)), appId: required(2, text()), instanceId: required(3, id16) }),
);

/** Master link key and connection data (F3.8). */
export interface NocProvision {
  readonly linkId: Uint8Array;
  readonly masterLinkKey: Uint8Array;
  readonly tenantId: string;
  readonly coreId: string;
  readonly relayAddresses: readonly string[];
  readonly token: Uint8Array;
  readonly tokenExpiryEpochS: number;
}

export const nocProvision: MessageCodec<NocProvision> = message(
  'nocProvision',
  structure<NocProvision>({
    linkId: required(0, id16),
    masterLinkKey: required(1, bytes(32)),
    tenantId: required(2, text()),
    coreId: required(3, text()),
    relayAddresses: required(4, arrayOf(address, 1, 16)),
    token: required(5, bytes(1, 128)),
    tokenExpiryEpochS: required(6, epochSeconds),
  }),
);

/** The NOC hands the set-up message to UEM (F3.10); `setUp` is the whole M1 frame with its MAC. */
export interface NocSetUp {
  readonly tokenId: Uint8Array;
  readonly keyId: Uint8Array;
  readonly linkId: Uint8Array;
  readonly tenantId: string;
  readonly setUp: Uint8Array;
}

export const nocSetUp: MessageCodec<NocSetUp> = message(
  'nocSetUp',
  structure<NocSetUp>({
    tokenId: required(0, id16),
    keyId: required(1, id16),
    linkId: required(2, id16),
    tenantId: required(3, text()),
    setUp: required(4, bytes(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + LIMITS.unauthenticatedBodyBytes + MAC_BYTES)),
  }),
);

/** Later frames of the same session through NOC and Proxy. */
export interface NocEnvelope {
  readonly sessionId: Uint8Array;
  readonly frame: Uint8Array;
}

export const nocEnvelope: MessageCodec<NocEnvelope> = message(
  'nocEnvelope',
  structure<NocEnvelope>({ sessionId: required(0, id16), frame: required(1, bytes(1, LIMITS.bodyBytes - 64)) }),
);

/** UEM tells the NOC that the access key has been used; the NOC activates the link. */
export interface NocKeyConsumed {
  readonly keyId: Uint8Array;
  readonly linkId: Uint8Array;
}

export const nocKeyConsumed: MessageCodec<NocKeyConsumed> = message(
  'nocKeyConsumed',
  structure<NocKeyConsumed>({ keyId: required(0, id16), linkId: required(1, id16) }),
);

/** UEM lets the NOC know an access key (F3.5): by a verifier that leads to nothing else. */
export interface NocRegisterKey {
  /** SHA-256 of akHash, section 4.4. */
  readonly verifier: Uint8Array;
  readonly keyId: Uint8Array;
  readonly userIdHash: Uint8Array;
  readonly tenantId: string;
  readonly expiryEpochS: number;
}

export const nocRegisterKey: MessageCodec<NocRegisterKey> = message(
  'nocRegisterKey',
  structure<NocRegisterKey>({
    verifier: required(0, bytes(32)),
    keyId: required(1, id16),
    userIdHash: required(2, bytes(32)),
    tenantId: required(3, text()),
    expiryEpochS: required(4, epochSeconds),
  }),
);

/** UEM takes an access key back before it was used; its tokens and provisional links end with it. */
export interface NocWithdrawKey {
  readonly keyId: Uint8Array;
}

export const nocWithdrawKey: MessageCodec<NocWithdrawKey> = message('nocWithdrawKey', structure<NocWithdrawKey>({ keyId: required(0, id16) }));

/** UEM ends an active link (F10.2): whoever it was given to is no app of the tenant any more. */
export interface NocEndLink {
  readonly linkId: Uint8Array;
  /** True: the link goes on to UEM and leads nowhere else, so that the app can still hear why. */
  readonly keepsCore?: boolean | undefined;
}

export const nocEndLink: MessageCodec<NocEndLink> = message('nocEndLink', structure<NocEndLink>({ linkId: required(0, id16), keepsCore: optional(1, bool()) }));
