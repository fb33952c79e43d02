export type { ConformanceCase } from './conformance/conformance-case.ts';
export { cryptoProviderCases } from './conformance/crypto-provider-cases.ts';
export { type StoreSubject, storeCases } from './conformance/store-cases.ts';
export { type FakeClock, type FakeClockOptions, fakeClock } from './fakes/fake-clock.ts';
export { type MemoryKeyStore, memoryKeyStore, seededKeyStore } from './fakes/memory-key-store.ts';
export {
  type LinkDirection,
  type LinkEnd,
  type LinkFault,
  type LinkReceiver,
  type MemoryLink,
  type MemoryLinkOptions,
  memoryLink,
} from './fakes/memory-link.ts';
export { type CrashPoint, type MemoryStore, memoryStore } from './fakes/memory-store.ts';
export { rememberedScrypt } from './fakes/remembered-scrypt.ts';
export { type SeededEntropy, seededEntropy } from './fakes/seeded-entropy.ts';
