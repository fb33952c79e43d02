import { type CryptoProvider, concatBytes, type Entropy, type ScryptCost, type SecretBytes, secret, u32be, utf8, wipe } from '@uemkit/protocol';
import { deriveKey, LABEL_PREFIX } from './keys.ts';
import { openFailed } from './open-failed.ts';
import type { DeviceKey } from './ports.ts';

/** What opens a slot: what the user types daily, or the unlock key that the administrator has. */
export type SlotKind = 'password' | 'unlock';
const KIND_BYTES: Readonly<Record<SlotKind, number>> = { password: 1, unlock: 2 };

const SALT_BYTES = 16;
const NONCE_BYTES = 12;
/** Kind, salt, N, r, p. */
const HEAD_BYTES = 1 + SALT_BYTES + 4 + 1 + 1;
const SEALED_BYTES = 32 + 16;

export interface SlotPorts {
  readonly crypto: CryptoProvider;
  readonly deviceKey: DeviceKey;
}

/** Wraps the root key. @param typed bytes of what is typed; the caller wipes them. @throws ProtocolError `ERR_CRYPTO_OPEN` when the device key is gone */
export async function sealSlot(
  ports: SlotPorts & { readonly entropy: Entropy },
  slot: { readonly kind: SlotKind; readonly header: Uint8Array; readonly cost: ScryptCost },
  typed: Uint8Array,
  root: SecretBytes<'container root'>,
): Promise<Uint8Array> {
  const { N, r, p } = slot.cost;
  const head = concatBytes(Uint8Array.of(KIND_BYTES[slot.kind]), ports.entropy.randomBytes(SALT_BYTES), u32be(N), Uint8Array.of(r, p));
  const nonce = ports.entropy.randomBytes(NONCE_BYTES);
  const gcm = await slotKey(ports, head, slot.cost, typed);
  const sealed = gcm.seal(nonce, concatBytes(slot.header, head), root);
  gcm.wipe();
  return concatBytes(head, nonce, sealed);
}

/** The root key. @throws ProtocolError `ERR_CRYPTO_OPEN`: wrong secret, other device, other container, or a damaged slot */
export async function openSlot(
  ports: SlotPorts,
  { kind, header }: { readonly kind: SlotKind; readonly header: Uint8Array },
  typed: Uint8Array,
  value: Uint8Array,
): Promise<SecretBytes<'container root'>> {
  // check: form of a slot
  if (value.length !== HEAD_BYTES + NONCE_BYTES + SEALED_BYTES || value[0] !== KIND_BYTES[kind]) throw openFailed();
  const head = value.subarray(0, HEAD_BYTES);
  const view = new DataView(head.buffer, head.byteOffset + 1 + SALT_BYTES, 6);
  const cost = { N: view.getUint32(0), r: view.getUint8(4), p: view.getUint8(5) };
  const gcm = await slotKey(ports, head, cost, typed);
  try {
    return secret(gcm.open(value.subarray(HEAD_BYTES, HEAD_BYTES + NONCE_BYTES), concatBytes(header, head), value.subarray(HEAD_BYTES + NONCE_BYTES)));
  } finally {
    gcm.wipe();
  }
}

/** KEK: neither the typed secret without the device nor the device without the secret gives it. */
async function slotKey({ crypto, deviceKey }: SlotPorts, head: Uint8Array, cost: ScryptCost, typed: Uint8Array): Promise<ReturnType<CryptoProvider['gcm']>> {
  const salt = head.subarray(1, 1 + SALT_BYTES);
  const device = await deviceKey.mac(concatBytes(utf8(`${LABEL_PREFIX}device`), head.subarray(0, 1 + SALT_BYTES)));
  // check: the device key is there
  if (device === undefined) throw openFailed();
  const stretched = await crypto.scrypt(typed, salt, cost, 32);
  const extracted = crypto.hkdfExtract(device, stretched);
  const key = deriveKey(crypto, extracted, 'kek');
  const gcm = crypto.gcm(key);
  wipe(device, stretched, extracted, key);
  return gcm;
}
