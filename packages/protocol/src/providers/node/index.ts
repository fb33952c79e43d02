import { ProtocolError } from '../../errors/protocol-error.ts';
import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import { cbcHs512Keys, composeCbcHs512 } from '../cbc-hs512.ts';
import { composeGcm, requireGcmKey } from '../gcm.ts';
import { addPoints, subtractPoints } from '../noble/p256.ts';
import { equalNative, nodeCbcParts, nodeGcmParts } from './ciphers.ts';
import { hkdfExpandNative, hmacSha256Native, sha256Native } from './hashes.ts';
import { multiplyNative } from './multiply.ts';
import { ecdhNative, publicKeyNative, signNative, verifyNative } from './p256.ts';
import { scryptNative } from './scrypt.ts';

export { systemClock } from '../portable/system-clock.ts';
export { webEntropy } from '../portable/web-entropy.ts';
export { nodeEntropy } from './node-entropy.ts';

/** scrypt calls that may wait for their turn; bounds the memory of a server that is flooded with activations. */
const MAX_WAITING_SCRYPT = 100_000;

export interface NodeCryptoOptions {
  /** scrypt calls that run at once; each takes a thread of the pool (four by default) and 32 MiB or more. */
  readonly scryptConcurrency?: number;
}

/**
 * The native provider, on node:crypto: for fleets and servers. Points are added by the portable library, which Node cannot do.
 *
 * @example
 * const crypto = nodeCrypto()
 */
export function nodeCrypto(options: NodeCryptoOptions = {}): CryptoProvider {
  const { scryptConcurrency = 2 } = options;
  if (!Number.isSafeInteger(scryptConcurrency) || scryptConcurrency < 1) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'scryptConcurrency must be 1 or more');
  }
  return {
    name: 'node',
    sha256: sha256Native,
    hmacSha256: hmacSha256Native,
    hkdfExtract: hmacSha256Native,
    hkdfExpand: hkdfExpandNative,
    p256PublicKey: publicKeyNative,
    p256Ecdh: ecdhNative,
    p256Multiply: multiplyNative,
    p256Add: addPoints,
    p256Subtract: subtractPoints,
    p256Sign: signNative,
    p256Verify: verifyNative,
    cbcHs512(key) {
      const { aesKey, macKey } = cbcHs512Keys(key);
      return composeCbcHs512(nodeCbcParts(aesKey, macKey));
    },
    gcm(key) {
      requireGcmKey(key);
      return composeGcm(nodeGcmParts(key.slice()));
    },
    scrypt: scryptNative(scryptConcurrency, MAX_WAITING_SCRYPT),
    equal: equalNative,
  };
}
