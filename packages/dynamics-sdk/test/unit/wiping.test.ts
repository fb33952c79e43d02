import type { CryptoProvider, Gcm } from '@uemkit/protocol';
import { utf8 } from '@uemkit/protocol';
import { expect, it } from 'vitest';
import { content, createContainer, crypto, memoryDeviceKey, openContainer, PASSWORD, POLICY, testDevice } from '../support/device.ts';
import { memoryStorage } from '../support/memory-storage.ts';

/** Remembers every secret that goes in or comes out, and every cipher. */
function watched(): { readonly crypto: CryptoProvider; left(): readonly string[]; readonly seen: number } {
  const secrets: [string, Uint8Array][] = [];
  const ciphers: { wiped: boolean }[] = [];
  const watch = (what: string, bytes: Uint8Array): Uint8Array => {
    secrets.push([what, bytes]);
    return bytes;
  };
  const gcm = (key: Uint8Array): Gcm => {
    watch('key', key);
    const inner = crypto.gcm(key);
    const cipher = { wiped: false };
    ciphers.push(cipher);
    return {
      ...inner,
      open(...of) {
        const opened = inner.open(...of);
        // Chunks are data of the app, and given to it.
        return opened.length > 30_000 ? opened : watch('opened', opened);
      },
      wipe() {
        cipher.wiped = true;
        inner.wipe();
      },
    };
  };
  return {
    crypto: {
      ...crypto,
      hkdfExpand: (...of) => watch('derived', crypto.hkdfExpand(...of)),
      hkdfExtract: (salt, input) => watch('extracted', crypto.hkdfExtract(watch('device', salt), watch('extracted from', input))),
      scrypt: async (password, ...of) => watch('stretched', await crypto.scrypt(watch('typed', password), ...of)),
      gcm,
    },
    left: () => [
      ...secrets.filter(([, bytes]) => bytes.some((byte) => byte !== 0)).map(([what]) => what),
      ...ciphers.filter(({ wiped }) => !wiped).map(() => 'cipher'),
    ],
    get seen() {
      return secrets.length + ciphers.length;
    },
  };
}

it('leaves no key, password or cipher in memory when a container is closed or wiped', async () => {
  for (const end of ['close', 'wipe'] as const) {
    const watch = watched();
    const { vault } = testDevice(memoryStorage(), memoryDeviceKey(), { crypto: watch.crypto });
    const created = await createContainer(vault);
    await created.values.put('a', utf8('value'));
    await created.setUnlockKey('01234-56789-ABCDE');
    await created.close();
    await vault.open('wrong horse 7');
    const container = await openContainer(vault);
    await container.files.write('f', new Uint8Array(100_000));
    await content(container.files.read('f'));
    await container.changePassword({ current: PASSWORD, next: 'another horse 8', policy: POLICY });
    await container.limitTries(POLICY);
    await (end === 'close' ? container.close() : vault.wipe());
    expect(watch.seen).toBeGreaterThan(50);
    expect(watch.left()).toEqual([]);
  }
});

it('leaves no root key when it could not be used', async () => {
  const watch = watched();
  const device = testDevice(memoryStorage(), memoryDeviceKey(), { crypto: watch.crypto });
  await (await createContainer(device.vault)).close();
  device.storage.rows.delete('l');
  await expect(device.vault.open(PASSWORD)).rejects.toMatchObject({ code: 'ERR_CRYPTO_OPEN' });
  expect(watch.left()).toEqual([]);
  device.storage.beforeCommit = (keys) => {
    if (device.storage.commits.length % 2 === 1 && keys[0] === 'g') throw new Error('disk full');
  };
  await device.vault.open(PASSWORD).catch(() => {});
  await device.vault.open(PASSWORD).catch(() => {});
  expect(watch.left()).toEqual([]);
});
