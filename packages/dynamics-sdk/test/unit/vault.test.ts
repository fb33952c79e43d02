import { utf8 } from '@uemkit/protocol';
import { seededEntropy } from '@uemkit/protocol/testing';
import { describe, expect, it } from 'vitest';
import { generateUnlockKey } from '../../src/index.ts';
import {
  CHEAP,
  createContainer,
  crypto,
  memoryDeviceKey,
  OPEN_FAILED,
  openContainer,
  PASSWORD,
  POLICY,
  type TestDevice,
  testDevice,
} from '../support/device.ts';
import { memoryStorage } from '../support/memory-storage.ts';

const UNLOCK_KEY = generateUnlockKey(seededEntropy('unlock key'));

/** A closed container with one value. */
async function closed(): Promise<TestDevice> {
  const device = testDevice();
  const container = await createContainer(device.vault);
  await container.values.put('a', utf8('kept'));
  await container.setUnlockKey(UNLOCK_KEY);
  await container.close();
  return device.restart();
}

describe('a vault', () => {
  it('says what is in the storage', async () => {
    const device = testDevice();
    expect(await device.vault.state()).toBe('absent');
    await createContainer(device.vault);
    expect(await device.restart().vault.state()).toBe('closed');
    expect(await testDevice(device.storage, memoryDeviceKey('other')).vault.state()).toBe('lost');
    device.storage.rows.delete('k/password');
    expect(await device.restart().vault.state()).toBe('lost');
    device.storage.rows.delete('h');
    expect(await device.restart().vault.state()).toBe('lost');
  });

  it('refuses a container of a newer version, and what is none', async () => {
    const device = await closed();
    const header = device.storage.rows.get('h') as Uint8Array;
    device.storage.rows.set(
      'h',
      Uint8Array.from(header, (byte, at) => (at === 16 ? 2 : byte)),
    );
    await expect(device.vault.open(PASSWORD)).rejects.toMatchObject({ code: 'ERR_STORE_VERSION', details: { format: 2 } });
    for (const wrong of [
      header.subarray(0, 20),
      header.subarray(0, 16),
      utf8('another file of a length'),
      Uint8Array.from(header, (byte, at) => (at === 16 ? 0 : byte)),
    ]) {
      device.storage.rows.set('h', wrong);
      await expect(device.vault.state()).rejects.toMatchObject(OPEN_FAILED);
    }
  });

  it('makes one container, and overwrites none', async () => {
    const device = await closed();
    await expect(device.vault.create({ password: PASSWORD, policy: POLICY })).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    expect(await (await openContainer(device.vault)).values.get('a')).toEqual(utf8('kept'));
    await expect(device.vault.open(PASSWORD)).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    await expect(testDevice().vault.open(PASSWORD)).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
  });

  it('refuses a first password that policy does not take, and a policy that cannot be kept', async () => {
    const { vault, storage } = testDevice();
    expect(await vault.create({ password: 'short', policy: POLICY })).toEqual({ kind: 'refused', faults: ['too-short', 'no-digit'] });
    await expect(vault.create({ password: PASSWORD, policy: { ...POLICY, maxTries: 0 } })).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    expect(storage.rows.size).toBe(0);
  });

  it('opens with password and device key together only', async () => {
    const device = await closed();
    expect(await device.vault.open('wrong horse 7')).toEqual({ kind: 'wrong', triesLeft: 2 });
    const copy = testDevice(memoryStorage(new Map(device.storage.rows)), memoryDeviceKey('other device'));
    await copy.deviceKey.create();
    expect(await copy.vault.open(PASSWORD)).toEqual({ kind: 'exhausted' });
    const without = testDevice(memoryStorage(new Map(device.storage.rows)), memoryDeviceKey('none'));
    await expect(without.vault.open(PASSWORD)).rejects.toMatchObject(OPEN_FAILED);
    await expect(without.vault.recover(UNLOCK_KEY, { password: 'new password 1', policy: POLICY })).rejects.toMatchObject(OPEN_FAILED);
    await openContainer(device.vault);
  });

  it('opens with no slot of another container, and none that was changed', async () => {
    const [one, two] = [await closed(), await closed()];
    const [mine, other] = [one, two].map(({ storage }) => storage.rows.get('k/password') as Uint8Array) as [Uint8Array, Uint8Array];
    one.storage.rows.set('k/password', other);
    expect((await one.vault.open(PASSWORD)).kind).toBe('wrong');
    for (const at of [0, 1, 17, 21, 23, 40, mine.length - 1]) {
      const device = testDevice(memoryStorage(new Map(one.storage.rows)), one.deviceKey);
      device.storage.rows.set(
        'k/password',
        Uint8Array.from(mine, (byte, index) => (index === at ? byte ^ 1 : byte)),
      );
      // The cost is bound, too; what scrypt itself refuses is a damaged slot.
      expect((await device.vault.open(PASSWORD).catch(({ code }) => ({ kind: code }))).kind, String(at)).toMatch(/^(wrong|exhausted|ERR_USAGE_ARGUMENT)$/);
    }
    one.storage.rows.set('k/password', mine.subarray(1));
    expect((await one.restart().vault.open(PASSWORD)).kind).toBe('wrong');
  });

  it('takes a password in the form that Unicode calls the same', async () => {
    const device = testDevice();
    await (await createContainer(device.vault, 'Schlüssel 1')).close();
    await openContainer(device.restart().vault, 'Schlu\u0308ssel 1');
    for (const none of ['', '\ud800 no text 1', 'x'.repeat(256)])
      await expect(device.restart().vault.open(none)).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
  });
});

