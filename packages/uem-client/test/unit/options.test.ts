import { nodeCrypto, nodeEntropy } from '@uemkit/protocol/node';
import { fakeClock, memoryStore } from '@uemkit/protocol/testing';
import { expect, it } from 'vitest';
import { createUemClient, softwareKeyStore, type UemClientOptions } from '../../src/index.ts';

function options(): UemClientOptions {
  const [crypto, entropy, store] = [nodeCrypto(), nodeEntropy(), memoryStore()];
  const never = (): never => {
    throw new Error('not in this test');
  };
  return {
    crypto,
    entropy,
    store,
    clock: fakeClock(0),
    keyStore: softwareKeyStore({ crypto, entropy, store }),
    transport: { exchange: never, openPush: never, release: never, close: never },
    operatingSystem: { deviceInfo: never, configure: never, execute: never, deactivated: never },
  };
}

it('takes a whole set of ports', () => {
  expect(createUemClient(options()).state).toBe('inactive');
});

it.each(['crypto', 'clock', 'entropy', 'store', 'keyStore', 'transport', 'operatingSystem'])('says that %s is missing', (port) => {
  expect(() => createUemClient({ ...options(), [port]: undefined })).toThrow(
    expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT', message: `createUemClient needs ${port}` }),
  );
});

it.each(['deviceInfo', 'configure', 'execute', 'deactivated'])('says that the operating system has no %s', (method) => {
  const operatingSystem = { ...options().operatingSystem, [method]: undefined };
  expect(() => createUemClient({ ...options(), operatingSystem })).toThrow(
    expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT', message: `createUemClient needs operatingSystem.${method}` }),
  );
});
