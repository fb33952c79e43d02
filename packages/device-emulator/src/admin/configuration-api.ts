import * as v from 'valibot';
import type { AdminApi, ServerDevice } from './admin-api.ts';
import { isUndecided } from './admin-error.ts';

const guidBody = v.object({ guid: v.string() });
const named = v.object({ guid: v.string(), name: v.string() });
const document = v.record(v.string(), v.unknown());
const policyBody: v.GenericSchema<unknown, ServerPolicy> = v.object({ guid: v.string(), name: v.string(), rules: document });
const profileBody: v.GenericSchema<unknown, ServerProfile> = v.object({
  guid: v.string(),
  name: v.string(),
  kind: v.string(),
  isDefault: v.boolean(),
  content: document,
});
const delivery = v.optional(v.object({ state: v.string(), revision: v.number() }));
const effectiveBody: v.GenericSchema<unknown, EffectiveConfiguration> = v.object({
  policy: v.optional(named),
  profiles: v.array(named),
  applications: v.array(v.object({ guid: v.string(), name: v.string(), applicationId: v.string(), version: v.string(), disposition: v.string() })),
  delivery: v.object({ policy: delivery, profiles: delivery, applications: delivery }),
});

/** An IT policy as the server has it. */
export interface ServerPolicy {
  readonly guid: string;
  readonly name: string;
  readonly rules: Readonly<Record<string, unknown>>;
}

/** A profile as the server has it, without what only devices are told. */
export interface ServerProfile {
  readonly guid: string;
  readonly name: string;
  readonly kind: string;
  /** One that is there in every tenant. */
  readonly isDefault: boolean;
  readonly content: Readonly<Record<string, unknown>>;
}

/** How far a document has come to a device; `revision` is the one that the device has confirmed. */
export interface Delivery {
  /** `WAITING`, `SENT`, `DELIVERED`, `FAILED`. */
  readonly state: string;
  readonly revision: number;
}

/** What the server says is in force on a device. */
export interface EffectiveConfiguration {
  readonly policy?: { readonly guid: string; readonly name: string } | undefined;
  readonly profiles: readonly { readonly guid: string; readonly name: string }[];
  readonly applications: readonly {
    readonly guid: string;
    readonly name: string;
    readonly applicationId: string;
    readonly version: string;
    readonly disposition: string;
  }[];
  /** Absent: there has never been anything to send. */
  readonly delivery: Readonly<Partial<Record<'policy' | 'profiles' | 'applications', Delivery | undefined>>>;
}

/** Resources with a name that the administrator adds; each has a list of its own. */
type Resource = 'policies' | 'profiles' | 'groups';
const NOUNS: Readonly<Record<Resource, string>> = { policies: 'policy', profiles: 'profile', groups: 'group' };

/** Users that one request puts into a group. */
const MEMBERS_PER_CALL = 1_000;

/** Policies, profiles, groups and assignments over the documented REST API (F5.1), and what is in force on a device. Every method may be repeated. */
export class ConfigurationApi {
  readonly #api: AdminApi;

  constructor(api: AdminApi) {
    this.#api = api;
  }

  /** Guid of the resource of this name, which is added when there is none. What it says is not changed when there is one. */
  async ensure(resource: Resource, body: { readonly name: string }): Promise<string> {
    const path = this.#api.path(`/${resource}`);
    for (;;) {
      const list = await this.#api.repeatable({ method: 'GET', path: `${path}?query=${encodeURIComponent(`name=${body.name}`)}` });
      const [found] = v.parse(v.object({ [resource]: v.array(guidBody) }), list)[resource] as readonly { readonly guid: string }[];
      if (found !== undefined) return found.guid;
      try {
        return v.parse(guidBody, await this.#api.once({ method: 'POST', path, noun: NOUNS[resource], body })).guid;
      } catch (error) {
        // The connection broke in the middle: look whether it is there.
        if (!isUndecided(error)) throw error;
      }
    }
  }

  /** Replaces what a policy or profile says. */
  async replace(resource: 'policies' | 'profiles', guid: string, body: object): Promise<void> {
    await this.#api.repeatable({ method: 'PUT', path: this.#api.path(`/${resource}/${guid}`), noun: NOUNS[resource], body });
  }

  /** Puts users into a group; who is in it stays. */
  async addMembers(group: string, userGuids: readonly string[]): Promise<void> {
    for (let first = 0; first < userGuids.length; first += MEMBERS_PER_CALL) {
      const users = userGuids.slice(first, first + MEMBERS_PER_CALL).map((guid) => ({ guid }));
      await this.#api.repeatable({ method: 'POST', path: this.#api.path(`/groups/${group}/users`), noun: 'users', body: { users } });
    }
  }

  async assign(group: string, resource: 'policies' | 'profiles', guid: string): Promise<void> {
    await this.#api.repeatable({ method: 'PUT', path: this.#api.path(`/groups/${group}/${resource}/${guid}`) });
  }

  async effective({ userGuid, deviceId }: Pick<ServerDevice, 'userGuid' | 'deviceId'>): Promise<EffectiveConfiguration> {
    return v.parse(effectiveBody, await this.#api.repeatable({ method: 'GET', path: this.#api.path(`/users/${userGuid}/userDevices/${deviceId}/profiles`) }));
  }

  async policy(guid: string): Promise<ServerPolicy> {
    return v.parse(policyBody, await this.#api.repeatable({ method: 'GET', path: this.#api.path(`/policies/${guid}`) }));
  }

  async profile(guid: string): Promise<ServerProfile> {
    return v.parse(profileBody, await this.#api.repeatable({ method: 'GET', path: this.#api.path(`/profiles/${guid}`) }));
  }
}
