import { type SecretBytes, wipe } from '../bytes/secret.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { deriveSecret, extract, NO_CONTEXT, requireLiveSecret, ZERO_32 } from './kdf.ts';
import { SECRET_LABELS } from './labels.ts';

/** es = EX(0, psk), with zeros for an instance without a pre-shared key. */
export function earlySecret(crypto: CryptoProvider, psk: SecretBytes<'psk'> | undefined): SecretBytes<'early'> {
  // check: HC psk is live
  if (psk !== undefined) requireLiveSecret(psk);
  return extract(crypto, ZERO_32, psk ?? ZERO_32);
}

/** mac1 = HMAC(XL(es, "binder", h0), h1 over the core of M1): the MAC of the set-up message (F3.9). */
export function binderMac(crypto: CryptoProvider, early: SecretBytes<'early'>, h0: Uint8Array, h1: Uint8Array): Uint8Array {
  return macUnder(crypto, deriveSecret(crypto, early, SECRET_LABELS.binder, h0, 32), h1);
}

/** EX(XL(from, "derived"), Z): from `es` over the static to the ephemeral agreement. Wipes `from` and `agreed`. */
export function nextSecret(crypto: CryptoProvider, from: Uint8Array, agreed: Uint8Array): SecretBytes<'handshake'> {
  const salt = deriveSecret(crypto, from, SECRET_LABELS.derived, NO_CONTEXT, 32);
  const next = extract<'handshake'>(crypto, salt, agreed);
  wipe(from, agreed, salt);
  return next;
}

/** mac2 = HMAC(XL(hs, "r fin"), h2). */
export function responderFinishedMac(crypto: CryptoProvider, handshake: SecretBytes<'handshake'>, h2: Uint8Array): Uint8Array {
  return macUnder(crypto, deriveSecret(crypto, handshake, SECRET_LABELS.responderFinished, NO_CONTEXT, 32), h2);
}

/** mac3 = HMAC(XL(hs, "i fin"), h3). */
export function initiatorFinishedMac(crypto: CryptoProvider, handshake: SecretBytes<'handshake'>, h3: Uint8Array): Uint8Array {
  return macUnder(crypto, deriveSecret(crypto, handshake, SECRET_LABELS.initiatorFinished, NO_CONTEXT, 32), h3);
}

/** What a finished handshake leaves. */
export interface HandshakeKeys {
  readonly initiatorTraffic: SecretBytes<'traffic'>;
  readonly responderTraffic: SecretBytes<'traffic'>;
  /** Reserved for applications. */
  readonly exporter: SecretBytes<'exporter'>;
}

/** ms = EX(XL(hs, "derived"), 0) and the keys from it, bound to h2 after mac2. `handshake` stays, for mac3. */
export function trafficKeys(crypto: CryptoProvider, handshake: SecretBytes<'handshake'>, h2: Uint8Array): HandshakeKeys {
  const salt = deriveSecret(crypto, handshake, SECRET_LABELS.derived, NO_CONTEXT, 32);
  const master = extract<'master'>(crypto, salt, ZERO_32);
  const keys: HandshakeKeys = {
    initiatorTraffic: deriveSecret(crypto, master, SECRET_LABELS.initiatorTraffic, h2, 32),
    responderTraffic: deriveSecret(crypto, master, SECRET_LABELS.responderTraffic, h2, 32),
    exporter: deriveSecret(crypto, master, SECRET_LABELS.exporter, h2, 32),
  };
  wipe(salt, master);
  return keys;
}

/** Wipes the keys of a session; for its end, good or bad. */
export function wipeHandshakeKeys(keys: HandshakeKeys): void {
  wipe(keys.initiatorTraffic, keys.responderTraffic, keys.exporter);
}

function macUnder(crypto: CryptoProvider, key: SecretBytes<'mac'>, hash: Uint8Array): Uint8Array {
  const mac = crypto.hmacSha256(key, hash);
  wipe(key);
  return mac;
}
