import { describe, expect, it } from 'vitest';
import { activationAnswer, putActivationAnswer } from '../../src/state/activation-answers.ts';
import {
  type ActivationSecretRecord,
  activationSecret,
  activationSecretById,
  deleteActivationSecret,
  listActivationSecrets,
  putActivationSecret,
} from '../../src/state/activation-secrets.ts';
import { DEFAULT_PROFILE_ID, profileFor, putProfile } from '../../src/state/profiles.ts';
import { escapePart, joinId, sortable } from '../../src/state/table.ts';
import { fullBudget, TRY_RULES } from '../../src/state/try-budget.ts';
import { createUser, deleteUser, listUsersByUserId, type UserRecord, updateUser, userByGuid, userByUserId } from '../../src/state/users.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { decodeRecord, encodeRecord } from '../../src/store/record-codec.ts';

const user = (userId: string): UserRecord => ({ guid: `guid-${escapePart(userId)}`, userId, username: userId, displayName: userId, createdAtMs: 1 });

describe('users', () => {
  it('are found by guid and by canonical user id, and listed by the beginning of it', async () => {
    const store = new MemoryStore();
    await store.transaction((tx) => {
      for (const userId of ['ada@example.com', 'adam+x@example.com', 'bob', 'bøb', '李']) createUser(tx, user(userId));
      expect(() => createUser(tx, { ...user('bob'), guid: 'other' })).toThrow(expect.objectContaining({ code: 'ERR_USAGE_STATE' }));
      expect(() => updateUser(tx, { ...user('bob'), userId: 'rob' })).toThrow(expect.objectContaining({ code: 'ERR_USAGE_STATE' }));
      updateUser(tx, { ...user('bob'), displayName: 'Bob' });
    });
    store.read((view) => {
      expect(userByUserId(view, 'bob')?.displayName).toBe('Bob');
      expect(userByUserId(view, '李')?.guid).toBe(user('李').guid);
      expect(userByUserId(view, 'Bob')).toBeUndefined();
      const beginning = (prefix: string): readonly string[] => listUsersByUserId(view, { prefix, limit: 9 }).map((row) => row.record.userId);
      expect(beginning('ada')).toEqual(['ada@example.com', 'adam+x@example.com']);
      expect(beginning('adam+x@')).toEqual(['adam+x@example.com']);
      expect(beginning('bø')).toEqual(['bøb']);
      const [first] = listUsersByUserId(view, { prefix: 'ada', limit: 1 });
      expect(listUsersByUserId(view, { prefix: 'ada', after: first?.id as string, limit: 1 })[0]?.record.userId).toBe('adam+x@example.com');
    });
    await store.transaction((tx) => {
      expect(deleteUser(tx, user('bob').guid)).toBe(true);
      expect(deleteUser(tx, user('bob').guid)).toBe(false);
      expect([userByGuid(tx, user('bob').guid), userByUserId(tx, 'bob')]).toEqual([undefined, undefined]);
      createUser(tx, user('bob'));
    });
  });
});

describe('activation secrets', () => {
  const secret = (secretId: string, kind: 'password' | 'qr'): ActivationSecretRecord => ({
    secretId,
    userGuid: 'u',
    userId: 'ada',
    kind,
    salt: new Uint8Array(16),
    cost: { N: 16_384, r: 8, p: 1 },
    w0: new Uint8Array(32),
    L: new Uint8Array(65),
    createdAtMs: 1,
    expiresAtMs: 2,
    expireAfterUse: true,
    slot: 0,
    tries: fullBudget(TRY_RULES[kind], 1),
  });

  it('are one of each kind, and a new one takes the place of the old one', async () => {
    await new MemoryStore().transaction((tx) => {
      putActivationSecret(tx, secret('a', 'password'));
      putActivationSecret(tx, secret('q', 'qr'));
      putActivationSecret(tx, secret('b', 'password'));
      expect(activationSecretById(tx, 'a')).toBeUndefined();
      expect(activationSecretById(tx, 'b')).toEqual(secret('b', 'password'));
      expect(listActivationSecrets(tx, 'u').map((one) => one.secretId)).toEqual(['b', 'q']);
      deleteActivationSecret(tx, 'u', 'password');
      deleteActivationSecret(tx, 'u', 'password');
      expect([activationSecret(tx, 'u', 'password'), activationSecretById(tx, 'b')]).toEqual([undefined, undefined]);
      deleteActivationSecret(tx, 'u', 'qr');
      expect(tx.range({ prefix: '', limit: 9 })).toEqual([]);
    });
  });

  it('have answers that are forgotten in time', async () => {
    await new MemoryStore().transaction((tx) => {
      const hash = (n: number): Uint8Array => new Uint8Array(32).fill(n);
      for (let n = 0; n < 20; n++) putActivationAnswer(tx, hash(n), Uint8Array.of(n), n);
      expect(activationAnswer(tx, hash(0), 599_999)).toEqual(Uint8Array.of(0));
      expect(activationAnswer(tx, hash(0), 600_000)).toBeUndefined();
      for (let n = 0; n < 10; n++) putActivationAnswer(tx, hash(100 + n), Uint8Array.of(1), 1_000_000);
      expect(tx.range({ prefix: 'activation-answer/', limit: 99 }).length).toBe(10);
    });
  });
});

describe('profiles', () => {
  it('fall back to the default one', async () => {
    await new MemoryStore().transaction((tx) => {
      expect(profileFor(tx, undefined)).toBeUndefined();
      const profile = { name: 'n', activationType: 't', createWorkSpace: true, encryptDevice: false, pollIntervalS: 1, pollJitterS: 0, allowedDevices: 1 };
      putProfile(tx, { ...profile, profileId: DEFAULT_PROFILE_ID, policy: { a: [1, { b: new Uint8Array(2) }] } });
      putProfile(tx, { ...profile, profileId: 'p' });
      expect([profileFor(tx, undefined), profileFor(tx, 'gone'), profileFor(tx, 'p')].map((one) => one?.profileId)).toEqual(['default', 'default', 'p']);
      expect(profileFor(tx, undefined)?.policy).toEqual({ a: [1, { b: new Uint8Array(2) }] });
    });
  });
});

describe('keys and records', () => {
  it('keeps parts of an id apart', () => {
    expect(joinId('a/b', 'c')).not.toBe(joinId('a', 'b/c'));
    expect(joinId('a%2Fb')).not.toBe(joinId('a/b'));
    expect(joinId('\ud800')).toMatch(/^[\x21-\x7e]+$/);
    expect([sortable(9), sortable(10), sortable(1e15)].sort()).toEqual([sortable(9), sortable(10), sortable(1e15)]);
  });

  it('says that a damaged record is damaged', () => {
    const bytes = encodeRecord({ a: 1, b: 'x', c: undefined, d: [true, new Uint8Array(3)] });
    expect(decodeRecord(bytes)).toEqual({ a: 1, b: 'x', d: [true, new Uint8Array(3)] });
    for (const damaged of [bytes.subarray(1), Uint8Array.of(0x01), new Uint8Array(0)])
      expect(() => decodeRecord(damaged)).toThrow(expect.objectContaining({ code: 'ERR_STORE_READ' }));
    expect(() => encodeRecord({ a: -1 })).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
  });
});
