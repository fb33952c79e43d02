import { type CryptoProvider, isProtocolError, ProtocolError, toBase64url } from '@uemkit/protocol';
import { privateKeyPem, type TlsKeyStore } from '@uemkit/uem-client';
import type { SeededDraw } from '../plan/seeded-draw.ts';

/** Draws until a scalar is in range; one in 2^32 is not. */
const MAX_DRAWS = 8;

export interface DerivedKeyStoreOptions {
  readonly crypto: Pick<CryptoProvider, 'p256PublicKey' | 'p256Sign'>;
  readonly draw: SeededDraw;
  /** Global index of the device in its fleet. */
  readonly index: number;
}

/**
 * Keys made from seed and index: nothing is stored, and any machine makes the same keys again. So they are **test keys**, known to everybody who knows the
 * scenario and the seed; the serial number of the device says so to the server. The client names a new key for each new activation, so a key that it
 * destroyed is not used again.
 */
export class DerivedKeyStore implements TlsKeyStore {
  readonly #options: DerivedKeyStoreOptions;

  constructor(options: DerivedKeyStoreOptions) {
    this.#options = options;
  }

  async publicKey(keyId: string): Promise<Uint8Array> {
    return this.#with(keyId, (scalar) => this.#options.crypto.p256PublicKey(scalar));
  }

  async sign(keyId: string, message: Uint8Array): Promise<Uint8Array> {
    return this.#with(keyId, (scalar) => this.#options.crypto.p256Sign(scalar, message));
  }

  /** PKCS#8 in PEM, for TLS. */
  async tlsKey(keyId: string): Promise<string> {
    return this.#with(keyId, (scalar) => privateKeyPem(scalar, this.#options.crypto.p256PublicKey(scalar)));
  }

  async destroy(): Promise<void> {
    // Nothing is kept, so there is nothing to destroy.
  }

  /** `use` refuses a scalar that is out of range, so that nothing has to try it before. */
  #with<T>(keyId: string, use: (scalar: Uint8Array) => T): T {
    const { draw, index } = this.#options;
    for (let attempt = 0; attempt < MAX_DRAWS; attempt++) {
      try {
        return use(draw.bytes(`key ${index} ${attempt} ${keyId}`));
      } catch (error) {
        if (!isProtocolError(error) || error.code !== 'ERR_CRYPTO_PUBLIC_KEY') throw error;
      }
    }
    throw new ProtocolError('ERR_INTERNAL', 'no key in range');
  }
}

/** The activation password of a planned device: 20 characters of base64url from the seed, so that nothing has to be stored for `resume`. */
export function derivedPassword(draw: SeededDraw, index: number): string {
  return toBase64url(draw.bytes(`activation password ${index}`)).slice(0, 20);
}
