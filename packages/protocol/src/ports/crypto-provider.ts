/**
 * The cryptographic primitives that the protocol needs, as one synchronous port (scrypt apart, which takes long).
 * Two providers ship: `@uemkit/protocol/noble` (portable) and `@uemkit/protocol/node` (native); one contract suite covers both.
 * Private scalars are always 32 bytes big-endian; public keys always 65 bytes, uncompressed, and are checked to lie on the curve.
 * All methods throw `ProtocolError` (`ERR_CRYPTO_*`) and nothing else on bad input of a peer.
 */
export interface CryptoProvider {
  readonly name: string;
  sha256(data: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** RFC 5869 HKDF-Extract with SHA-256. */
  hkdfExtract(salt: Uint8Array, inputKey: Uint8Array): Uint8Array;
  /** RFC 5869 HKDF-Expand with SHA-256. */
  hkdfExpand(pseudoRandomKey: Uint8Array, info: Uint8Array, lengthBytes: number): Uint8Array;
  /** k·G as a full point. @throws `ERR_CRYPTO_PUBLIC_KEY` when k is 0 or not below the order. */
  p256PublicKey(scalar: Uint8Array): Uint8Array;
  /** x-coordinate (32 bytes) of k·P. @throws `ERR_CRYPTO_PUBLIC_KEY` */
  p256Ecdh(scalar: Uint8Array, publicKey: Uint8Array): Uint8Array;
  /** k·P as a full point, for SPAKE2+. @throws `ERR_CRYPTO_PUBLIC_KEY`, also when the result is the identity. */
  p256Multiply(scalar: Uint8Array, point: Uint8Array): Uint8Array;
  /** P + Q as a full point. @throws `ERR_CRYPTO_PUBLIC_KEY`, also when the result is the identity. */
  p256Add(a: Uint8Array, b: Uint8Array): Uint8Array;
  /** P - Q as a full point. @throws `ERR_CRYPTO_PUBLIC_KEY`, also when the result is the identity. */
  p256Subtract(a: Uint8Array, b: Uint8Array): Uint8Array;
  /** ECDSA with SHA-256, signature r||s (64 bytes). */
  p256Sign(scalar: Uint8Array, message: Uint8Array): Uint8Array;
  /** ECDSA with SHA-256 over `message`; false for any signature that does not verify. @throws `ERR_CRYPTO_PUBLIC_KEY` */
  p256Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** A256CBC-HS512 (RFC 7518, 5.2.5) under one 64-byte key: MAC key first, then AES key. */
  cbcHs512(key: Uint8Array): CbcHs512;
  /** AES-256-GCM with 12-byte nonces and 16-byte tags under one key. */
  gcm(key: Uint8Array): Gcm;
  /** scrypt (RFC 7914). */
  scrypt(password: Uint8Array, salt: Uint8Array, cost: ScryptCost, lengthBytes: number): Promise<Uint8Array>;
  /** Constant-time comparison; false when the lengths differ. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
}

export interface ScryptCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** One A256CBC-HS512 key, prepared once and used for many records. */
export interface CbcHs512 {
  seal(iv: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array): { readonly ciphertext: Uint8Array; readonly tag: Uint8Array };
  /** Checks the tag in constant time before it decrypts. @throws `ERR_CRYPTO_OPEN`, one error for every failure. */
  open(iv: Uint8Array, associatedData: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Uint8Array;
  wipe(): void;
}

/** One AES-256-GCM key, prepared once and used for many records. */
export interface Gcm {
  /**
   * Ciphertext followed by the 16-byte tag, in one array. `headBytes` (0 when left out) zero bytes stand before them: room for the header
   * of a record, which would otherwise cost a copy of the whole.
   */
  seal(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array, headBytes?: number): Uint8Array;
  /** @throws `ERR_CRYPTO_OPEN`, one error for every failure. */
  open(nonce: Uint8Array, associatedData: Uint8Array, ciphertextAndTag: Uint8Array): Uint8Array;
  wipe(): void;
}
