import { type CryptoProvider, keySchedule, type SecretBytes, secret, wipe } from '@uemkit/protocol';

/** What UEM keeps of an access key (docs/protocol/04, 4.3 and 4.4). */
export interface AccessKeySecrets {
  /** psk of `sc`; secret. */
  readonly setUpPsk: Uint8Array;
  readonly verifier: Uint8Array;
}

/** Takes K_ak apart and wipes it. */
export function accessKeySecrets(crypto: CryptoProvider, stretched: SecretBytes<'access-key'>): AccessKeySecrets {
  const hash = keySchedule.nocHash(crypto, stretched);
  const secrets = { setUpPsk: keySchedule.setUpPsk(crypto, stretched), verifier: keySchedule.nocVerifier(crypto, hash) };
  wipe(stretched, hash);
  return secrets;
}

/** The secrets of a key that a person types: scrypt, about 70 ms of another thread. */
export async function typedAccessKeySecrets(crypto: CryptoProvider, accessKey: string, userId: string): Promise<AccessKeySecrets> {
  const { password, salt, cost, lengthBytes } = keySchedule.typedAccessKeyStretch(crypto, accessKey, userId);
  try {
    return accessKeySecrets(crypto, secret(await crypto.scrypt(password, salt, cost, lengthBytes)));
  } finally {
    wipe(password);
  }
}
