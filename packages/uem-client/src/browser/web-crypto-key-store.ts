import { type KeyStore, ProtocolError } from '@uemkit/protocol';
import { changeObjects, readObject } from './database.ts';
import type { Database, KeyLike, SubtleLike } from './platform.ts';

/** A key as IndexedDB keeps it. The private key is a handle: the page can use it, but nobody can read it out. */
interface SavedKey {
  readonly privateKey: KeyLike;
  readonly publicKey: Uint8Array;
}

/** Keys of WebCrypto that cannot be extracted, kept in IndexedDB. A script in the page can sign with them while it runs there; it cannot take them away. */
export function webCryptoKeyStore(database: Database, subtle: SubtleLike): KeyStore {
  const saved = async (keyId: string): Promise<SavedKey | undefined> => {
    const value = (await readObject(database, 'keys', keyId)) as Partial<SavedKey> | undefined;
    if (value === undefined) return undefined;
    const { privateKey, publicKey } = value;
    if (privateKey === undefined || !(publicKey instanceof Uint8Array)) throw new ProtocolError('ERR_STORE_READ', 'a saved private key is damaged');
    return { privateKey, publicKey };
  };

  const made = async (keyId: string): Promise<SavedKey> => {
    const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
    const key = { privateKey: pair.privateKey, publicKey: new Uint8Array(await subtle.exportKey('raw', pair.publicKey)) };
    await changeObjects(database, 'keys', (objects) => objects.put(key, keyId));
    return key;
  };

  // One at a time: two calls for a new key must not make two.
  let last: Promise<unknown> = Promise.resolve();
  const keyOf = (keyId: string): Promise<SavedKey> => {
    const found = last.then(async () => (await saved(keyId)) ?? made(keyId));
    last = found.catch(() => undefined);
    return found;
  };

  return {
    publicKey: async (keyId) => (await keyOf(keyId)).publicKey,
    async sign(keyId, message) {
      const { privateKey } = await keyOf(keyId);
      return new Uint8Array(await subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, new Uint8Array(message).buffer));
    },
    destroy: (keyId) => changeObjects(database, 'keys', (objects) => objects.delete(keyId)),
  };
}