describe('wrong passwords', () => {
  it('are counted over restarts, and after the last not even the right one is tried', async () => {
    let device = await closed();
    for (const triesLeft of [2, 1, 0]) {
      expect(await device.vault.open('wrong horse 7')).toEqual({ kind: 'wrong', triesLeft });
      device = device.restart();
    }
    expect(await device.vault.open(PASSWORD)).toEqual({ kind: 'exhausted' });
    expect(await device.vault.open('wrong horse 7')).toEqual({ kind: 'exhausted' });
  });

  it('are forgotten after the right one', async () => {
    const device = await closed();
    await device.vault.open('wrong horse 7');
    await device.vault.open('wrong horse 7');
    await (await openContainer(device.vault)).close();
    expect(await device.vault.open('wrong horse 7')).toEqual({ kind: 'wrong', triesLeft: 2 });
  });

  it('are counted before they are tried: who is killed in between has spent the try', async () => {
    const device = await closed();
    let stretched = 0;
    const dying = testDevice(device.storage.restart(), device.deviceKey, {
      crypto: {
        ...crypto,
        scrypt: () => {
          stretched += 1;
          return Promise.reject(new Error('killed'));
        },
      },
    });
    for (const _ of [1, 2, 3]) await expect(dying.vault.open(PASSWORD)).rejects.toThrow('killed');
    expect(await dying.vault.open(PASSWORD)).toEqual({ kind: 'exhausted' });
    expect(stretched).toBe(3);
  });

  it('are not tried where they cannot be counted', async () => {
    const device = await closed();
    device.storage.failCommits(new Error('read-only'));
    let stretched = 0;
    const scrypt: typeof crypto.scrypt = (...of) => {
      stretched += 1;
      return crypto.scrypt(...of);
    };
    const full = testDevice(device.storage, device.deviceKey, { crypto: { ...crypto, scrypt } });
    await expect(full.vault.open(PASSWORD)).rejects.toThrow('read-only');
    expect(stretched).toBe(0);
  });

  it('cannot be made uncounted by somebody who changes the count or takes it away', async () => {
    const device = await closed();
    await device.vault.open('wrong horse 7');
    const guard = device.storage.rows.get('g') as Uint8Array;
    for (const at of [1, 3, 20]) {
      device.storage.rows.set(
        'g',
        Uint8Array.from(guard, (byte, index) => (index === at ? byte ^ 1 : byte)),
      );
      expect(await device.restart().vault.open(PASSWORD)).toEqual({ kind: 'exhausted' });
    }
    device.storage.rows.set('g', guard.subarray(1));
    expect(await device.restart().vault.open(PASSWORD)).toEqual({ kind: 'exhausted' });
    device.storage.rows.delete('g');
    expect(await device.restart().vault.open(PASSWORD)).toEqual({ kind: 'exhausted' });
  });

  it('are counted as well where the container is open', async () => {
    const device = await closed();
    const container = await openContainer(device.vault);
    expect(await container.provePassword('wrong horse 7')).toEqual({ kind: 'wrong', triesLeft: 2 });
    expect(await container.provePassword(PASSWORD)).toEqual({ kind: 'right' });
    for (const triesLeft of [2, 1, 0]) expect(await container.provePassword('wrong horse 7')).toEqual({ kind: 'wrong', triesLeft });
    expect(await container.provePassword(PASSWORD)).toEqual({ kind: 'exhausted' });
  });

  it('are as many as the policy of today allows', async () => {
    const device = await closed();
    const container = await openContainer(device.vault);
    await container.limitTries({ ...POLICY, maxTries: 1 });
    await container.close();
    expect(await device.vault.open('wrong horse 7')).toEqual({ kind: 'wrong', triesLeft: 0 });
    expect(await device.vault.open(PASSWORD)).toEqual({ kind: 'exhausted' });
    await expect(container.limitTries({ ...POLICY, maxTries: 1.5 })).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
  });
});

