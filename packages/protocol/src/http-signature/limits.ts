/** Bounds of HTTP message signatures (docs/protocol/11-signatures.md). */
export const SIGNATURE_LIMITS: SignatureLimits = {
  fieldCharacters: 1_024,
  certificateCharacters: 5_504,
  components: 16,
  parameters: 8,
  lifeS: 60,
  clockSkewS: 5,
  noncesOfKey: 4_096,
  nonces: 262_144,
};

export interface SignatureLimits {
  /** Characters of `signature-input`, `signature`, `content-digest` and `uemkit-challenge`, each. */
  readonly fieldCharacters: number;
  /** Characters of `uemkit-certificate`: the largest certificate in base64. */
  readonly certificateCharacters: number;
  /** Covered components of one signature. */
  readonly components: number;
  /** Parameters of one signature or component. */
  readonly parameters: number;
  /** From `created` to `expires`. */
  readonly lifeS: number;
  /** `created` may be so far ahead of the verifier's time. */
  readonly clockSkewS: number;
  /** Requests of one key that a verifier remembers; more are refused until old ones have expired. */
  readonly noncesOfKey: number;
  /** Requests of all keys that a verifier remembers; more are refused until old ones have expired. */
  readonly nonces: number;
}
