import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplayMemory, type ReplayVerdict } from '../../src/http-signature/replay-memory.ts';

const EPOCH = new Uint8Array(8).fill(1);
const START_S = 1_748_800_000;

function proof(nonce: string, createdS: number, more: { readonly keyId?: string; readonly epoch?: Uint8Array; readonly lifeS?: number } = {}) {
  const { keyId = 'k', epoch = EPOCH, lifeS = 60 } = more;
  return { keyId, nonce, epoch, createdS, expiresS: createdS + lifeS };
}

describe('replay memory', () => {
  it('takes a request once', () => {
    const memory = new ReplayMemory({ epoch: EPOCH });
    expect(memory.take(proof('a', START_S), START_S)).toBe('fresh');
    expect(memory.take(proof('a', START_S), START_S + 60)).toBe('replayed');
    expect(memory.take(proof('a', START_S, { keyId: 'other' }), START_S)).toBe('fresh');
    expect(memory.take(proof('b', START_S), START_S)).toBe('fresh');
  });

  it('holds created and expires against its time, to the second', () => {
    const memory = new ReplayMemory({ epoch: EPOCH });
    expect(memory.take(proof('early', START_S + 6), START_S)).toBe('outOfTime');
    expect(memory.take(proof('ahead', START_S + 5), START_S)).toBe('fresh');
    expect(memory.take(proof('last', START_S - 60), START_S)).toBe('fresh');
    expect(memory.take(proof('late', START_S - 61), START_S)).toBe('outOfTime');
  });

  it('takes nothing that was signed for an earlier start, whose nonces are forgotten', () => {
    const memory = new ReplayMemory({ epoch: EPOCH });
    expect(memory.take(proof('a', START_S, { epoch: new Uint8Array(8) }), START_S)).toBe('otherEpoch');
  });

  it('does not go back in time with its clock', () => {
    const memory = new ReplayMemory({ epoch: EPOCH });
    memory.take(proof('a', START_S), START_S);
    for (const laterS of [70, 140, 210]) memory.take(proof(`at ${laterS}`, START_S + laterS), START_S + laterS);
    expect(memory.take(proof('a', START_S), START_S)).toBe('outOfTime');
  });

  it('refuses what it cannot remember, for one key and for all, until old requests have expired', () => {
    const memory = new ReplayMemory({ epoch: EPOCH, limits: { noncesOfKey: 2, nonces: 3 } });
    const at = (nonce: string, keyId: string, nowS: number): ReplayVerdict => memory.take(proof(nonce, nowS, { keyId }), nowS);
    expect([at('1', 'k', START_S), at('2', 'k', START_S), at('3', 'k', START_S)]).toEqual(['fresh', 'fresh', 'full']);
    expect([at('4', 'l', START_S), at('5', 'm', START_S)]).toEqual(['fresh', 'full']);
    expect(memory.size).toBe(3);
    // A generation later the old ones still count, two later they do not.
    expect([at('6', 'k', START_S + 66), at('7', 'm', START_S + 66)]).toEqual(['full', 'full']);
    expect(at('8', 'k', START_S + 132)).toBe('fresh');
    expect(memory.size).toBe(1);
  });

  it('never takes the same nonce twice, whatever happens between, and stays within its bound', () => {
    const step = fc.record({
      nonce: fc.integer({ min: 0, max: 20 }),
      key: fc.constantFrom('a', 'b'),
      aheadS: fc.integer({ min: -70, max: 8 }),
      passS: fc.integer({ min: 0, max: 90 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const memory = new ReplayMemory({ epoch: EPOCH, limits: { noncesOfKey: 8, nonces: 12 } });
        const taken = new Map<string, ReturnType<typeof proof>>();
        let nowS = START_S;
        for (const { nonce, key, aheadS, passS } of steps) {
          nowS += passS;
          const name = `${key} ${nonce}`;
          // A replayer sends the very request that was taken.
          const sent = taken.get(name) ?? proof(String(nonce), nowS + aheadS, { keyId: key });
          const verdict = memory.take(sent, nowS);
          if (taken.has(name)) expect(verdict).not.toBe('fresh');
          if (verdict === 'fresh') taken.set(name, sent);
          expect(memory.size).toBeLessThanOrEqual(12);
        }
      }),
    );
  });
});
