import { type CryptoProvider, concatBytes, type Entropy, isProtocolError, ProtocolError, type Store, type StoreWrite, utf8, wipe } from '@uemkit/protocol';
import type { DeviceKey } from '../container/ports.ts';

const LABEL = 'uemkit/1 app state ';
const FORMAT = 1;
const NONCE_BYTES = 12;
const HEAD_BYTES = 1 + NONCE_BYTES;

/** The ports of the rows that lie beside the container. */
export interface SealedStorePorts {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly store: Store;
  readonly deviceKey: DeviceKey;
}

/**
 * Rows beside the container: an app is activated before there is a password, so the device key alone seals what it keeps of that.
 * Row: 0x01 || nonce (12) || AES-256-GCM, bound to its key. The GCM key is HMAC(device key, "uemkit/1 app state "); it ends with the device key, so a wipe ends the rows too.
 */
export function sealedStore({ crypto, entropy, store, deviceKey }: SealedStorePorts): Store {
  const withKey = async <T>(use: (key: Uint8Array) => T): Promise<T> => {
    const key = await deviceKey.mac(utf8(LABEL));
    if (key === undefined) throw new ProtocolError('ERR_CRYPTO_OPEN', 'record could not be opened');
    try {
      return use(key);
    } finally {
      wipe(key);
    }
  };
  const seal = (key: Uint8Array, { key: row, value }: StoreWrite): StoreWrite => {
    if (value === null) return { key: row, value };
    const gcm = crypto.gcm(key);
    const nonce = entropy.randomBytes(NONCE_BYTES);
    const sealed = gcm.seal(nonce, utf8(LABEL + row), value);
    gcm.wipe();
    return { key: row, value: concatBytes(Uint8Array.of(FORMAT), nonce, sealed) };
  };
  const open = (key: Uint8Array, row: string, value: Uint8Array): Uint8Array => {
    // check: form of a sealed row
    if (value[0] !== FORMAT) throw new ProtocolError('ERR_CRYPTO_OPEN', 'record could not be opened');
    const gcm = crypto.gcm(key);
    try {
      return gcm.open(value.subarray(1, HEAD_BYTES), utf8(LABEL + row), value.subarray(HEAD_BYTES));
    } finally {
      gcm.wipe();
    }
  };
  return {
    async get(row) {
      const value = await store.get(row);
      return value && withKey((key) => open(key, row, value));
    },
    async commit(writes) {
      await deviceKey.create();
      await store.commit(await withKey((key) => writes.map((write) => seal(key, write))));
    },
  };
}

/** True for rows that this device cannot open: changed, of another device, or without their key. */
export function isLost(error: unknown): boolean {
  return isProtocolError(error) && (error.code === 'ERR_CRYPTO_OPEN' || error.code === 'ERR_STORE_READ');
}
