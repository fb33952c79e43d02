import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, lp, u64be, utf8 } from '../../bytes/bytes.ts';
import { wipe } from '../../bytes/secret.ts';
import { isProtocolError, ProtocolError } from '../../errors/protocol-error.ts';
import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { KeyStore } from '../../ports/key-store.ts';

/** A key store whose keys a test can list. */
export interface MemoryKeyStore extends KeyStore {
  /** Ids of the keys that exist. */
  readonly keyIds: readonly string[];
}

/** Device keys in memory, drawn from `entropy`. */
export function memoryKeyStore(crypto: CryptoProvider, entropy: Entropy): MemoryKeyStore {
  return keyStore(crypto, () => entropy.randomBytes(32));
}

/**
 * Device keys that are a function of seed, key id and how often the id was destroyed: a "restarted" device finds its key again.
 * NOT SECRET: for tests only.
 */
export function seededKeyStore(crypto: CryptoProvider, seed: string): MemoryKeyStore {
  const drawn = new Map<string, number>();
  return keyStore(crypto, (keyId) => {
    const draw = drawn.get(keyId) ?? 0;
    drawn.set(keyId, draw + 1);
    return sha256(concatBytes(lp(utf8('uemkit/1 test device key')), lp(utf8(seed)), lp(utf8(keyId)), u64be(draw)));
  });
}

function keyStore(crypto: CryptoProvider, drawScalar: (keyId: string) => Uint8Array): MemoryKeyStore {
  const scalars = new Map<string, Uint8Array>();
  const create = (keyId: string): Uint8Array => {
    for (;;) {
      const scalar = drawScalar(keyId);
      try {
        // One scalar in 2^32 is not below the order of the curve.
        crypto.p256PublicKey(scalar);
        return scalar;
      } catch (error) {
        if (!isProtocolError(error) || error.code !== 'ERR_CRYPTO_PUBLIC_KEY') throw error;
      }
    }
  };
  return {
    get keyIds() {
      return [...scalars.keys()];
    },
    async publicKey(keyId) {
      const scalar = scalars.get(keyId) ?? create(keyId);
      scalars.set(keyId, scalar);
      return crypto.p256PublicKey(scalar);
    },
    async sign(keyId, message) {
      const scalar = scalars.get(keyId);
      if (scalar === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'no key with this id');
      return crypto.p256Sign(scalar, message);
    },
    async destroy(keyId) {
      wipe(scalars.get(keyId));
      scalars.delete(keyId);
    },
  };
}
