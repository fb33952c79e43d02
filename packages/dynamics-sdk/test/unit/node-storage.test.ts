import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededEntropy } from '@uemkit/protocol/testing';
import { describe, expect, it } from 'vitest';
import type { ContainerStorage } from '../../src/index.ts';
import { fileDeviceKey, openContainerStorage } from '../../src/node/index.ts';
import { crypto } from '../support/device.ts';
import { memoryStorage } from '../support/memory-storage.ts';
import { storageCases } from '../support/storage-cases.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'uemkit-container-'));

describe('storage on LMDB', () => {
  storageCases(() => {
    const directory = join(folder(), 'container');
    let open: ContainerStorage | undefined;
    return {
      async open() {
        await open?.close();
        open = openContainerStorage({ directory });
        return open;
      },
    };
  });

  it('keeps its files for the owner alone', async () => {
    const directory = join(folder(), 'container');
    const storage = openContainerStorage({ directory });
    await storage.commit([{ key: 'a', value: Uint8Array.of(1) }]);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(directory)) expect(statSync(join(directory, file)).mode & 0o077, file).toBe(0);
    await storage.destroy();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is open once; a mark of a process that is gone does not count', async () => {
    const directory = folder();
    const storage = openContainerStorage({ directory });
    expect(() => openContainerStorage({ directory })).toThrow(expect.objectContaining({ code: 'ERR_USAGE_STATE' }));
    await storage.close();
    const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await new Promise((resolve) => gone.once('exit', resolve));
    for (const mark of [String(gone.pid), '', 'rubbish', '-1']) {
      writeFileSync(join(directory, 'container.pid'), mark);
      await openContainerStorage({ directory }).close();
    }
    expect(existsSync(join(directory, 'container.pid'))).toBe(false);
  });

  it('fails with a typed error where no folder can be, and where the file is no store', () => {
    const parent = folder();
    writeFileSync(join(parent, 'file'), '');
    expect(() => openContainerStorage({ directory: join(parent, 'file', 'container') })).toThrow(expect.objectContaining({ code: 'ERR_STORE_READ' }));
    const directory = folder();
    writeFileSync(join(directory, 'data.mdb'), 'x'.repeat(20_000));
    expect(() => openContainerStorage({ directory })).toThrow(expect.objectContaining({ code: 'ERR_STORE_READ' }));
    expect(existsSync(join(directory, 'container.pid'))).toBe(false);
  });
});

describe('storage in memory, which the other tests use', () => {
  storageCases(() => {
    const rows = new Map<string, Uint8Array>();
    return { open: async () => memoryStorage(rows) };
  });
});

describe('a device key in a file', () => {
  const deviceKey = (path: string, seed = 'device key') => fileDeviceKey(path, { crypto, entropy: seededEntropy(seed) });
  const data = Uint8Array.of(1, 2, 3);

  it('is made once, kept, and readable for the owner alone', async () => {
    const path = join(folder(), 'keys', 'device.key');
    expect(await deviceKey(path).mac(data)).toBeUndefined();
    await deviceKey(path).create();
    const mac = await deviceKey(path).mac(data);
    await deviceKey(path, 'other').create();
    expect(await deviceKey(path).mac(data)).toEqual(mac);
    expect(mac).toEqual(crypto.hmacSha256(readFileSync(path), data));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('is destroyed for good, and a second time without an error', async () => {
    const path = join(folder(), 'device.key');
    const key = deviceKey(path);
    await key.create();
    const before = await key.mac(data);
    await key.destroy();
    await key.destroy();
    expect(await key.mac(data)).toBeUndefined();
    await deviceKey(path, 'another').create();
    expect(await key.mac(data)).not.toEqual(before);
  });

  it('fails with typed errors when it is damaged or has no place', async () => {
    const parent = folder();
    writeFileSync(join(parent, 'short'), 'x');
    await expect(deviceKey(join(parent, 'short')).mac(data)).rejects.toMatchObject({ code: 'ERR_STORE_READ' });
    await expect(deviceKey(join(parent, 'short')).create()).rejects.toMatchObject({ code: 'ERR_STORE_READ' });
    await expect(deviceKey(parent).mac(data)).rejects.toMatchObject({ code: 'ERR_STORE_READ' });
    await expect(deviceKey(parent).destroy()).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
    writeFileSync(join(parent, 'device.new'), '');
    chmodSync(parent, 0o700);
    await expect(deviceKey(join(parent, 'short', 'device.key')).create()).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_STORE_/) });
  });
});
