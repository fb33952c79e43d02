import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as noble from '../../src/providers/noble/index.ts';
import * as node from '../../src/providers/node/index.ts';

describe.each([
  ['web', node.webEntropy()],
  ['node', node.nodeEntropy()],
] as const)('entropy of the platform: %s', (_name, entropy) => {
  it('gives as many bytes as asked for, different each time', () => {
    expect(entropy.randomBytes(0)).toHaveLength(0);
    const [a, b] = [entropy.randomBytes(32), entropy.randomBytes(32)];
    expect(a).toHaveLength(32);
    expect(a).not.toEqual(b);
    expect(Object.getPrototypeOf(a)).toBe(Uint8Array.prototype);
  });

  it('gives no small draw twice', () => {
    const draws = new Set(Array.from({ length: 1_000 }, () => entropy.randomBytes(16).join()));
    expect(draws.size).toBe(1_000);
    expect(entropy.randomBytes(3)).toHaveLength(3);
  });

  it('fills more than one call of the platform gives', () => {
    const bytes = entropy.randomBytes(200_000);
    const quarters = [0, 1, 2, 3].map((quarter) => bytes.subarray(50_000 * quarter, 50_000 * (quarter + 1)));
    for (const quarter of quarters) expect(new Set(quarter).size).toBe(256);
    expect(bytes.subarray(-16).some((byte) => byte !== 0)).toBe(true);
  });

  it.each([-1, 1.5, Number.NaN])('refuses a length of %s', (lengthBytes) => {
    expect(() => entropy.randomBytes(lengthBytes)).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
  });
});

describe('systemClock', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('tells wall and monotonic time', () => {
    const clock = noble.systemClock();
    const before = clock.monotonicMs();
    vi.setSystemTime(1_234);
    expect(clock.nowMs()).toBe(1_234);
    vi.advanceTimersByTime(10);
    expect(clock.monotonicMs()).toBeGreaterThan(before);
  });

  it('runs a timer once, at its time', () => {
    let runs = 0;
    node.systemClock().setTimer(10, () => runs++);
    vi.advanceTimersByTime(9);
    expect(runs).toBe(0);
    vi.advanceTimersByTime(1_000);
    expect(runs).toBe(1);
  });

  it('waits for delays that the platform cannot hold', () => {
    let runs = 0;
    const days = 86_400_000;
    node.systemClock().setTimer(60 * days, () => runs++);
    vi.advanceTimersByTime(60 * days - 1);
    expect(runs).toBe(0);
    vi.advanceTimersByTime(1);
    expect(runs).toBe(1);
  });

  it('cancels, also in the second part of a long delay', () => {
    let runs = 0;
    const clock = node.systemClock();
    const short = clock.setTimer(10, () => runs++);
    const long = clock.setTimer(3_000_000_000, () => runs++);
    short();
    vi.advanceTimersByTime(2_500_000_000);
    long();
    vi.advanceTimersByTime(2_500_000_000);
    expect([runs, vi.getTimerCount()]).toEqual([0, 0]);
  });
});
