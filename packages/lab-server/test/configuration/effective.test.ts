import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions } from '../../src/configuration/compare-versions.ts';
import type { DeviceFacts } from '../../src/configuration/device-facts.ts';
import { type AssignedObjects, type EffectiveInput, effectiveConfiguration } from '../../src/configuration/effective.ts';
import { matchesQuery } from '../../src/configuration/matches-query.ts';
import { isRanked, RANKED_KINDS, UNRANKED_KINDS } from '../../src/state/configuration-profiles.ts';
import { OS_FAMILIES, osFamilyOf } from '../../src/state/os-family.ts';

const NONE: AssignedObjects = { policies: [], profiles: [], applications: [] };
const input = (more: Partial<EffectiveInput>): EffectiveInput => ({
  osFamily: 'IOS',
  isUntrusted: false,
  deviceGroups: NONE,
  user: NONE,
  userGroups: NONE,
  defaults: NONE,
  ...more,
});

/** The same rules once more, as sentences: every candidate is compared with every other one. */
function naive({ deviceGroups, user, userGroups, defaults, osFamily, isUntrusted }: EffectiveInput): ReturnType<typeof effectiveConfiguration> {
  const levels = [deviceGroups, user, userGroups, defaults];
  interface Candidate {
    readonly level: number;
    readonly rank: number;
    readonly id: string;
  }
  const beats = (a: Candidate, b: Candidate): boolean => {
    if (a.level !== b.level) return a.level < b.level;
    if (a.rank !== b.rank) return a.rank < b.rank;
    return a.id <= b.id;
  };
  const winner = (candidates: readonly Candidate[]): string | undefined => candidates.find((one) => candidates.every((other) => beats(one, other)))?.id;
  const policies = levels.flatMap((objects, level) => objects.policies.map((policy) => ({ ...policy, level })));
  const profiles = levels.flatMap((objects, level) => objects.profiles.map((profile) => ({ ...profile, level })));
  const ranked: Record<string, string> = {};
  for (const kind of RANKED_KINDS) {
    const id = winner(profiles.filter((profile) => profile.kind === kind));
    if (id !== undefined) ranked[kind] = id;
  }
  const unranked = profiles.filter((profile) => !isRanked(profile.kind) && !isUntrusted).map(({ id }) => id);
  const applications: Record<string, 'REQUIRED' | 'OPTIONAL'> = {};
  const assigned = levels.flatMap((level) => level.applications);
  for (const { id } of assigned) {
    const all = assigned.filter((other) => other.id === id && osFamily !== undefined && other.platforms.includes(osFamily));
    if (all.length > 0) applications[id] = all.some(({ disposition }) => disposition === 'REQUIRED') ? 'REQUIRED' : 'OPTIONAL';
  }
  return { policyId: winner(policies), ranked, unranked: [...new Set(unranked)].sort(), applications };
}

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const rank = fc.integer({ min: 1, max: 3 });
// One id is one profile, so its kind follows from it.
const profile = fc
  .tuple(fc.constantFrom(...RANKED_KINDS, ...UNRANKED_KINDS), id, rank)
  .map(([kind, name, place]) => ({ id: `${kind}-${name}`, kind, rank: place }));
const objects: fc.Arbitrary<AssignedObjects> = fc.record({
  policies: fc.array(fc.record({ id, rank }), { maxLength: 4 }),
  profiles: fc.array(profile, { maxLength: 12 }),
  applications: fc.array(fc.record({ id, platforms: fc.subarray([...OS_FAMILIES]), disposition: fc.constantFrom('REQUIRED' as const, 'OPTIONAL' as const) }), {
    maxLength: 6,
  }),
});
const inputs: fc.Arbitrary<EffectiveInput> = fc.record({
  osFamily: fc.option(fc.constantFrom(...OS_FAMILIES), { nil: undefined }),
  isUntrusted: fc.boolean(),
  deviceGroups: objects,
  user: objects,
  userGroups: objects,
  defaults: objects,
});

