import { describe, it } from 'vitest';
import { nobleCrypto } from '../../src/providers/noble/index.ts';
import { nodeCrypto } from '../../src/providers/node/index.ts';
import { cryptoProviderCases, memoryStore, storeCases } from '../../src/testing/index.ts';

describe.each([nobleCrypto(), nodeCrypto(), nodeCrypto({ scryptConcurrency: 1 })])('crypto provider $name', (crypto) => {
  for (const { name, run } of cryptoProviderCases) it(name, () => run(crypto));
});

describe('memory store', () => {
  for (const { name, run } of storeCases) {
    it(name, () => {
      let store = memoryStore();
      return run({
        open: async () => {
          store = store.restart();
          return store;
        },
      });
    });
  }
});
