import { cpSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '@uemkit/protocol';
import { nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { seededEntropy } from '@uemkit/protocol/testing';
import { expect, it } from 'vitest';
import { type ContainerVault, containerVault, generateUnlockKey } from '../../src/index.ts';
import { fileDeviceKey, openContainerStorage } from '../../src/node/index.ts';
import { CHEAP, createContainer, crypto, openContainer, POLICY } from '../support/device.ts';

const entropy = nodeEntropy();

function vaultIn(folder: string): ContainerVault {
  const storage = openContainerStorage({ directory: join(folder, 'container') });
  const deviceKey = fileDeviceKey(join(folder, 'device.key'), { crypto, entropy });
  return containerVault({ crypto, entropy, clock: systemClock(), storage, deviceKey, passwordCost: CHEAP });
}

/** Every byte of every file below a folder. */
function bytesOnDisk(folder: string): Buffer {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Buffer.concat(files.map((entry) => readFileSync(join(entry.parentPath, entry.name))));
}

/** A secret as it could stand somewhere. */
function forms(secret: Buffer): readonly Buffer[] {
  const encoded = (['hex', 'base64', 'base64url'] as const).map((encoding) => Buffer.from(secret.toString(encoding).slice(0, -2)));
  return [secret, Buffer.from(secret.toString('latin1'), 'utf16le'), Buffer.from(secret).reverse(), ...encoded];
}

const PASSWORDS = ['first secret password 1', 'second secret password 2'] as const;
const UNLOCK_KEY = generateUnlockKey(seededEntropy('disk scan'));

/** Uses everything, and returns what must not be found. */
async function use(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const secrets = new Map<string, Buffer>([
    ['first password', Buffer.from(PASSWORDS[0])],
    ['second password', Buffer.from(PASSWORDS[1])],
    ['unlock key', Buffer.from(UNLOCK_KEY.replaceAll('-', ''))],
  ]);
  const vault = vaultIn(folder);
  const container = await createContainer(vault, PASSWORDS[0]);
  await container.setUnlockKey(UNLOCK_KEY);
  for (let n = 0; n < 200; n++) {
    const [name, value] = [`the name of value ${n}`, `what value ${n} says, which nobody should read`];
    await container.values.put(name, utf8(value));
    if (n % 3 === 0) await container.values.put(name, utf8(`${value} later`));
    if (n % 5 === 0) await container.values.delete(name);
    secrets.set(`name ${n}`, Buffer.from(name)).set(`value ${n}`, Buffer.from(value));
  }
  for (const [n, length] of [10, 70_000, 700_000].entries()) {
    const mark = `a sentence in file ${n} that occurs all over it. `;
    await container.files.write(`folder/name of file ${n}`, utf8(mark.repeat(Math.ceil(length / mark.length))));
    secrets.set(`file name ${n}`, Buffer.from(`name of file ${n}`)).set(`file ${n}`, Buffer.from(mark.slice(0, -2)));
  }
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield utf8('a file that never came to its end. '.repeat(30_000));
    throw new Error('broken');
  }
  secrets.set('unfinished file', Buffer.from('a file that never came to its end'));
  await expect(container.files.write('unfinished', broken())).rejects.toThrow('broken');
  await container.changePassword({ current: PASSWORDS[0], next: PASSWORDS[1], policy: POLICY });
  await vault.open('a wrong password 1').catch(() => {});
  await container.close();
  await vault.open('a wrong password 1');
  secrets.set('wrong password', Buffer.from('a wrong password 1'));
  await vault.close();
  return secrets;
}

it('finds neither plaintext nor names nor passwords in any byte on the disk, and finds what is there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-scan-'));
  const secrets = await use(folder);
  const disk = bytesOnDisk(folder);
  expect(disk.length).toBeGreaterThan(1_000_000);
  const found = [...secrets].filter(([, secret]) => forms(secret).some((form) => disk.includes(form))).map(([what]) => what);
  expect(found).toEqual([]);
  // The scan can find: the header stands in clear, and the device key in its file.
  expect(disk.includes('uemkit container')).toBe(true);
  const storage = openContainerStorage({ directory: join(folder, 'container') });
  await storage.commit([{ key: 'plain', value: secrets.get('value 7') as Buffer }]);
  await storage.close();
  expect(bytesOnDisk(folder).includes(secrets.get('value 7') as Buffer)).toBe(true);
});

it('has nothing that opens after a wipe: old files with the right password do not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-scan-'));
  await use(folder);
  const copy = mkdtempSync(join(tmpdir(), 'uemkit-copy-'));
  cpSync(join(folder, 'container'), join(copy, 'container'), { recursive: true });
  const vault = vaultIn(folder);
  await openContainer(vault, PASSWORDS[1]);
  await vault.wipe();
  expect(readdirSync(folder, { recursive: true })).toEqual(['container']);

  // The copy from before the wipe, brought back to the device.
  cpSync(join(copy, 'container'), join(folder, 'container'), { recursive: true });
  const old = vaultIn(folder);
  expect(await old.state()).toBe('lost');
  await expect(old.open(PASSWORDS[1])).rejects.toMatchObject({ code: 'ERR_CRYPTO_OPEN' });
  await old.close();
});
