import { type ProfileKind, RANKED_PROFILE_KINDS, UNRANKED_PROFILE_KINDS } from '@uemkit/protocol';
import { INVALID, type Place, type Read } from './place.ts';
import { listOf, name, oneOf, optional, properties, record } from './readers.ts';
import type { ConfigurationContent, ConfigurationEntry } from './scenario.ts';

const PROFILE_KINDS: readonly ProfileKind[] = [...RANKED_PROFILE_KINDS, ...UNRANKED_PROFILE_KINDS];

const entryRecord = record<{
  readonly policy: string | undefined;
  readonly rules: ConfigurationContent | undefined;
  readonly profile: string | undefined;
  readonly kind: ProfileKind | undefined;
  readonly content: ConfigurationContent | undefined;
}>({ policy: optional(name), rules: optional(properties), profile: optional(name), kind: optional(oneOf(PROFILE_KINDS)), content: optional(properties) });

const configurationEntry: Read<ConfigurationEntry> = (place) => {
  const read = entryRecord(place);
  if (read === INVALID) return INVALID;
  const { policy, rules, profile, kind, content } = read;
  if (policy !== undefined && profile === undefined && kind === undefined && content === undefined) {
    // UEM sends nothing of a policy that says nothing, so nobody could tell whether it has arrived.
    if (rules === undefined || Object.keys(rules).length === 0) return place.wrong('a policy has rules', 'rules: { password: { required: true } }');
    return { kind: 'policy', name: policy, content: rules };
  }
  if (profile !== undefined && policy === undefined && rules === undefined && kind !== undefined && content !== undefined)
    return { kind: 'profile', name: profile, profileKind: kind, content };
  return place.wrong('expected a policy with rules, or a profile with kind and content');
};

/** What a configure step assigns or changes. */
export const configurationEntries: Read<readonly ConfigurationEntry[]> = listOf(configurationEntry, 16, 1);

/** Names of a scenario's policies and profiles, as far as the timeline has come. */
export class KnownObjects {
  // BOUNDED by the entries of the timeline.
  readonly #known: Map<string, ConfigurationEntry> = new Map();

  /** Notes the entries of a step; says whether they are all new, all known, or some of each. A profile that would become another kind is a problem at `place`. */
  note(entries: readonly ConfigurationEntry[], place: Place): 'new' | 'known' | 'mixed' {
    let known = 0;
    for (const entry of entries) {
      const key = `${entry.kind} ${entry.name}`;
      const before = this.#known.get(key);
      if (before !== undefined) known++;
      if (before?.kind === 'profile' && entry.kind === 'profile' && before.profileKind !== entry.profileKind)
        place.wrong(`the profile ${entry.name} is of kind ${before.profileKind} and stays so`);
      this.#known.set(key, entry);
    }
    return known === 0 ? 'new' : known === entries.length ? 'known' : 'mixed';
  }
}
