import type { CbcHs512, CryptoProvider, Entropy, Gcm } from '@uemkit/protocol';

/** One primitive operation with its own copies of the inputs, to be done again. */
export type Replay = () => unknown;

type Operation =
  | 'sha256'
  | 'hmacSha256'
  | 'hkdfExtract'
  | 'hkdfExpand'
  | 'p256PublicKey'
  | 'p256Ecdh'
  | 'p256Multiply'
  | 'p256Add'
  | 'p256Subtract'
  | 'p256Sign'
  | 'p256Verify'
  | 'equal';

const OPERATIONS: readonly Operation[] = [
  'sha256',
  'hmacSha256',
  'hkdfExtract',
  'hkdfExpand',
  'p256PublicKey',
  'p256Ecdh',
  'p256Multiply',
  'p256Add',
  'p256Subtract',
  'p256Sign',
  'p256Verify',
  'equal',
];

const copy = <T>(value: T): T => (value instanceof Uint8Array ? (value.slice() as T) : value);

/**
 * A provider that notes each primitive operation. Played back without the code that asked for them, they are the sum of the primitives:
 * the least that any implementation of the same protocol over this provider must spend.
 */
export function recordingCrypto(provider: CryptoProvider): { readonly crypto: CryptoProvider; readonly replays: Replay[] } {
  const replays: Replay[] = [];
  const crypto: CryptoProvider = Object.create(provider);
  for (const name of OPERATIONS) {
    const operation = provider[name].bind(provider) as (...args: unknown[]) => unknown;
    const recorded = (...args: unknown[]): unknown => {
      const copies = args.map(copy);
      replays.push(() => operation(...copies));
      return operation(...args);
    };
    Object.defineProperty(crypto, name, { value: recorded });
  }
  Object.defineProperty(crypto, 'scrypt', {
    value: (...args: Parameters<CryptoProvider['scrypt']>) => {
      const [password, salt, cost, lengthBytes] = args.map(copy) as Parameters<CryptoProvider['scrypt']>;
      replays.push(() => provider.scrypt(password, salt, cost, lengthBytes));
      return provider.scrypt(...args);
    },
  });
  Object.defineProperty(crypto, 'cbcHs512', { value: (key: Uint8Array) => recordingCbc(provider, key, replays) });
  Object.defineProperty(crypto, 'gcm', { value: (key: Uint8Array) => recordingGcm(provider, key, replays) });
  return { crypto, replays };
}

/** An entropy source whose draws are noted with the primitives: whoever runs the protocol must make them. */
export function recordingEntropy(source: Entropy, replays: Replay[]): Entropy {
  return {
    randomBytes(lengthBytes) {
      replays.push(() => source.randomBytes(lengthBytes));
      return source.randomBytes(lengthBytes);
    },
  };
}

function recordingCbc(provider: CryptoProvider, key: Uint8Array, replays: Replay[]): CbcHs512 {
  const real = provider.cbcHs512(key);
  const held = provider.cbcHs512(key.slice());
  const keyCopy = key.slice();
  replays.push(() => provider.cbcHs512(keyCopy));
  return {
    seal(...args) {
      const [iv, associatedData, plaintext] = args.map(copy) as typeof args;
      replays.push(() => held.seal(iv, associatedData, plaintext));
      return real.seal(...args);
    },
    open(...args) {
      const [iv, associatedData, ciphertext, tag] = args.map(copy) as typeof args;
      replays.push(() => held.open(iv, associatedData, ciphertext, tag));
      return real.open(...args);
    },
    wipe: () => real.wipe(),
  };
}

function recordingGcm(provider: CryptoProvider, key: Uint8Array, replays: Replay[]): Gcm {
  const real = provider.gcm(key);
  const held = provider.gcm(key.slice());
  const keyCopy = key.slice();
  replays.push(() => provider.gcm(keyCopy));
  return {
    seal(...args) {
      const [nonce, associatedData, plaintext] = args.map(copy) as typeof args;
      replays.push(() => held.seal(nonce, associatedData, plaintext));
      return real.seal(...args);
    },
    open(...args) {
      const [nonce, associatedData, sealed] = args.map(copy) as typeof args;
      replays.push(() => held.open(nonce, associatedData, sealed));
      return real.open(...args);
    },
    wipe: () => real.wipe(),
  };
}
