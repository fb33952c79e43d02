import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import type { ConformanceCase } from './conformance-case.ts';
import { cipherCases } from './crypto-cipher-cases.ts';
import { curveCases } from './crypto-curve-cases.ts';
import { hashCases } from './crypto-hash-cases.ts';

/**
 * What every `CryptoProvider` must do. Each case is independent and takes the provider as it is.
 *
 * @example
 * for (const { name, run } of cryptoProviderCases) it(name, () => run(myCrypto()))
 */
export const cryptoProviderCases: readonly ConformanceCase<CryptoProvider>[] = [...hashCases, ...curveCases, ...cipherCases];
