/**
 * Holder of the private keys of a device. Asynchronous, so that hardware keys fit; private keys never leave it.
 * Key ids are chosen by the caller and stable over restarts.
 */
export interface KeyStore {
  /** Public key (65 bytes) of `keyId`; the key pair is made durable before this resolves when it did not exist. */
  publicKey(keyId: string): Promise<Uint8Array>;
  /** ECDSA P-256 with SHA-256 over `message`, r||s (64 bytes). */
  sign(keyId: string, message: Uint8Array): Promise<Uint8Array>;
  /** Destroys the key pair; no error when there is none. */
  destroy(keyId: string): Promise<void>;
}
