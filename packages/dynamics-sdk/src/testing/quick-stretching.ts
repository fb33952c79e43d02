import type { CryptoProvider } from '@uemkit/protocol';

/**
 * A provider that stretches passwords and access keys at once instead of in 70 ms, which is what it takes on purpose. App and organisation have to agree: give the same one to
 * `startLab` and to the app. For tests alone, as a password behind it is guessed in no time.
 */
export function quickStretching(provider: CryptoProvider): CryptoProvider {
  const quick: CryptoProvider = Object.create(provider);
  return Object.defineProperty(quick, 'scrypt', {
    value: (...[password, salt, , lengthBytes]: Parameters<CryptoProvider['scrypt']>) => provider.scrypt(password, salt, { N: 16, r: 1, p: 1 }, lengthBytes),
  });
}
