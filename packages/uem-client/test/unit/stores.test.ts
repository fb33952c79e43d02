import { createPrivateKey, createPublicKey } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto } from '@uemkit/protocol/node';
import { memoryStore, seededEntropy } from '@uemkit/protocol/testing';
import { describe, expect, it } from 'vitest';
import { softwareKeyStore } from '../../src/index.ts';
import { fileStore } from '../../src/node/index.ts';

const crypto = nodeCrypto();
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

async function folder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'uemkit-store-'));
}

describe('softwareKeyStore', () => {
  it('keeps a key over restarts, and signs with it', async () => {
    const store = memoryStore();
    const made = softwareKeyStore({ crypto, entropy: seededEntropy('keys'), store });
    const publicKey = await made.publicKey('a');
    const again = softwareKeyStore({ crypto, entropy: seededEntropy('other'), store: store.restart() });
    expect(await again.publicKey('a')).toEqual(publicKey);
    const message = bytes(1, 2, 3);
    expect(crypto.p256Verify(publicKey, message, await again.sign('a', message))).toBe(true);
    expect(await again.publicKey('b')).not.toEqual(publicKey);
  });

  it('makes the key durable before it tells the public key', async () => {
    const store = memoryStore();
    store.failWrites(1);
    const keys = softwareKeyStore({ crypto, entropy: seededEntropy('keys'), store });
    await expect(keys.publicKey('a')).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
  });

  it('gives TLS the same key', async () => {
    const keys = softwareKeyStore({ crypto, entropy: seededEntropy('keys'), store: memoryStore() });
    const jwk = createPublicKey(createPrivateKey(await keys.tlsKey('a'))).export({ format: 'jwk' });
    const point = Buffer.concat([bytes(4), Buffer.from(jwk.x ?? '', 'base64url'), Buffer.from(jwk.y ?? '', 'base64url')]);
    expect(new Uint8Array(point)).toEqual(await keys.publicKey('a'));
  });

  it('destroys a key for good, and a second time without an error', async () => {
    const store = memoryStore();
    const keys = softwareKeyStore({ crypto, entropy: seededEntropy('keys'), store });
    const before = await keys.publicKey('a');
    await keys.destroy('a');
    await keys.destroy('a');
    expect(store.snapshot().size).toBe(0);
    expect(await keys.publicKey('a')).not.toEqual(before);
  });

  it('refuses a damaged key and a source of randomness that repeats zeros', async () => {
    const damaged = softwareKeyStore({ crypto, entropy: seededEntropy('keys'), store: memoryStore(new Map([['uem/key/a', bytes(1)]])) });
    await expect(damaged.publicKey('a')).rejects.toMatchObject({ code: 'ERR_STORE_READ' });
    const zeros = softwareKeyStore({ crypto, entropy: { randomBytes: (length) => new Uint8Array(length) }, store: memoryStore() });
    await expect(zeros.publicKey('a')).rejects.toMatchObject({ code: 'ERR_INTERNAL' });
  });
});

describe('fileStore', () => {
  it('is empty at first, and keeps what was committed', async () => {
    const path = join(await folder(), 'device', 'state.json');
    const store = fileStore(path);
    expect(await store.get('a')).toBeUndefined();
    await Promise.all([
      store.commit([
        { key: 'a', value: bytes(1) },
        { key: 'b', value: bytes(2) },
      ]),
      store.commit([
        { key: 'a', value: null },
        { key: 'c', value: bytes() },
      ]),
    ]);
    const again = fileStore(path);
    expect([await again.get('a'), await again.get('b'), await again.get('c')]).toEqual([undefined, bytes(2), bytes()]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(path, '..'))).toEqual(['state.json']);
  });

  it('takes its values when it is called', async () => {
    const store = fileStore(join(await folder(), 'state.json'));
    const value = bytes(1);
    const committed = store.commit([{ key: 'a', value }]);
    value.fill(9);
    await committed;
    const got = await store.get('a');
    got?.fill(7);
    expect(await store.get('a')).toEqual(bytes(1));
  });

  it('keeps the old state when it cannot write, and works again afterwards', async () => {
    const path = join(await folder(), 'state.json');
    const store = fileStore(path);
    await store.commit([{ key: 'a', value: bytes(1) }]);
    const blocked = fileStore(join(path, 'below-a-file', 'state.json'));
    await expect(blocked.commit([{ key: 'a', value: bytes(2) }])).rejects.toMatchObject({ kind: 'local' });
    await store.commit([{ key: 'b', value: bytes(3) }]);
    expect(await fileStore(path).get('a')).toEqual(bytes(1));
  });

  it('refuses damaged state and that of a newer version', async () => {
    const path = join(await folder(), 'state.json');
    await writeFile(path, '{"format":1,"values":{"a":"!"}}');
    await expect(fileStore(path).get('a')).rejects.toMatchObject({ code: 'ERR_STORE_READ' });
    await writeFile(path, '{"format":2,"values":{}}');
    await expect(fileStore(path).get('a')).rejects.toMatchObject({ code: 'ERR_STORE_VERSION' });
    expect(await readFile(path, 'utf8')).toContain('"format":2');
    await chmod(path, 0o600);
  });
});
