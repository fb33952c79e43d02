import { type SecretBytes, secret } from '../../bytes/secret.ts';
import { ProtocolError } from '../../errors/protocol-error.ts';
import { normalizeAccessKey } from '../../key-schedule/access-key.ts';
import { canonicalUserId } from '../../key-schedule/user-id.ts';
import type { StoreWrite } from '../../ports/store.ts';
import { decodeCbor } from '../../wire/cbor/decode.ts';
import { encodeCbor } from '../../wire/cbor/encode.ts';
import { id16, userIdText } from '../../wire/common.ts';
import { LIMITS } from '../../wire/limits.ts';
import { type NocProvision, nocProvision } from '../../wire/noc.ts';
import { type ProvisioningData, provisioningData } from '../../wire/provisioning.ts';
import { bool, bytes, type FieldType, numbered, optional, required, structure, text, uint } from '../../wire/schema.ts';

/**
 * How far the activation of an app has come (F3). `linked`: the NOC has given link and token (F3.8); `provisioned`: the provisioning data is here and
 * 0x41 is on its way (F3.11); `activated`: UEM has answered 0x41, and the access key is used up.
 */
export type AppActivationPhase = 'started' | 'linked' | 'provisioned' | 'activated';

/** An access key as the app holds it. `assisted`: it came with the answer to a nonce of 32 bytes (F3.6); `typed`: it stands alone. */
export type HeldAccessKey =
  | { readonly kind: 'typed'; readonly accessKey: string }
  | { readonly kind: 'assisted'; readonly accessKey: string; readonly nonce: Uint8Array };

/** A device by its certificate; the hash is SHA-256 of the SubjectPublicKeyInfo in DER, 32 bytes, and survives renewal. */
export interface DeviceIdentity {
  readonly deviceId: string;
  readonly deviceKeyHash: Uint8Array;
}

/** The session of `sc` whose 0x41 UEM has not answered yet. */
export interface UnansweredSession {
  /** 16 bytes, of M2. */
  readonly sessionId: Uint8Array;
  /** The whole record with 0x41. It is sent again byte for byte. */
  readonly acknowledgement: Uint8Array;
  /** Opens 0x42, sequence 1. */
  readonly traffic: SecretBytes<'traffic'>;
  readonly bornMs: number;
}

/** What an app keeps of its activation, so that a crash at any step needs no second access key. */
export interface AppActivationRecord {
  readonly phase: AppActivationPhase;
  /** Canonical form. */
  readonly userId: string;
  readonly appId: string;
  /** 16 random bytes, made once for this installation. */
  readonly instanceId: Uint8Array;
  /** Exactly when a UEM Client took part: the device of the certificate that it showed in `ipc`. */
  readonly device?: DeviceIdentity | undefined;
  /** Until `activated`. */
  readonly key?: HeldAccessKey | undefined;
  /** From `linked` on. */
  readonly link?: NocProvision | undefined;
  /** From `provisioned` on. */
  readonly data?: ProvisioningData | undefined;
  /** In `provisioned`. */
  readonly session?: UnansweredSession | undefined;
  /**
   * M3 has left with the token of `link`: UEM may have bound the key to it (docs/protocol/04-access-key.md, 4.7, rule 4), so no other token is asked for while it lives.
   */
  readonly requested?: boolean | undefined;
  /**
   * An alert answered the last run, and whoever sent it did not prove who they are. So nothing is lost by it. In `linked` the next run begins with 0x30, unless M3 has left;
   * in `provisioned` the next run begins with M1, and the one after that with 0x41 as ever.
   */
  readonly refused?: boolean | undefined;
}

/** Store key of the `AppActivationRecord`. */
export const APP_ACTIVATION_KEY = 'dynamics/activation';

/**
 * The record of an activation that has not begun. A typed key is brought to its one form.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` when it is no access key, user id, nonce or instance id.
 */
export function newAppActivation(
  parts: Pick<AppActivationRecord, 'userId' | 'appId' | 'instanceId' | 'device'> & { readonly key: HeldAccessKey },
): AppActivationRecord {
  const { userId, appId, instanceId, device, key } = parts;
  const accessKey = normalizeAccessKey(key.accessKey);
  const record: AppActivationRecord = { phase: 'started', userId: canonicalUserId(userId), appId, instanceId, device, key: { ...key, accessKey } };
  try {
    writeAppActivation(record);
  } catch (cause) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'an app activation cannot begin with these values', { cause });
  }
  return record;
}

const PHASES: readonly AppActivationPhase[] = ['started', 'linked', 'provisioned', 'activated'];

