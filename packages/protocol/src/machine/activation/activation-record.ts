import { ProtocolError } from '../../errors/protocol-error.ts';
import type { StoreWrite } from '../../ports/store.ts';
import { type ActivationDetails, activationDetails } from '../../wire/activation.ts';
import { decodeCbor } from '../../wire/cbor/decode.ts';
import { encodeCbor } from '../../wire/cbor/encode.ts';
import { userIdText } from '../../wire/common.ts';
import { LIMITS } from '../../wire/limits.ts';
import { bool, bytes, type FieldType, numbered, optional, required, structure, text } from '../../wire/schema.ts';

/** How far an activation has come (F1). `received`: A6 is accepted; `configured`: only A7 is missing; `activated`: the device counts. */
export type ActivationPhase = 'started' | 'received' | 'configured' | 'activated';

/** How applying the configuration ended (F1.5). */
export type ConfigurationOutcome = { readonly status: 'completed' } | { readonly status: 'failed'; readonly message: string };

/** What a device keeps of its activation, so that a crash at any step neither loses it nor makes a second device. */
export interface ActivationRecord {
  readonly phase: ActivationPhase;
  /** Canonical form. */
  readonly userId: string;
  /** Of the device key in the `KeyStore`; the same for every try, since the server knows a device by its key. */
  readonly keyId: string;
  /** What the owner wants to find again, for example the address that discovery gave. */
  readonly context?: Uint8Array | undefined;
  /** From `received` on. */
  readonly details?: ActivationDetails | undefined;
  /** From `configured` on: why the configuration could not be applied; absent when it was. */
  readonly failure?: string | undefined;
  /** From `configured` on, true: the user did not agree to the notice of the organisation, and nothing was configured. */
  readonly declined?: boolean | undefined;
}

/** Store key of the `ActivationRecord`. */
export const ACTIVATION_KEY = 'uem/activation';

type Stored = Omit<ActivationRecord, 'details'> & { readonly details?: Uint8Array | undefined };

const stored: FieldType<Stored> = structure<Stored>({
  phase: required(0, numbered<ActivationPhase>('started', 'received', 'configured', 'activated')),
  userId: required(1, userIdText),
  keyId: required(2, text()),
  context: optional(3, bytes(0, LIMITS.bodyBytes)),
  details: optional(4, bytes(1, LIMITS.bodyBytes)),
  failure: optional(5, text(1, LIMITS.resultMessageBytes)),
  declined: optional(6, bool()),
});

/** Store entry of an activation. It holds the tunnel key: the store is as secret as the key store. */
export function writeActivation(record: ActivationRecord): StoreWrite {
  const details = record.details === undefined ? undefined : activationDetails.encodeBody(record.details);
  return { key: ACTIVATION_KEY, value: encodeCbor(stored.encode({ ...record, details }, 'activation')) };
}

/**
 * The activation that the store holds under `ACTIVATION_KEY`.
 * @throws ProtocolError `ERR_STORE_READ` when it is damaged.
 */
export function restoreActivation(value: Uint8Array | undefined): ActivationRecord | undefined {
  if (value === undefined) return undefined;
  try {
    const record = stored.decode(decodeCbor(value), 'activation');
    if ((record.phase === 'started') !== (record.details === undefined)) throw new ProtocolError('ERR_WIRE_FIELD', 'details are there from the answer on');
    return { ...record, details: record.details === undefined ? undefined : activationDetails.decodeBody(record.details) };
  } catch (cause) {
    throw new ProtocolError('ERR_STORE_READ', 'the saved activation is damaged', { cause });
  }
}
