import { fromHex, ProtocolError, toHex, userIdHash } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { createNocRegistrar, type NocRegistrar } from '../../src/links/noc-registrar.ts';
import type { RoleLink } from '../../src/roles/link-guard.ts';
import type { RoleAnswer } from '../../src/roles/role.ts';
import { accessKeyById, addAccessKey, withdrawAccessKey } from '../../src/state/access-keys.ts';
import { nocMessage, putNocMessage } from '../../src/state/noc-outbox.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

const crypto = nodeCrypto();
const KEY = 'aa'.repeat(16);
const OTHER = 'bb'.repeat(16);
const NOW_MS = Date.UTC(2026, 0, 1);
const YES: RoleAnswer = { status: 'answered', frame: wire.acknowledgement.encode({ ok: true }) };

let clock: FakeClock;
let store: MemoryStore;
let sent: Uint8Array[];
let answer: (frame: Uint8Array) => Promise<RoleAnswer>;
let registrar: NocRegistrar;

const start = (): NocRegistrar => {
  const noc: RoleLink = {
    request(service, frame) {
      expect(service).toBe('accessKeys');
      sent.push(frame);
      return answer(frame);
    },
  };
  return createNocRegistrar({ clock, crypto, store, noc, tenantId: 'tenant' });
};

beforeEach(() => {
  clock = fakeClock(NOW_MS);
  store = new MemoryStore();
  sent = [];
  answer = async () => YES;
  registrar = start();
});

const add = (keyId: string): Promise<void> =>
  store.transaction((tx) => {
    const secrets = { setUpPsk: new Uint8Array(32).fill(1), verifier: new Uint8Array(32).fill(2) };
    const common = { keyId, userGuid: 'guid', userId: 'ada', kind: 'typed', ...secrets } as const;
    addAccessKey(tx, { ...common, createdAtMs: NOW_MS, expiresAtMs: NOW_MS + 1_500, failedProofs: 0, setUpsMs: [] });
  });
const withdraw = (keyId: string): Promise<void> =>
  store.transaction((tx) => {
    const key = accessKeyById(tx, keyId);
    if (key !== undefined) withdrawAccessKey(tx, key, { type: 'ACCESS_KEY_REVOKED', reason: 'test' }, NOW_MS);
  });
const waiting = (keyId: string) => store.read((view) => nocMessage(view, keyId))?.kind;
const names = () => sent.map((frame) => wire.peekFrameName(frame));

describe('what the NOC is told of access keys', () => {
  it('is the verifier and what it needs beside it, and nothing that opens anything', async () => {
    await add(KEY);
    registrar.tell(KEY);
    await registrar.flush();
    const told = wire.nocRegisterKey.decode(wire.parseFrame(sent[0] as Uint8Array));
    expect(told).toEqual({
      verifier: new Uint8Array(32).fill(2),
      keyId: fromHex(KEY),
      userIdHash: userIdHash(crypto, 'ada'),
      tenantId: 'tenant',
      // Never before the key ends at UEM.
      expiryEpochS: NOW_MS / 1_000 + 2,
    });
    expect(toHex(sent[0] as Uint8Array)).not.toContain('01'.repeat(32));
    expect(waiting(KEY)).toBeUndefined();
  });

  it('is told again until the NOC says yes, also after a restart of UEM', async () => {
    answer = async () => {
      throw new ProtocolError('ERR_TRANSPORT_CONNECT', 'down');
    };
    await add(KEY);
    registrar.tell(KEY);
    await registrar.flush();
    expect([sent.length, waiting(KEY)]).toEqual([1, 'register']);
    registrar.close();
    answer = async () => YES;
    registrar = start();
    await registrar.resume();
    expect([names().at(-1), waiting(KEY)]).toEqual(['nocRegisterKey', undefined]);
  });

  it('tries again by itself after a pause', async () => {
    let isDown = true;
    answer = async () => (isDown ? { status: 'busy', retryAfterS: 1 } : YES);
    await add(KEY);
    registrar.tell(KEY);
    await clock.settle();
    isDown = false;
    await clock.advance(1_000);
    expect(waiting(KEY)).toBeUndefined();
  });

  it('that was overtaken while it was on its way is followed by the newer message', async () => {
    await add(KEY);
    answer = async () => {
      answer = async () => YES;
      await withdraw(KEY);
      registrar.tell(KEY);
      return YES;
    };
    registrar.tell(KEY);
    await registrar.flush();
    await clock.settle();
    expect([names(), waiting(KEY)]).toEqual([['nocRegisterKey', 'nocWithdrawKey'], undefined]);
  });

  it('does not hold others up when the NOC refuses one', async () => {
    await add(KEY);
    await add(OTHER);
    const refused: RoleAnswer = { status: 'answered', frame: wire.alert.encode({ code: 'badMessage' }) };
    answer = async (frame) => (toHex(frame).includes(KEY) ? refused : YES);
    for (const keyId of [KEY, OTHER]) registrar.tell(keyId);
    await registrar.flush();
    await clock.settle();
    expect([waiting(KEY), waiting(OTHER)]).toEqual(['register', undefined]);
  });

  it('is nothing for a key that is forgotten already', async () => {
    await store.transaction((tx) => putNocMessage(tx, KEY, { kind: 'register' }));
    registrar.tell(KEY);
    await registrar.flush();
    expect([sent, waiting(KEY)]).toEqual([[], undefined]);
  });

  it('names the link that was activated when a key was used', async () => {
    await store.transaction((tx) => putNocMessage(tx, KEY, { kind: 'used', linkId: OTHER }));
    registrar.tell(KEY);
    await registrar.flush();
    const told = wire.nocKeyConsumed.decode(wire.parseFrame(sent[0] as Uint8Array));
    expect([toHex(told.keyId), toHex(told.linkId)]).toEqual([KEY, OTHER]);
  });
});

describe('what the NOC is told of links', () => {
  const LINK = 'cc'.repeat(16);

  it('is told until the NOC says yes, also after a restart of UEM, and while it refuses', async () => {
    answer = async () => {
      throw new ProtocolError('ERR_TRANSPORT_CONNECT', 'down');
    };
    await store.transaction((tx) => putNocMessage(tx, LINK, { kind: 'endLink' }));
    registrar.tell(LINK);
    await registrar.flush();
    registrar.close();
    expect(waiting(LINK)).toBe('endLink');
    registrar = start();
    answer = async () => ({ status: 'answered', frame: wire.alert.encode({ code: 'authFailed' }) });
    await registrar.resume();
    expect(waiting(LINK)).toBe('endLink');
    answer = async () => YES;
    await clock.advance(60_000);
    expect(waiting(LINK)).toBeUndefined();
    expect(wire.nocEndLink.decode(wire.parseFrame(sent.at(-1) as Uint8Array)).linkId).toEqual(fromHex(LINK));
    expect(new Set(names())).toEqual(new Set(['nocEndLink']));
  });
});