/** Flat, as it lies in the store. */
interface Stored {
  readonly phase: AppActivationPhase;
  readonly userId: string;
  readonly appId: string;
  readonly instanceId: Uint8Array;
  readonly deviceId?: string | undefined;
  readonly deviceKeyHash?: Uint8Array | undefined;
  readonly accessKey?: string | undefined;
  readonly nonce?: Uint8Array | undefined;
  readonly link?: Uint8Array | undefined;
  readonly data?: Uint8Array | undefined;
  readonly sessionId?: Uint8Array | undefined;
  readonly acknowledgement?: Uint8Array | undefined;
  readonly traffic?: Uint8Array | undefined;
  readonly bornMs?: number | undefined;
  readonly refused?: boolean | undefined;
  readonly requested?: boolean | undefined;
}

const stored: FieldType<Stored> = structure<Stored>({
  phase: required(0, numbered<AppActivationPhase>(...PHASES)),
  userId: required(1, userIdText),
  appId: required(2, text()),
  instanceId: required(3, id16),
  deviceId: optional(4, text(1, 64)),
  deviceKeyHash: optional(5, bytes(32)),
  accessKey: optional(6, text(15, 15)),
  nonce: optional(7, bytes(32)),
  link: optional(8, bytes(1, LIMITS.bodyBytes)),
  data: optional(9, bytes(1, LIMITS.bodyBytes)),
  sessionId: optional(10, id16),
  acknowledgement: optional(11, bytes(1, LIMITS.unauthenticatedBodyBytes)),
  traffic: optional(12, bytes(32)),
  bornMs: optional(13, uint()),
  refused: optional(14, bool()),
  requested: optional(15, bool()),
});

/** Store entry of an app activation. It holds keys: the store is as secret as the container of the app. */
export function writeAppActivation(record: AppActivationRecord): StoreWrite {
  const { phase, userId, appId, instanceId, device, key, link, data, session, refused, requested } = record;
  const flat: Stored = {
    phase,
    userId,
    appId,
    instanceId,
    deviceId: device?.deviceId,
    deviceKeyHash: device?.deviceKeyHash,
    accessKey: key?.accessKey,
    nonce: key?.kind === 'assisted' ? key.nonce : undefined,
    link: link && nocProvision.encodeBody(link),
    data: data && provisioningData.encodeBody(data),
    sessionId: session?.sessionId,
    acknowledgement: session?.acknowledgement,
    traffic: session?.traffic,
    bornMs: session?.bornMs,
    refused,
    requested,
  };
  return { key: APP_ACTIVATION_KEY, value: encodeCbor(stored.encode(flat, 'app activation')) };
}

/**
 * The app activation that the store holds under `APP_ACTIVATION_KEY`.
 * @throws ProtocolError `ERR_STORE_READ` when it is damaged.
 */
export function restoreAppActivation(value: Uint8Array | undefined): AppActivationRecord | undefined {
  if (value === undefined) return undefined;
  try {
    return inflate(stored.decode(decodeCbor(value), 'app activation'));
  } catch (cause) {
    throw new ProtocolError('ERR_STORE_READ', 'the saved app activation is damaged', { cause });
  }
}

function inflate({ phase, userId, appId, instanceId, refused, requested, ...flat }: Stored): AppActivationRecord {
  const { deviceId, deviceKeyHash, accessKey, nonce, sessionId, acknowledgement, traffic, bornMs } = flat;
  const step = PHASES.indexOf(phase);
  const hasSession = sessionId !== undefined && acknowledgement !== undefined && traffic !== undefined && bornMs !== undefined;
  const fits =
    (deviceId === undefined) === (deviceKeyHash === undefined) &&
    (accessKey !== undefined) === step < 3 &&
    (flat.link !== undefined) === step >= 1 &&
    (flat.data !== undefined) === step >= 2 &&
    hasSession === (step === 2);
  if (!fits) throw new ProtocolError('ERR_WIRE_FIELD', 'the fields do not fit the phase');
  return {
    phase,
    userId,
    appId,
    instanceId,
    device: deviceId === undefined ? undefined : { deviceId, deviceKeyHash: deviceKeyHash as Uint8Array },
    key: accessKey === undefined ? undefined : nonce === undefined ? { kind: 'typed', accessKey } : { kind: 'assisted', accessKey, nonce },
    link: flat.link && nocProvision.decodeBody(flat.link),
    data: flat.data && provisioningData.decodeBody(flat.data),
    session: hasSession ? { sessionId, acknowledgement, traffic: secret(traffic), bornMs } : undefined,
    refused,
    requested,
  };
}
