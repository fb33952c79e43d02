import { describe, expect, it } from 'vitest';
import type { CryptoProvider } from '../../src/ports/crypto-provider.ts';
import { nobleCrypto } from '../../src/providers/noble/index.ts';
import { fakeClock, memoryKeyStore, memoryLink, memoryStore, rememberedScrypt, seededEntropy, seededKeyStore } from '../../src/testing/index.ts';

describe('fakeClock', () => {
  it('runs timers in order of time, then of arming, at their own time', async () => {
    const clock = fakeClock(1_000);
    const seen: [string, number][] = [];
    const note = (name: string) => () => seen.push([name, clock.nowMs()]);
    clock.setTimer(20, note('c'));
    clock.setTimer(10, note('a'));
    clock.setTimer(20, note('d'));
    clock.setTimer(10.5, note('b'));
    clock.setTimer(31, note('late'));
    await clock.advance(30);
    expect(seen).toEqual([
      ['a', 1_010],
      ['b', 1_010.5],
      ['c', 1_020],
      ['d', 1_020],
    ]);
    expect([clock.nowMs(), clock.monotonicMs(), clock.pendingTimers, clock.nextTimerInMs]).toEqual([1_030, 30, 1, 1]);
  });

  it('runs timers that timers and promises arm on the way', async () => {
    const clock = fakeClock(0);
    const seen: number[] = [];
    const pause = (ms: number): Promise<void> => new Promise((resolve) => clock.setTimer(ms, resolve));
    const loop = async (): Promise<void> => {
      for (;;) {
        await pause(3_600_000);
        seen.push(clock.monotonicMs());
      }
    };
    void loop();
    await clock.advance(24 * 3_600_000);
    expect(seen).toHaveLength(24);
    expect(seen.at(-1)).toBe(24 * 3_600_000);
  });

  it('forgets a cancelled timer', async () => {
    const clock = fakeClock(0);
    let ran = false;
    const cancel = clock.setTimer(5, () => {
      ran = true;
    });
    cancel();
    cancel();
    await clock.advance(10);
    expect([ran, clock.pendingTimers]).toEqual([false, 0]);
  });

  it('jumps the wall clock without the monotonic one', () => {
    const clock = fakeClock(0);
    clock.jumpWallClock(-86_400_000);
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([-86_400_000, 0]);
  });

  it('stands still while held work runs', async () => {
    const clock = fakeClock(0);
    const order: string[] = [];
    clock.setTimer(1, () => order.push('timer'));
    const work = new Promise<void>((resolve) => setTimeout(resolve, 20)).then(() => order.push('work'));
    await Promise.all([clock.hold(work), clock.advance(1)]);
    expect(order).toEqual(['work', 'timer']);
  });

  it('says why a condition cannot come true', async () => {
    const clock = fakeClock(0);
    await expect(clock.advanceUntil(() => false, 10)).rejects.toThrow('no timer is armed');
    clock.setTimer(50, () => {});
    await expect(clock.advanceUntil(() => false, 10)).rejects.toThrow('after 10 ms');
    await clock.advanceUntil(() => clock.pendingTimers === 0, 100);
    expect(clock.monotonicMs()).toBe(50);
  });
});

