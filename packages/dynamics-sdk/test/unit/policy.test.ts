import { describe, expect, it } from 'vitest';
import { DEFAULT_PASSWORD_POLICY, type PasswordPolicy, passwordExpired, passwordFaults } from '../../src/index.ts';
import { requirePasswordPolicy } from '../../src/password/policy.ts';

const policy: PasswordPolicy = { ...DEFAULT_PASSWORD_POLICY, classes: [] };
const DAY_MS = 86_400_000;

describe('passwordFaults', () => {
  it('finds nothing wrong with a password that keeps the rules', () => {
    const strict: PasswordPolicy = { ...policy, minLength: 10, classes: ['letter', 'lower', 'upper', 'digit', 'special'] };
    expect(passwordFaults(strict, 'Straße-ß9Ω')).toEqual([]);
  });

  it('counts characters, not code units, after normalization', () => {
    expect(passwordFaults(policy, '😀😀😀😀😀😀😀')).toEqual(['too-short']);
    expect(passwordFaults(policy, '😀😀😀😀😀😀😀😀')).toEqual([]);
    expect(passwordFaults(policy, 'u\u0308'.repeat(4))).toEqual(['too-short']);
    expect(passwordFaults({ ...policy, minLength: 0 }, '')).toEqual(['too-short']);
  });

  it.each([
    ['letter', '12345678!', '1234567x!'],
    ['lower', 'ABCDEFGH1', 'ABCDEFGHi'],
    ['upper', 'abcdefgh1', 'abcdefghI'],
    ['digit', 'abcdefghi', 'abcdefgh٣'],
    ['special', 'abcd efgh1', 'abcd-efgh1'],
  ] as const)('wants a %s where policy does', (wanted, without, withOne) => {
    const asking: PasswordPolicy = { ...policy, classes: [wanted] };
    expect(passwordFaults(asking, without)).toEqual([`no-${wanted}`]);
    expect(passwordFaults(asking, withOne)).toEqual([]);
  });

  it('refuses what is too long or no text', () => {
    expect(passwordFaults(policy, 'x'.repeat(256))).toEqual(['too-long']);
    expect(passwordFaults(policy, 'x'.repeat(255))).toEqual([]);
    expect(passwordFaults(policy, 'abcdefgh\ud800')).toEqual(['not-text']);
  });
});

describe('passwordExpired', () => {
  it('is told by the age alone', () => {
    expect(passwordExpired(policy, 0, 1_000 * DAY_MS)).toBe(false);
    const aging: PasswordPolicy = { ...policy, maxAgeDays: 30 };
    expect(passwordExpired(aging, DAY_MS, 31 * DAY_MS)).toBe(false);
    expect(passwordExpired(aging, DAY_MS, 31 * DAY_MS + 1)).toBe(true);
    expect(passwordExpired(aging, 40 * DAY_MS, DAY_MS)).toBe(false);
  });
});

describe('a policy', () => {
  it.each([
    [{ minLength: 0 }],
    [{ minLength: 256 }],
    [{ maxTries: 0 }],
    [{ maxTries: 1_001 }],
    [{ history: -1 }],
    [{ history: 25 }],
    [{ maxAgeDays: 0 }],
    [{ maxAgeDays: 3_651 }],
    [{ minLength: 8.5 }],
  ])('with %j cannot be kept', (wrong) => {
    expect(() => requirePasswordPolicy({ ...policy, ...wrong })).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
  });

  it('within its bounds can', () => {
    expect(requirePasswordPolicy({ ...policy, maxAgeDays: 90, history: 24, maxTries: 1_000, minLength: 255 })).toBeTruthy();
  });
});
