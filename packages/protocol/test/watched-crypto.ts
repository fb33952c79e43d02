import { toHex } from '../src/bytes/text.ts';
import type { CryptoProvider } from '../src/ports/crypto-provider.ts';

/** A provider that remembers every secret that goes in or comes out, so that a test can see what was not wiped. */
export interface WatchedCrypto {
  readonly crypto: CryptoProvider;
  /** Names of the secrets that are not zero now, and of ciphers that were not wiped; without those that somebody else owns. */
  left(...owned: readonly (Uint8Array | undefined)[]): readonly string[];
  /** How many secrets went through: nothing is wiped well where nothing was seen. */
  readonly seen: number;
}

/**
 * Secrets are: scalars, agreements, products of points, derived keys, what goes into an extraction or scrypt, keys of ciphers, and whatever is hashed
 * with one of these in it. `spake2` adds MACs, the public keys of scalars and differences of points: all of them secret in SPAKE2+, and none elsewhere.
 */
export function watchedCrypto(inner: CryptoProvider, { spake2 = false } = {}): WatchedCrypto {
  const secrets = new Map<Uint8Array, string>();
  const texts: string[] = [];
  const ciphers: { readonly name: string; wiped: boolean }[] = [];

  const watch = (name: string, bytes: Uint8Array): Uint8Array => {
    secrets.set(bytes, secrets.get(bytes) ?? name);
    // A confirmation is a secret until it is sent; then it stands in transcripts.
    if (name !== 'mac' && bytes.length >= 32 && bytes.some((byte) => byte !== 0)) texts.push(toHex(bytes));
    return bytes;
  };
  const cipher = <T extends { wipe(): void }>(name: string, made: T): T => {
    const entry = { name, wiped: false };
    ciphers.push(entry);
    return {
      ...made,
      wipe() {
        entry.wiped = true;
        made.wipe();
      },
    };
  };

  return {
    crypto: {
      ...inner,
      sha256(data) {
        const carrier = toHex(data);
        if (!texts.some((text) => carrier.includes(text))) return inner.sha256(data);
        watch('hashed', data);
        return watch('hash', inner.sha256(data));
      },
      hmacSha256: (key, data) => (spake2 ? watch('mac', inner.hmacSha256(key, data)) : inner.hmacSha256(key, data)),
      hkdfExtract: (salt, inputKey) => watch('extracted', inner.hkdfExtract(salt, watch('input of an extraction', inputKey))),
      hkdfExpand: (key, info, lengthBytes) => watch('derived', inner.hkdfExpand(watch('expanded', key), info, lengthBytes)),
      p256PublicKey(scalar) {
        const publicKey = inner.p256PublicKey(watch('scalar', scalar));
        return spake2 ? watch('public key', publicKey) : publicKey;
      },
      p256Ecdh: (scalar, publicKey) => watch('agreement', inner.p256Ecdh(watch('scalar', scalar), publicKey)),
      p256Multiply: (scalar, point) => watch('product', inner.p256Multiply(watch('scalar', scalar), point)),
      p256Subtract: (a, b) => (spake2 ? watch('difference', inner.p256Subtract(a, b)) : inner.p256Subtract(a, b)),
      cbcHs512: (key) => cipher('CBC', inner.cbcHs512(watch('CBC key', key))),
      gcm: (key) => cipher('GCM', inner.gcm(watch('GCM key', key))),
      scrypt: async (password, salt, cost, lengthBytes) => watch('stretched', await inner.scrypt(watch('stretch input', password), salt, cost, lengthBytes)),
    },
    get seen() {
      return secrets.size + ciphers.length;
    },
    left(...owned) {
      const bytes = [...secrets].filter(([secret]) => !owned.includes(secret) && secret.some((byte) => byte !== 0)).map(([, name]) => name);
      return [...bytes, ...ciphers.filter(({ wiped }) => !wiped).map(({ name }) => name)];
    },
  };
}

/** A provider whose CBC plaintexts can be looked at afterwards. */
export function watchedPlaintexts(inner: CryptoProvider): {
  readonly crypto: CryptoProvider;
  readonly sealed: readonly Uint8Array[];
  readonly opened: readonly Uint8Array[];
} {
  const sealed: Uint8Array[] = [];
  const opened: Uint8Array[] = [];
  const cbcHs512: CryptoProvider['cbcHs512'] = (key) => {
    const made = inner.cbcHs512(key);
    return {
      ...made,
      seal(iv, associatedData, plaintext) {
        sealed.push(plaintext);
        return made.seal(iv, associatedData, plaintext);
      },
      open(iv, associatedData, ciphertext, tag) {
        const plaintext = made.open(iv, associatedData, ciphertext, tag);
        opened.push(plaintext);
        return plaintext;
      },
    };
  };
  return { crypto: { ...inner, cbcHs512 }, sealed, opened };
}
