import { type CryptoProvider, type Entropy, isProtocolError, type KeyStore, ProtocolError, type Store, wipe } from '@uemkit/protocol';
import { privateKeyPem } from './private-key-pem.ts';

/** A key store whose keys can do TLS in this process. A hardware key store has its own way of doing so. */
export interface TlsKeyStore extends KeyStore {
  /** PKCS#8 in PEM of an existing or new key. Danger: the private key itself; hand it to TLS and forget it. */
  tlsKey(keyId: string): Promise<string>;
}

export interface SoftwareKeyStoreOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  /** Holds the private keys in clear, under `uem/key/`: its protection is the protection of the keys. */
  readonly store: Store;
}

const SCALAR_BYTES = 32;
/** A random scalar is refused with a probability of 2^-32; eight in a row mean a broken source of randomness. */
const MAX_DRAWS = 8;

/** P-256 keys in a `Store`. */
export function softwareKeyStore(options: SoftwareKeyStoreOptions): TlsKeyStore {
  return new SoftwareKeyStore(options);
}

class SoftwareKeyStore implements TlsKeyStore {
  readonly #options: SoftwareKeyStoreOptions;

  constructor(options: SoftwareKeyStoreOptions) {
    this.#options = options;
  }

  publicKey(keyId: string): Promise<Uint8Array> {
    return this.#withScalar(keyId, (scalar) => this.#options.crypto.p256PublicKey(scalar));
  }

  sign(keyId: string, message: Uint8Array): Promise<Uint8Array> {
    return this.#withScalar(keyId, (scalar) => this.#options.crypto.p256Sign(scalar, message));
  }

  tlsKey(keyId: string): Promise<string> {
    return this.#withScalar(keyId, (scalar) => privateKeyPem(scalar, this.#options.crypto.p256PublicKey(scalar)));
  }

  async destroy(keyId: string): Promise<void> {
    await this.#options.store.commit([{ key: storeKey(keyId), value: null }]);
  }

  async #withScalar<T>(keyId: string, use: (scalar: Uint8Array) => T): Promise<T> {
    const scalar = await this.#scalar(keyId);
    try {
      return use(scalar);
    } finally {
      wipe(scalar);
    }
  }

  async #scalar(keyId: string): Promise<Uint8Array> {
    const saved = await this.#options.store.get(storeKey(keyId));
    if (saved !== undefined) {
      if (saved.length !== SCALAR_BYTES) throw new ProtocolError('ERR_STORE_READ', 'a saved private key is damaged');
      return saved.slice();
    }
    const scalar = this.#drawScalar();
    await this.#options.store.commit([{ key: storeKey(keyId), value: scalar.slice() }]);
    return scalar;
  }

  #drawScalar(): Uint8Array {
    for (let draw = 0; draw < MAX_DRAWS; draw++) {
      const scalar = this.#options.entropy.randomBytes(SCALAR_BYTES);
      try {
        this.#options.crypto.p256PublicKey(scalar);
        return scalar;
      } catch (error) {
        if (!isProtocolError(error) || error.code !== 'ERR_CRYPTO_PUBLIC_KEY') throw error;
      }
    }
    throw new ProtocolError('ERR_INTERNAL', 'the source of randomness gives no usable keys');
  }
}

function storeKey(keyId: string): string {
  return `uem/key/${keyId}`;
}
