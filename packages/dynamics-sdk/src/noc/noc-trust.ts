/**
 * Which NOC is believed: it must satisfy every part that is not empty, and nobody satisfies a trust with nothing in it.
 * Roots: its chain ends in one of them and its name or address is in the certificate. Pins: the key of its own certificate is one of them.
 */
export interface NocTrust {
  /** DER certificates; `platform`: the roots that the platform comes with. */
  readonly roots: readonly Uint8Array[] | 'platform';
  /** SHA-256 of the SubjectPublicKeyInfo, 32 bytes each. */
  readonly spkiPins: readonly Uint8Array[];
}
