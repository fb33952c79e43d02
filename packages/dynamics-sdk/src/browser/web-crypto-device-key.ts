import type { DeviceKey } from '../container/ports.ts';
import type { HmacSubtle, IndexedDatabases } from './platform.ts';
import { deleteRowDatabase, openRowDatabase, type RowDatabase } from './row-database.ts';

const KEY = 'key';

/**
 * A device key of WebCrypto that cannot be extracted, in an IndexedDB database of its own. A script of the origin can use it while it runs there; it cannot
 * take it away.
 * @param options `indexedDB`, `crypto.subtle`, and the name of the container, default `container`
 */
export function webCryptoDeviceKey(options: {
  readonly indexedDB: IndexedDatabases;
  readonly subtle: HmacSubtle;
  readonly name?: string | undefined;
}): DeviceKey {
  const { indexedDB, subtle, name = 'container' } = options;
  const database = `uemkit/${name}/device`;
  const within = async <T>(work: (rows: RowDatabase) => Promise<T>): Promise<T> => {
    const rows = await openRowDatabase(indexedDB, database);
    try {
      return await work(rows);
    } finally {
      rows.close();
    }
  };
  const read = (rows: RowDatabase): Promise<unknown> => rows.read((of) => of.get(KEY));
  return {
    create: () =>
      within(async (rows) => {
        if ((await read(rows)) !== undefined) return;
        const key = await subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
        await rows.write((of) => {
          of.put(key, KEY);
        });
      }),
    async mac(data) {
      const key = await within(read);
      return key === undefined ? undefined : new Uint8Array(await subtle.sign('HMAC', key, new Uint8Array(data).buffer));
    },
    destroy: () => deleteRowDatabase(indexedDB, database),
  };
}
