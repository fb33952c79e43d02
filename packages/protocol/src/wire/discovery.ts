import { ACTIVATION_REFUSAL_REASONS, type ActivationRefusalReason } from './activation.ts';
import { address, spkiPins, userIdText, version, versions } from './common.ts';
import { type MessageCodec, message } from './frame.ts';
import { arrayOf, bool, bytes, coded, optional, required, structure, text } from './schema.ts';

/** The device asks the Infrastructure for the UEM address of its user (F1.3). */
export interface DiscoveryRequest {
  readonly versions: readonly number[];
  /** Canonical form, see `canonicalUserId`. */
  readonly userId: string;
}

export const discoveryRequest: MessageCodec<DiscoveryRequest> = message(
  'discoveryRequest',
  structure<DiscoveryRequest>({ versions: required(0, versions), userId: required(1, userIdText) }),
);

/** Where the tenant of the user activates devices. An unknown user gets an answer of the same form. */
export interface DiscoveryResponse {
  readonly version: number;
  readonly tenantId: string;
  readonly activationAddress: string;
  readonly spkiPins: readonly Uint8Array[];
}

export const discoveryResponse: MessageCodec<DiscoveryResponse> = message(
  'discoveryResponse',
  structure<DiscoveryResponse>({
    version: required(0, version),
    tenantId: required(1, text()),
    activationAddress: required(2, address),
    spkiPins: required(3, spkiPins),
  }),
);

/** UEM registers its users at the Infrastructure, by hash only (F1.1). */
export interface RegisterUsers {
  readonly tenantId: string;
  readonly activationAddress: string;
  /** `userIdHash` of each user. */
  readonly add: readonly Uint8Array[];
  readonly remove: readonly Uint8Array[];
  /** True: the list is the whole list of the tenant. */
  readonly replaceAll?: boolean | undefined;
  readonly spkiPins: readonly Uint8Array[];
}

export const registerUsers: MessageCodec<RegisterUsers> = message(
  'registerUsers',
  structure<RegisterUsers>({
    tenantId: required(0, text()),
    activationAddress: required(1, address),
    add: required(2, arrayOf(bytes(32), 0, 1_000)),
    remove: required(3, arrayOf(bytes(32), 0, 1_000)),
    replaceAll: optional(4, bool()),
    spkiPins: required(5, spkiPins),
  }),
);

/** An answer without content: the request has been stored. */
export interface Acknowledgement {
  readonly ok: boolean;
  /** With `ok` false, in the answer to A7: the device came too late, another one has the place. */
  readonly refusal?: ActivationRefusalReason | undefined;
}

export const acknowledgement: MessageCodec<Acknowledgement> = message(
  'acknowledgement',
  structure<Acknowledgement>({ ok: required(0, bool()), refusal: optional(1, coded(ACTIVATION_REFUSAL_REASONS)) }),
);
