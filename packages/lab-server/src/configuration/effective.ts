import type { Disposition } from '../state/assignments.ts';
import { isRanked, type ProfileKind, type RankedKind } from '../state/configuration-profiles.ts';
import type { OsFamily } from '../state/os-family.ts';

/** A policy or profile with its place among others. */
export interface Ranked {
  readonly id: string;
  readonly rank: number;
}

export interface AssignedProfile extends Ranked {
  readonly kind: ProfileKind;
}

export interface AssignedApplication {
  readonly id: string;
  readonly platforms: readonly OsFamily[];
  readonly disposition: Disposition;
}

/** Everything that one way of assignment brings. */
export interface AssignedObjects {
  readonly policies: readonly Ranked[];
  readonly profiles: readonly AssignedProfile[];
  readonly applications: readonly AssignedApplication[];
}

/** What decides about one device. */
export interface EffectiveInput {
  readonly osFamily?: OsFamily | undefined;
  /** Out of compliance with the action *untrust*: the device gets no resources of the company. */
  readonly isUntrusted: boolean;
  /** From all device groups that it is in, from its user directly, from all groups of the user, and what everybody has. */
  readonly deviceGroups: AssignedObjects;
  readonly user: AssignedObjects;
  readonly userGroups: AssignedObjects;
  readonly defaults: AssignedObjects;
}

/** What is in force on one device. */
export interface EffectiveConfiguration {
  readonly policyId?: string | undefined;
  /** One of each ranked kind at most. */
  readonly ranked: Readonly<Partial<Record<RankedKind, string>>>;
  /** Every unranked one, in the order of their ids. */
  readonly unranked: readonly string[];
  /** Disposition by guid of the application. */
  readonly applications: Readonly<Record<string, Disposition>>;
}

/**
 * What is in force on a device. Of policies and ranked profiles one: a device group beats the user, the user beats a user group, then rank, then the lower id.
 * Of unranked profiles and applications all; an application that is required once is required. Pure.
 */
export function effectiveConfiguration(input: EffectiveInput): EffectiveConfiguration {
  const levels = [input.deviceGroups, input.user, input.userGroups, input.defaults];
  const ranked: Partial<Record<RankedKind, string>> = {};
  const unranked = new Set<string>();
  for (const level of levels) {
    const best = new Map<RankedKind, Ranked>();
    for (const profile of level.profiles) {
      const { kind } = profile;
      if (!isRanked(kind)) unranked.add(profile.id);
      else if (ranked[kind] === undefined) best.set(kind, firstOf(best.get(kind), profile));
    }
    for (const [kind, { id }] of best) ranked[kind] = id;
  }
  const policies = levels.find((level) => level.policies.length > 0)?.policies ?? [];
  const policy = policies.reduce<Ranked | undefined>(firstOf, undefined);
  return {
    policyId: policy?.id,
    ranked,
    unranked: input.isUntrusted ? [] : [...unranked].sort(),
    applications: applicationsOf(levels, input.osFamily),
  };
}

function firstOf(best: Ranked | undefined, other: Ranked): Ranked {
  if (best === undefined || other.rank < best.rank) return other;
  return other.rank === best.rank && other.id < best.id ? other : best;
}

function applicationsOf(levels: readonly AssignedObjects[], osFamily: OsFamily | undefined): Readonly<Record<string, Disposition>> {
  const applications: Record<string, Disposition> = {};
  for (const { id, platforms, disposition } of levels.flatMap((level) => level.applications)) {
    if (osFamily === undefined || !platforms.includes(osFamily)) continue;
    if (applications[id] !== 'REQUIRED') applications[id] = disposition;
  }
  return applications;
}
