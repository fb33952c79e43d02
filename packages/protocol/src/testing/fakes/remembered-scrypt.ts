import { toHex } from '../../bytes/text.ts';
import type { CryptoProvider } from '../../ports/crypto-provider.ts';

/** Results that are kept; the oldest goes for a new one. */
const MAX_RESULTS = 256;

/**
 * A provider whose scrypt works each password out once. In a test both ends of an activation stretch the same one, and it is the same in the next test:
 * that takes more time than everything else. For tests only: it keeps what a password becomes.
 *
 * @example
 * const crypto = rememberedScrypt(nodeCrypto())
 */
export function rememberedScrypt(provider: CryptoProvider): CryptoProvider {
  const results = new Map<string, Promise<Uint8Array>>();
  return {
    ...provider,
    async scrypt(password, salt, cost, lengthBytes) {
      const question = [toHex(password), toHex(salt), cost.N, cost.r, cost.p, lengthBytes].join(' ');
      const known = results.get(question) ?? provider.scrypt(password, salt, cost, lengthBytes);
      results.delete(question);
      results.set(question, known);
      // What fails is asked again.
      known.catch(() => results.delete(question));
      const [oldest] = results.keys();
      if (results.size > MAX_RESULTS) results.delete(oldest as string);
      // A copy: who stretches a password wipes the result.
      return (await known).slice();
    },
  };
}
