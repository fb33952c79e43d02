import type { WireDocument } from '@uemkit/protocol/wire';

/** A value of the own policy of an app: what its definition makes of a checkbox, a list or a text. */
export type ApplicationPolicyValue = boolean | number | string | readonly (number | string)[];

/** Values of the own policy of an app, by key of its definition. */
export type ApplicationPolicyValues = Readonly<Record<string, ApplicationPolicyValue>>;

/** What `getApplicationPolicy` answers: the profiles of Dynamics that are in force, by kind, and under `application` what the administrator has set for this app. */
export interface ApplicationPolicy {
  readonly [profile: string]: WireDocument[string] | ApplicationPolicyValues | undefined;
  /** Absent: there is no policy definition of this app (docs/protocol/04-access-key.md, 4.6). */
  readonly application?: ApplicationPolicyValues | undefined;
}

/** A snapshot: changing it changes nothing. Keys between apps are in none. Values that cannot be read are none, as if there was no definition: an app has its own defaults. */
export function applicationPolicy(document: WireDocument): ApplicationPolicy {
  const { application, services: _services, ...profiles } = structuredClone(document) as Readonly<Record<string, WireDocument[string]>>;
  const values = valuesOf((application as { readonly values?: unknown } | undefined)?.values);
  return values === undefined ? profiles : { ...profiles, application: values };
}

/** They travel as JSON: the numbers of a definition may be negative or broken, and those of documents may not. */
function valuesOf(json: unknown): ApplicationPolicyValues | undefined {
  if (typeof json !== 'string') return undefined;
  try {
    const values: unknown = JSON.parse(json);
    return typeof values === 'object' && values !== null && !Array.isArray(values) ? (values as ApplicationPolicyValues) : undefined;
  } catch {
    return undefined;
  }
}