describe('rememberedScrypt', () => {
  const [password, salt] = [Uint8Array.of(1), Uint8Array.of(2)];
  const CHEAP = { N: 2, r: 1, p: 1 };

  it('works each question out once, and gives what the provider gives', async () => {
    let asked = 0;
    const provider = nobleCrypto();
    const crypto = rememberedScrypt({
      ...provider,
      scrypt: (...question) => {
        asked++;
        return provider.scrypt(...question);
      },
    });
    const first = await crypto.scrypt(password, salt, CHEAP, 32);
    expect(first).toEqual(await provider.scrypt(password, salt, CHEAP, 32));
    // Who asked wipes it.
    first.fill(0);
    expect(await crypto.scrypt(password, salt, CHEAP, 32)).toEqual(await provider.scrypt(password, salt, CHEAP, 32));
    expect(asked).toBe(1);
    const others: Parameters<CryptoProvider['scrypt']>[] = [
      [Uint8Array.of(3), salt, CHEAP, 32],
      [password, Uint8Array.of(3), CHEAP, 32],
      [password, salt, { ...CHEAP, N: 4 }, 32],
      [password, salt, { ...CHEAP, r: 2 }, 32],
      [password, salt, { ...CHEAP, p: 2 }, 32],
      [password, salt, CHEAP, 16],
    ];
    for (const other of others) expect(await crypto.scrypt(...other)).toEqual(await provider.scrypt(...other));
    expect(asked).toBe(1 + others.length);
    for (let n = 0; n < 256; n++) await crypto.scrypt(Uint8Array.of(9, n), salt, CHEAP, 32);
    const before = asked;
    await crypto.scrypt(password, salt, CHEAP, 32);
    expect(asked).toBe(before + 1);
  });

  it('asks again after a failure', async () => {
    let fails = true;
    const provider = nobleCrypto();
    const crypto = rememberedScrypt({
      ...provider,
      scrypt: async (...question) => {
        if (fails) throw new Error('busy');
        return provider.scrypt(...question);
      },
    });
    await expect(crypto.scrypt(password, salt, CHEAP, 32)).rejects.toThrow('busy');
    fails = false;
    expect(await crypto.scrypt(password, salt, CHEAP, 32)).toHaveLength(32);
  });
});

