import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type CryptoProvider, type Entropy, ProtocolError, wipe } from '@uemkit/protocol';
import type { DeviceKey } from '../container/ports.ts';

const KEY_BYTES = 32;

/**
 * A device key in a file of mode 0600, for machines without hardware for it. Whoever can read the file has the key: keep it apart from the container, on no
 * backup, and use a `DeviceKey` of the platform's key store where there is one.
 */
export function fileDeviceKey(path: string, { crypto, entropy }: { readonly crypto: CryptoProvider; readonly entropy: Entropy }): DeviceKey {
  const read = async (): Promise<Uint8Array | undefined> => {
    try {
      const bytes = await readFile(path);
      // check: length of the device key
      if (bytes.length !== KEY_BYTES) throw new Error('not a device key');
      return new Uint8Array(bytes);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new ProtocolError('ERR_STORE_READ', 'the device key could not be read', { cause });
    }
  };
  const writing = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (cause) {
      throw new ProtocolError('ERR_STORE_WRITE', 'the device key could not be saved', { cause });
    }
  };
  return {
    async create() {
      const known = await read();
      wipe(known);
      if (known !== undefined) return;
      await writing(async () => {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        const key = entropy.randomBytes(KEY_BYTES);
        const file = await open(`${path}.new`, 'w', 0o600);
        try {
          await file.writeFile(key);
          await file.sync();
        } finally {
          await file.close();
          wipe(key);
        }
        await rename(`${path}.new`, path);
        await syncFolder(path);
      });
    },
    async mac(data) {
      const key = await read();
      if (key === undefined) return undefined;
      const mac = crypto.hmacSha256(key, data);
      wipe(key);
      return mac;
    },
    destroy: () =>
      writing(async () => {
        const file = await open(path, 'r+').catch(ifMissing);
        if (file === undefined) return;
        try {
          // File systems that write in place keep no copy then; others may.
          await file.write(new Uint8Array(KEY_BYTES), 0, KEY_BYTES, 0);
          await file.sync();
        } finally {
          await file.close();
        }
        await rm(path, { force: true });
        await syncFolder(path);
      }),
  };
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}

/** A name is durable when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(join(path, '..'), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
