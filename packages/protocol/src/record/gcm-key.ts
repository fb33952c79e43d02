import { type SecretBytes, wipe } from '../bytes/secret.ts';
import { deriveSecret, NO_CONTEXT } from '../key-schedule/kdf.ts';
import { SECRET_LABELS } from '../key-schedule/labels.ts';
import type { CryptoProvider, Gcm } from '../ports/crypto-provider.ts';
import { GCM_NONCE_BYTES } from './gcm-layout.ts';

/** The keys of one direction for the time between two key updates. */
export interface GcmGeneration {
  readonly gcm: Gcm;
  /** Nonce of a sequence number: the base with the number over its last 8 bytes (RFC 8446, 5.3). The same array each time, good until the next call. */
  nonce(sequence: number): Uint8Array;
  /** The generation after this one, ts' = XL(ts, "upd"); this one is wiped. */
  next(): GcmGeneration;
  wipe(): void;
}

/** Key and nonce base of a traffic secret, of which a copy is kept for the next generation. */
export function createGcmGeneration(crypto: CryptoProvider, traffic: SecretBytes<'traffic'>): GcmGeneration {
  const secret = traffic.slice() as SecretBytes<'traffic'>;
  const key = deriveSecret<'gcm'>(crypto, secret, SECRET_LABELS.gcmKey, NO_CONTEXT, 32);
  const base = deriveSecret<'iv'>(crypto, secret, SECRET_LABELS.gcmIv, NO_CONTEXT, GCM_NONCE_BYTES);
  // Used again for each record: native code takes about half a microsecond more for an array that it has not seen.
  const nonce = new Uint8Array(GCM_NONCE_BYTES);
  const gcm = crypto.gcm(key);
  wipe(key);
  const forget = (): void => {
    gcm.wipe();
    wipe(secret, base);
  };
  return {
    gcm,
    nonce(sequence) {
      nonce.set(base);
      // From the last byte on; bit operators would cut numbers at 32 bits.
      for (let at = GCM_NONCE_BYTES - 1, rest = sequence; rest > 0; at--, rest = Math.floor(rest / 256)) nonce[at] = (nonce[at] as number) ^ (rest % 256);
      return nonce;
    },
    next() {
      const following = deriveSecret<'traffic'>(crypto, secret, SECRET_LABELS.keyUpdate, NO_CONTEXT, 32);
      const generation = createGcmGeneration(crypto, following);
      wipe(following);
      forget();
      return generation;
    },
    wipe: forget,
  };
}
