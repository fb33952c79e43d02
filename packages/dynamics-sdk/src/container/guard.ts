import { type CryptoProvider, concatBytes, u16be, utf8, wipe } from '@uemkit/protocol';
import { deriveKey, LABEL_PREFIX } from './keys.ts';
import type { DeviceKey } from './ports.ts';

/** How many passwords were tried since the last right one, and how many may be. */
export interface Guard {
  readonly tries: number;
  readonly maxTries: number;
}

const FIELD_BYTES = 4;
const TAG_BYTES = 32;

/** Key of the guard's tag: the device key alone, because tries are counted before anybody has proved anything. Undefined without a device key. */
export async function guardKey(crypto: CryptoProvider, deviceKey: DeviceKey, header: Uint8Array): Promise<Uint8Array | undefined> {
  const device = await deviceKey.mac(concatBytes(utf8(`${LABEL_PREFIX}guard`), header));
  if (device === undefined) return undefined;
  const key = deriveKey(crypto, device, 'guard');
  wipe(device);
  return key;
}

/** u16be(tries) || u16be(maxTries) || HMAC-SHA-256 of both. */
export function encodeGuard(crypto: CryptoProvider, key: Uint8Array, { tries, maxTries }: Guard): Uint8Array {
  const fields = concatBytes(u16be(tries), u16be(maxTries));
  return concatBytes(fields, crypto.hmacSha256(key, fields));
}

/** Undefined when it is missing or was changed: then nothing may be tried. */
export function readGuard(crypto: CryptoProvider, key: Uint8Array, value: Uint8Array | undefined): Guard | undefined {
  if (value?.length !== FIELD_BYTES + TAG_BYTES) return undefined;
  const fields = value.subarray(0, FIELD_BYTES);
  // check: tag of the guard
  if (!crypto.equal(crypto.hmacSha256(key, fields), value.subarray(FIELD_BYTES))) return undefined;
  const view = new DataView(fields.buffer, fields.byteOffset, FIELD_BYTES);
  return { tries: view.getUint16(0), maxTries: view.getUint16(2) };
}

/** The guard after one more try, or undefined when none is left. */
export function charged({ tries, maxTries }: Guard): Guard | undefined {
  return tries < maxTries ? { tries: tries + 1, maxTries } : undefined;
}