describe('a change of password', () => {
  const next = 'another horse 8';

  it('re-encrypts nothing', async () => {
    const device = testDevice();
    const container = await createContainer(device.vault);
    for (let n = 0; n < 50; n++) await container.values.put(`value ${n}`, utf8('kept'));
    await container.files.write('file', new Uint8Array(200_000));
    const before = new Map(device.storage.rows);
    expect(await container.changePassword({ current: PASSWORD, next, policy: POLICY })).toEqual({ kind: 'changed' });
    const rewritten = [...device.storage.rows].filter(([key, value]) => before.get(key) !== value).map(([key]) => key[0]);
    expect(rewritten.sort()).toEqual(['g', 'i', 'k', 'l']);
    await container.close();
    expect((await device.vault.open(PASSWORD)).kind).toBe('wrong');
    expect(await (await openContainer(device.restart().vault, next)).values.get('value 7')).toEqual(utf8('kept'));
  });

  it('needs the present password, and counts wrong ones', async () => {
    const device = await closed();
    const container = await openContainer(device.vault);
    expect(await container.changePassword({ current: 'wrong horse 7', next, policy: POLICY })).toEqual({ kind: 'wrong', triesLeft: 2 });
    expect(await container.changePassword({ current: 'wrong horse 7', next, policy: POLICY })).toEqual({ kind: 'wrong', triesLeft: 1 });
    expect(await container.changePassword({ current: PASSWORD, next, policy: POLICY })).toEqual({ kind: 'changed' });
  });

  it('refuses what policy does not take, and the last passwords', async () => {
    const device = await closed();
    const container = await openContainer(device.vault);
    const change = (from: string, to: string) => container.changePassword({ current: from, next: to, policy: POLICY });
    expect(await change(PASSWORD, 'letters only')).toEqual({ kind: 'refused', faults: ['no-digit'] });
    expect(await change(PASSWORD, PASSWORD)).toEqual({ kind: 'refused', faults: ['used-before'] });
    expect(await change(PASSWORD, 'second pass 2')).toEqual({ kind: 'changed' });
    expect(await change('second pass 2', PASSWORD)).toEqual({ kind: 'refused', faults: ['used-before'] });
    expect(await change('second pass 2', 'third pass 3')).toEqual({ kind: 'changed' });
    expect(await change('third pass 3', PASSWORD)).toEqual({ kind: 'changed' });
  });

  it('says when it was', async () => {
    const device = testDevice();
    const container = await createContainer(device.vault);
    const first = await container.passwordChangedMs();
    await device.clock.advance(5_000);
    await container.changePassword({ current: PASSWORD, next, policy: POLICY });
    expect(await container.passwordChangedMs()).toBe(first + 5_000);
  });

  it('is all or nothing when the disk is full', async () => {
    const device = await closed();
    const container = await openContainer(device.vault);
    let commits = 0;
    device.storage.beforeCommit = () => {
      commits += 1;
      // The third is the change; the try is counted and cleared before.
      if (commits === 3) throw new Error('disk full');
    };
    await expect(container.changePassword({ current: PASSWORD, next, policy: POLICY })).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
    device.storage.beforeCommit = undefined;
    await container.close();
    await openContainer(device.vault);
  });
});

describe('a remote lock', () => {
  const next = { password: 'after the lock 1', policy: POLICY };

  it('leaves nothing that the password opens; the unlock key does, once, and sets a new password', async () => {
    const device = await closed();
    await device.vault.revokePassword();
    expect(await device.vault.state()).toBe('revoked');
    expect(await device.vault.open(PASSWORD)).toEqual({ kind: 'revoked' });
    expect(await device.vault.recover(generateUnlockKey(seededEntropy('other')), next)).toEqual({ kind: 'wrong' });
    const typed = UNLOCK_KEY.toLowerCase().replaceAll('-', ' ');
    const recovered = await device.vault.recover(typed, next);
    expect(recovered.kind === 'open' && (await recovered.container.values.get('a'))).toEqual(utf8('kept'));
    const again = device.restart();
    expect(await again.vault.recover(UNLOCK_KEY, next)).toEqual({ kind: 'no-unlock-key' });
    await openContainer(again.vault, next.password);
  });

  it('is refused while there is no unlock key', async () => {
    const device = testDevice();
    await createContainer(device.vault);
    await expect(device.vault.revokePassword()).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    expect(await device.vault.state()).toBe('closed');
  });

  it('ends also what too many wrong passwords began, and keeps the unlock key when the new password is refused', async () => {
    const device = await closed();
    for (const _ of [1, 2, 3]) await device.vault.open('wrong horse 7');
    expect(await device.vault.recover(UNLOCK_KEY, { ...next, password: 'short' })).toMatchObject({ kind: 'refused' });
    expect(await device.vault.recover(UNLOCK_KEY, { ...next, password: PASSWORD })).toEqual({ kind: 'refused', faults: ['used-before'] });
    expect(await device.vault.open(PASSWORD)).toEqual({ kind: 'exhausted' });
    expect((await device.vault.recover(UNLOCK_KEY, next)).kind).toBe('open');
  });

  it('keeps the unlock key when the new password cannot be saved', async () => {
    const device = await closed();
    device.storage.failCommits(new Error('disk full'));
    await expect(device.vault.recover(UNLOCK_KEY, next)).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
    device.storage.failCommits(undefined);
    expect((await device.vault.recover(UNLOCK_KEY, next)).kind).toBe('open');
  });

  it('takes what can be an unlock key, and nothing else', async () => {
    const device = await closed();
    await expect(device.vault.recover('too short', next)).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    const container = await openContainer(device.vault);
    await expect(container.setUnlockKey('too short')).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    await expect(device.vault.recover(UNLOCK_KEY, next)).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
  });
});

