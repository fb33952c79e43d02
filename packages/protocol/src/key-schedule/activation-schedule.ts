import { concatBytes, lp, utf8 } from '../bytes/bytes.ts';
import { type SecretBytes, wipe } from '../bytes/secret.ts';
import { toBase64url } from '../bytes/text.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import type { ActivationIdentity } from './activation-secret.ts';
import { deriveSecret, extract } from './kdf.ts';
import { HASH_LABELS, labelBytes, SECRET_LABELS } from './labels.ts';
import type { Spake2Identities } from './spake2plus.ts';
import { mix, startTranscript } from './transcript.ts';

/** h2: transcript over the whole frames A1 and A2, as sent and received. */
export function activationTranscript(crypto: CryptoProvider, start: Uint8Array, parameters: Uint8Array): Uint8Array {
  const h0 = startTranscript(crypto, HASH_LABELS.activation, []);
  return mix(crypto, mix(crypto, h0, start), parameters);
}

/** Inputs of SPAKE2+: Context = LP("uemkit/1 act") || h2, so both sides agree on versions, suite, cost and device information too. */
export function activationIdentities({ userId, coreId }: ActivationIdentity, h2: Uint8Array): Spake2Identities {
  return { context: concatBytes(lp(labelBytes(HASH_LABELS.activationContext)), h2), prover: utf8(userId), verifier: utf8(coreId) };
}

/** Keys of one activation run. The device uses them after confirmV, the server after confirmP. */
export interface ActivationKeys {
  /** h4, over A1 to A4. */
  readonly transcript: Uint8Array;
  /** Record of A5. */
  readonly initiatorTraffic: SecretBytes<'traffic'>;
  /** Record of A6. */
  readonly responderTraffic: SecretBytes<'traffic'>;
  /** Goes into the certificate request, see `possessionChallenge`. */
  readonly possession: SecretBytes<'possession'>;
}

/** ms = EX(h4, K_shared), then the keys, over the whole frames A3 and A4. Wipes `sharedKey`. */
export function activationKeys(
  crypto: CryptoProvider,
  h2: Uint8Array,
  share: Uint8Array,
  shareReply: Uint8Array,
  sharedKey: SecretBytes<'spake2-shared'>,
): ActivationKeys {
  const h4 = mix(crypto, mix(crypto, h2, share), shareReply);
  const master = extract<'master'>(crypto, h4, sharedKey);
  const keys: ActivationKeys = {
    transcript: h4,
    initiatorTraffic: deriveSecret(crypto, master, SECRET_LABELS.initiatorTraffic, h4, 32),
    responderTraffic: deriveSecret(crypto, master, SECRET_LABELS.responderTraffic, h4, 32),
    possession: deriveSecret(crypto, master, SECRET_LABELS.possession, h4, 32),
  };
  wipe(sharedKey, master);
  return keys;
}

/** challengePassword of the certificate request in A5: base64url(pop), 43 characters. */
export function possessionChallenge(possession: SecretBytes<'possession'>): string {
  return toBase64url(possession);
}

/** Wipes every key of a run; for its end, good or bad. */
export function wipeActivationKeys(keys: ActivationKeys): void {
  wipe(keys.initiatorTraffic, keys.responderTraffic, keys.possession);
}