describe('what is in force on a device (F5.2)', () => {
  it('is what a second implementation finds', () => {
    fc.assert(
      fc.property(inputs, (one) => {
        expect(effectiveConfiguration(one)).toEqual(naive(one));
      }),
      { numRuns: 1_000 },
    );
  });

  it('does not depend on the order in which things were assigned', () => {
    const reversed = (part: AssignedObjects): AssignedObjects => ({
      policies: part.policies.toReversed(),
      profiles: part.profiles.toReversed(),
      applications: part.applications.toReversed(),
    });
    fc.assert(
      fc.property(inputs, (one) => {
        const other = { ...one, deviceGroups: reversed(one.deviceGroups), user: reversed(one.user), userGroups: reversed(one.userGroups) };
        expect(effectiveConfiguration(other)).toEqual(effectiveConfiguration(one));
      }),
    );
  });

  it('a device group beats the user, the user beats a user group, whatever the rank', () => {
    const of = (name: string, place: number): AssignedObjects => ({
      ...NONE,
      policies: [{ id: `policy of ${name}`, rank: place }],
      profiles: [{ id: `profile of ${name}`, rank: place, kind: 'compliance' }],
    });
    const all = { deviceGroups: of('device group', 9), user: of('user', 5), userGroups: of('user group', 1), defaults: of('everybody', 0) };
    const found = (more: Partial<EffectiveInput>): unknown => {
      const { policyId, ranked } = effectiveConfiguration(input(more));
      return [policyId, ranked.compliance];
    };
    expect(found(all)).toEqual(['policy of device group', 'profile of device group']);
    expect(found({ ...all, deviceGroups: NONE })).toEqual(['policy of user', 'profile of user']);
    expect(found({ ...all, deviceGroups: NONE, user: NONE })).toEqual(['policy of user group', 'profile of user group']);
    expect(found({ defaults: all.defaults })).toEqual(['policy of everybody', 'profile of everybody']);
    expect(found({})).toEqual([undefined, undefined]);
  });

  it('an untrusted device gets no resources of the company, and stays under its rules', () => {
    const user: AssignedObjects = {
      policies: [{ id: 'p', rank: 1 }],
      profiles: [
        { id: 'mail', rank: 1, kind: 'email' },
        { id: 'rules', rank: 1, kind: 'compliance' },
      ],
      applications: [],
    };
    expect(effectiveConfiguration(input({ user, isUntrusted: true }))).toEqual({
      policyId: 'p',
      ranked: { compliance: 'rules' },
      unranked: [],
      applications: {},
    });
    expect(effectiveConfiguration(input({ user })).unranked).toEqual(['mail']);
  });
});

describe('versions', () => {
  it.each([
    ['9', '10'],
    ['18', '18.0.1'],
    ['18.1', '18.1.1'],
    ['18.9', '18.10'],
    ['10.0.19045', '10.0.22631'],
    ['14', '14.1-beta'],
    ['1.2', '1.x'],
  ])('%s is older than %s', (older, newer) => {
    expect(compareVersions(older, newer)).toBeLessThan(0);
    expect(compareVersions(newer, older)).toBeGreaterThan(0);
  });

  it.each([
    ['18', '18.0'],
    ['1.x', '1.x'],
    ['', ''],
  ])('%s is the same as %s', (a, b) => expect(compareVersions(a, b)).toBe(0));
});

describe('a query of a device group', () => {
  const facts: DeviceFacts = { osFamily: 'IOS', os: 'ios', osVersion: '17.10', hardwareModel: 'Handset 12', activationType: 'mdm-controls', lastContactMs: 0 };
  it.each([
    ['osFamily', 'EQUALS', 'ios', true],
    ['osFamily', 'NOT_EQUALS', 'ANDROID', true],
    ['osVersion', 'AT_LEAST', '17.9', true],
    ['osVersion', 'AT_LEAST', '17.11', false],
    ['osVersion', 'AT_MOST', '17.10', true],
    ['hardwareModel', 'STARTS_WITH', 'handset', true],
    ['hardwareModel', 'CONTAINS', '12', true],
    ['hardwareModel', 'CONTAINS', '13', false],
    // Nothing follows from what is not known.
    ['compromised', 'EQUALS', 'false', false],
    ['compromised', 'NOT_EQUALS', 'true', false],
    ['ownership', 'NOT_EQUALS', 'PERSONAL', false],
  ] as const)('%s %s %s: %s', (field, operator, value, expected) => {
    const condition = { field, operator, value };
    expect(matchesQuery({ match: 'ALL', conditions: [condition] }, facts)).toBe(expected);
    const never = { field: 'os', operator: 'EQUALS', value: 'none' } as const;
    expect(matchesQuery({ match: 'ANY', conditions: [never, condition] }, facts)).toBe(expected);
    expect(matchesQuery({ match: 'ALL', conditions: [condition, never] }, facts)).toBe(false);
  });

  it('knows what devices have reported', () => {
    const condition = { field: 'compromised', operator: 'EQUALS', value: 'true' } as const;
    expect(matchesQuery({ match: 'ALL', conditions: [condition] }, { ...facts, compromised: true })).toBe(true);
  });
});

describe('families of operating systems', () => {
  it.each([
    ['ios', 'IOS'],
    ['macos', 'MACOS'],
    ['android-mdm-controls', 'ANDROID'],
    ['android-enterprise', 'ANDROID'],
    ['samsung-knox', 'ANDROID'],
    ['windows-10', 'WINDOWS'],
    ['blackberry-10', 'BLACKBERRY_10'],
    ['toaster', undefined],
  ])('%s is %s', (platform, family) => expect(osFamilyOf(platform)).toBe(family));
});