it('sets nothing anew when the device key is gone under an open container', async () => {
  const device = await closed();
  const container = await openContainer(device.vault);
  device.deviceKey.key = undefined;
  await expect(container.limitTries(POLICY)).rejects.toMatchObject(OPEN_FAILED);
  await expect(container.setUnlockKey(UNLOCK_KEY)).rejects.toMatchObject(OPEN_FAILED);
  await expect(container.provePassword(PASSWORD)).rejects.toMatchObject(OPEN_FAILED);
});

describe('a wipe', () => {
  it('leaves nothing, and what was copied before opens with no password', async () => {
    const device = await closed();
    const container = await openContainer(device.vault);
    const copy = new Map(device.storage.rows);
    await device.vault.wipe();
    expect([device.storage.rows.size, device.deviceKey.key]).toEqual([0, undefined]);
    await expect(container.values.get('a')).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    const old = testDevice(memoryStorage(copy), device.deviceKey);
    expect(await old.vault.state()).toBe('lost');
    await expect(old.vault.open(PASSWORD)).rejects.toMatchObject(OPEN_FAILED);
    // Nor with a device key that is made anew.
    await createContainer(testDevice(memoryStorage(), device.deviceKey).vault);
    device.deviceKey.key = crypto.sha256(utf8('new'));
    expect((await old.vault.open(PASSWORD)).kind).toBe('exhausted');
  });

  it('destroys the keys first, and ends what a crash left of it', async () => {
    const device = await closed();
    const order: string[] = [];
    const { storage, deviceKey } = device;
    const dying = testDevice(
      {
        ...storage,
        commit(writes) {
          order.push(...writes.map(({ key }) => key));
          return storage.commit(writes);
        },
        destroy: () => Promise.reject(new Error('killed')),
      },
      {
        ...deviceKey,
        mac: deviceKey.mac,
        create: deviceKey.create,
        destroy: async () => void order.push('device key', String(await deviceKey.destroy())),
      } as never,
    );
    await expect(dying.vault.wipe()).rejects.toThrow('killed');
    expect(order).toEqual(['device key', 'undefined', 'k/password', 'k/unlock', 'g']);
    const again = device.restart();
    expect(await again.vault.state()).toBe('lost');
    await expect(again.vault.create({ password: PASSWORD, policy: POLICY })).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    await again.vault.wipe();
    expect(storage.rows.size).toBe(0);
    await createContainer(device.restart().vault);
  });

  it('goes on where one step fails, and says so', async () => {
    const device = await closed();
    const stuck = testDevice(device.storage, {
      ...device.deviceKey,
      mac: device.deviceKey.mac,
      create: device.deviceKey.create,
      destroy: () => Promise.reject(new Error('stuck')),
    } as never);
    await expect(stuck.vault.wipe()).rejects.toThrow('stuck');
    expect(device.storage.rows.size).toBe(0);
    const readOnly = await closed();
    readOnly.storage.failCommits(new Error('read-only'));
    await readOnly.vault.wipe();
    expect(readOnly.deviceKey.key).toBeUndefined();
  });
});

it('closes container and storage', async () => {
  const device = await closed();
  const container = await openContainer(device.vault);
  await device.vault.close();
  await expect(container.values.get('a')).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
  await expect(device.storage.get('h')).rejects.toMatchObject({ code: 'ERR_STORE_READ' });
});

it('makes slots of the cost that is asked for, and opens those of another', async () => {
  const device = testDevice(undefined, undefined, { passwordCost: { N: 32, r: 2, p: 1 } });
  await (await createContainer(device.vault)).close();
  await openContainer(testDevice(device.storage.restart(), device.deviceKey, { passwordCost: CHEAP }).vault);
});
