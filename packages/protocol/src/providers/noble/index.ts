import { equalBytes } from '@noble/ciphers/utils.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { scryptAsync } from '@noble/hashes/scrypt.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import { cbcHs512Keys, composeCbcHs512 } from '../cbc-hs512.ts';
import { requireExpandable, requireScryptCost, scryptMemoryBytes } from '../checks.ts';
import { composeGcm, requireGcmKey } from '../gcm.ts';
import { nobleCbcParts, nobleGcmParts } from './ciphers.ts';
import { addPoints, nobleP256, subtractPoints } from './p256.ts';

export { systemClock } from '../portable/system-clock.ts';
export { webEntropy } from '../portable/web-entropy.ts';

/**
 * The portable provider, on the noble libraries: any JavaScript runtime, no native code.
 *
 * @example
 * const crypto = nobleCrypto()
 */
export function nobleCrypto(): CryptoProvider {
  const p256 = nobleP256();
  return {
    name: 'noble',
    sha256: (data) => sha256(data),
    hmacSha256: (key, data) => hmac(sha256, key, data),
    hkdfExtract: (salt, inputKey) => extract(sha256, inputKey, salt),
    hkdfExpand(pseudoRandomKey, info, lengthBytes) {
      requireExpandable(pseudoRandomKey, lengthBytes);
      return expand(sha256, pseudoRandomKey, info, lengthBytes);
    },
    p256PublicKey: p256.publicKey,
    p256Ecdh: p256.ecdh,
    p256Multiply: p256.multiply,
    p256Add: addPoints,
    p256Subtract: subtractPoints,
    p256Sign: p256.sign,
    p256Verify: p256.verify,
    cbcHs512(key) {
      const { aesKey, macKey } = cbcHs512Keys(key);
      return composeCbcHs512(nobleCbcParts(aesKey, macKey));
    },
    gcm(key) {
      requireGcmKey(key);
      return composeGcm(nobleGcmParts(key.slice()));
    },
    async scrypt(password, salt, cost, lengthBytes) {
      requireScryptCost(cost, lengthBytes);
      return scryptAsync(password, salt, { N: cost.N, r: cost.r, p: cost.p, dkLen: lengthBytes, maxmem: scryptMemoryBytes(cost) });
    },
    equal: equalBytes,
  };
}
