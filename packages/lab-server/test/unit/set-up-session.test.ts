import { appActivationResponder, secret } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SetUpKeys } from '../../src/roles/uem/set-up-keys.ts';
import { type SetUpSession, setUpSession } from '../../src/roles/uem/set-up-session.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

const crypto = nodeCrypto();
const clock = fakeClock(0);
const ids = { tokenId: new Uint8Array(16).fill(1), keyId: new Uint8Array(16).fill(2), linkId: new Uint8Array(16).fill(3) };

let psk: Uint8Array;
let told: string[];
let session: SetUpSession;
beforeEach(() => {
  psk = new Uint8Array(32).fill(7);
  told = [];
  const entropy = seededEntropy('set-up session');
  const envelope = { ...ids, tenantId: 'tenant' };
  const keys: SetUpKeys = {
    identify: () => ({ userId: 'ada', psk: secret<'psk'>(psk) }),
    proofFailed: () => void told.push('proof failed'),
    provision: () => {
      throw new Error('nothing to provision');
    },
    consume: () => {
      throw new Error('nothing to consume');
    },
  };
  session = setUpSession({
    ...{ clock, store: new MemoryStore(), keys, envelope, machine: appActivationResponder({ crypto, entropy, coreId: 'core', envelope }) },
    replied: () => void told.push('replied'),
    tell: () => {},
    ended: () => void told.push('ended'),
  });
});

/** M1 whose MAC is none. */
function setUp(): Uint8Array {
  const pskId = Uint8Array.from([...ids.tokenId, ...ids.linkId, ...new Uint8Array(24)]);
  const ephemeralKey = crypto.p256PublicKey(new Uint8Array(32).fill(1));
  const start = { versions: [1], suites: [1], ephemeralKey, random: new Uint8Array(32), pskId, userId: 'ada', instance: 'sc' } as const;
  return Uint8Array.from([...wire.handshakeStart.encode(start), ...new Uint8Array(32)]);
}

describe('a session of sc at UEM', () => {
  it('counts a wrong proof before it says so, ends once, and wipes its key', async () => {
    const { frame } = await session.receive(setUp());
    expect(wire.peekFrameName(frame as Uint8Array)).toBe('alert');
    expect([told, psk]).toEqual([['proof failed', 'ended'], new Uint8Array(32)]);
    session.close();
    await clock.advance(wire.LIMITS.handshakeMs);
    expect(psk).toEqual(new Uint8Array(32));
  });

  it('takes frames in turn', async () => {
    const answers = await Promise.all([session.receive(setUp()), session.receive(setUp())]);
    // The second one finds that the run is over.
    expect(answers.map(({ frame }) => frame !== undefined)).toEqual([true, false]);
    expect(told.filter((one) => one === 'proof failed')).toHaveLength(1);
  });
});