describe('seededEntropy', () => {
  it('is a function of its seed and not of how it is drawn', () => {
    const whole = seededEntropy('a').randomBytes(100);
    const parts = seededEntropy('a');
    expect(new Uint8Array([...parts.randomBytes(1), ...parts.randomBytes(63), ...parts.randomBytes(36)])).toEqual(whole);
    expect(seededEntropy('b').randomBytes(100)).not.toEqual(whole);
  });

  it('forks streams that do not depend on what was drawn', () => {
    const parent = seededEntropy('a');
    const before = parent.fork('device 1').randomBytes(32);
    parent.randomBytes(7);
    expect(parent.fork('device 1').randomBytes(32)).toEqual(before);
    expect(parent.fork('device 2').randomBytes(32)).not.toEqual(before);
  });

  it('draws numbers below a bound, all of them', () => {
    const entropy = seededEntropy('a');
    const seen = new Set(Array.from({ length: 200 }, () => entropy.below(7)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect([entropy.chance(0), entropy.chance(1)]).toEqual([false, true]);
  });
});

describe('memoryStore', () => {
  const write = (key: string, value: number | null) => ({ key, value: value === null ? null : Uint8Array.of(value) });

  it('fails writes as a whole and heals', async () => {
    const store = memoryStore();
    store.failWrites(1);
    await expect(store.commit([write('a', 1)])).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
    expect(store.snapshot().size).toBe(0);
    await store.commit([write('a', 1)]);
    store.failReads();
    await expect(store.get('a')).rejects.toMatchObject({ code: 'ERR_STORE_READ' });
    store.heal();
    expect(await store.get('a')).toEqual(Uint8Array.of(1));
  });

  it.each([
    ['before', undefined],
    ['after', Uint8Array.of(2)],
  ] as const)('dies %s the commit and restarts with what was durable', async (point, found) => {
    const store = memoryStore();
    store.crashAfter(1, point);
    await store.commit([write('a', 1)]);
    let resolved = false;
    void store.commit([write('b', 2)]).then(() => {
      resolved = true;
    });
    void store.get('a').then(() => {
      resolved = true;
    });
    await fakeClock(0).settle();
    expect([store.crashed, resolved]).toEqual([true, false]);
    const restarted = store.restart();
    expect(await restarted.get('a')).toEqual(Uint8Array.of(1));
    expect(await restarted.get('b')).toEqual(found);
  });
});

describe('key stores', () => {
  const crypto = nobleCrypto();

  it('signs with the key that it shows, and has another one after it was destroyed', async () => {
    const keys = memoryKeyStore(crypto, seededEntropy('keys'));
    const publicKey = await keys.publicKey('device');
    expect(await keys.publicKey('device')).toEqual(publicKey);
    expect(crypto.p256Verify(publicKey, Uint8Array.of(1), await keys.sign('device', Uint8Array.of(1)))).toBe(true);
    await keys.destroy('device');
    await keys.destroy('device');
    await expect(keys.sign('device', Uint8Array.of(1))).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    expect(await keys.publicKey('device')).not.toEqual(publicKey);
  });

  it('finds seeded keys again', async () => {
    const first = await seededKeyStore(crypto, 'seed').publicKey('device');
    expect(await seededKeyStore(crypto, 'seed').publicKey('device')).toEqual(first);
    expect(await seededKeyStore(crypto, 'seed').publicKey('other')).not.toEqual(first);
  });

  it('draws again when a scalar is not below the order', async () => {
    let draws = 0;
    const keys = memoryKeyStore(crypto, { randomBytes: (length) => new Uint8Array(length).fill(draws++ === 0 ? 0xff : 1) });
    expect(await keys.publicKey('device')).toEqual(crypto.p256PublicKey(new Uint8Array(32).fill(1)));
    expect(keys.keyIds).toEqual(['device']);
  });
});

describe('memoryLink', () => {
  const frames = Array.from({ length: 20 }, (_, index) => new Uint8Array(40).fill(index));
  const run = async (options: Partial<Parameters<typeof memoryLink>[0]>): Promise<{ received: Uint8Array[]; closed: number }> => {
    const clock = fakeClock(0);
    const link = memoryLink({ clock, entropy: seededEntropy('link'), ...options });
    const received: Uint8Array[] = [];
    let closed = 0;
    for (const frame of frames) link.initiator.send(frame);
    link.responder.receive({ received: (bytes) => received.push(bytes), closed: () => closed++ });
    link.initiator.close();
    expect(() => link.initiator.send(frames[0] as Uint8Array)).toThrow(expect.objectContaining({ code: 'ERR_TRANSPORT_CLOSED' }));
    await clock.advance(10_000);
    expect([link.inFlight, clock.pendingTimers]).toEqual([0, 0]);
    return { received, closed };
  };

  it('delivers copies in order, then closes once', async () => {
    const { received, closed } = await run({});
    expect(received).toEqual(frames);
    expect(received[0]).not.toBe(frames[0]);
    expect(closed).toBe(1);
  });

  it.each([
    ['drop', (received: Uint8Array[]) => received.length === 0],
    ['duplicate', (received: Uint8Array[]) => received.length === 40],
    ['delay', (received: Uint8Array[]) => received.length === 20 && received.some((frame, index) => frame[0] !== index)],
    ['corrupt', (received: Uint8Array[]) => received.every((frame, index) => frame.filter((byte) => byte !== index).length === 1)],
    ['truncate', (received: Uint8Array[]) => received.every((frame) => frame.length < 40)],
    ['split', (received: Uint8Array[]) => received.length === 40 && received.reduce((sum, part) => sum + part.length, 0) === 800],
  ] as const)('%s does what it says', async (fault, holds) => {
    const { received } = await run({ faults: { [fault]: 1 } });
    expect(holds(received)).toBe(true);
  });

  it('follows a script and shows it to the observer', async () => {
    const seen: string[] = [];
    const { received } = await run({
      script: (_direction, index) => (index === 3 ? ['drop'] : []),
      observe: (direction, _bytes, faults) => seen.push(`${direction} ${faults.join()}`),
    });
    expect(received).toHaveLength(19);
    expect(seen[3]).toBe('initiator-to-responder drop');
  });

  it('loses what is on its way when it is cut', async () => {
    const clock = fakeClock(0);
    const link = memoryLink({ clock, entropy: seededEntropy('cut') });
    let closed = 0;
    link.responder.send(Uint8Array.of(1));
    link.cut();
    link.initiator.receive({ received: () => expect.fail('lost frame arrived'), closed: () => closed++ });
    await clock.advance(100);
    expect(closed).toBe(1);
  });
});
