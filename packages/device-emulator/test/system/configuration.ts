import type { Lab } from '@uemkit/lab-server';

/** Who something can be assigned to. */
export type Level = 'user' | 'userGroup' | 'deviceGroup';
export const LEVELS: readonly Level[] = ['deviceGroup', 'user', 'userGroup'];
export const GROUPS = ['userGroup', 'deviceGroup'] as const;
export type Group = (typeof GROUPS)[number];

/** What can be assigned in this test. `rank`: one of its sort is in force. */
const OBJECTS = [
  { sort: 'policy', rank: 1 },
  { sort: 'policy', rank: 2 },
  { sort: 'ranked', rank: 1 },
  { sort: 'ranked', rank: 2 },
  { sort: 'wi-fi', rank: 0 },
  { sort: 'wi-fi', rank: 0 },
  { sort: 'app', rank: 0 },
] as const;
/** Numbers of the first of two objects of which only one can be in force. */
export const RIVALS: readonly number[] = [0, 2];
export const OBJECT_COUNT: number = OBJECTS.length;
export const APP_ID = 'example.whole.app';
/** Minimum lengths of passwords by which policies are told apart; the default policy has smaller ones. */
const FIRST_LENGTH = 61;

/** A device and its user, as far as assignments name them. */
export interface Assignee {
  readonly userGuid: string;
  readonly memberOf: Set<Group>;
  /** Numbers of objects that are assigned to the user. */
  readonly assigned: Set<number>;
}

/** What a managed device must have. */
export interface ExpectedConfiguration {
  /** Undefined: nobody has ever set a policy. */
  readonly minimumLength: number | undefined;
  /** Ids of profiles with their contents. */
  readonly profiles: ReadonlyMap<string, string>;
  readonly hasApp: boolean;
}

/** Groups, policies, profiles and an app of one world, and what the administrator did with them. */
export class Configuration {
  minimumLength: number | undefined;
  readonly #ids = new Map<number, string>();
  readonly #groupIds = new Map<Group, string>();
  /** Numbers of objects that are assigned to a group. */
  readonly #assigned: Readonly<Record<Group, Set<number>>> = { userGroup: new Set(), deviceGroup: new Set() };
  /** How often the content of a Wi-Fi profile was changed. */
  readonly #edits = new Map<number, number>();

  /** Assigns an object, or takes the assignment back. */
  async toggle({ admin }: Lab, { userGuid, assigned }: Assignee, level: Level, number: number): Promise<void> {
    const numbers = level === 'user' ? assigned : this.#assigned[level];
    const { sort } = OBJECTS[number] as (typeof OBJECTS)[number];
    const kind = sort === 'policy' ? 'policy' : sort === 'app' ? 'application' : 'profile';
    const object = { kind, id: await this.#id({ admin }, number) } as const;
    const assignee = { kind: level, id: level === 'user' ? userGuid : await this.#group({ admin }, level) };
    if (numbers.has(number)) await admin.unassign(assignee, object);
    else await admin.assign(assignee, object, sort === 'app' ? 'REQUIRED' : undefined);
    if (!numbers.delete(number)) numbers.add(number);
  }

  /** Puts a user or a device into its group, or takes it out. */
  async join({ admin }: Lab, { userGuid, memberOf }: Assignee, group: Group, deviceId: string): Promise<void> {
    const id = await this.#group({ admin }, group);
    const isIn = memberOf.has(group);
    if (group === 'userGroup') await (isIn ? admin.removeUserFromGroup(id, userGuid) : admin.addUsersToGroup(id, [userGuid]));
    else await (isIn ? admin.removeDeviceFromGroup(id, deviceId) : admin.addDevicesToGroup(id, [deviceId]));
    if (!memberOf.delete(group)) memberOf.add(group);
  }

  /** Changes the content of a profile that may be on devices. */
  async edit({ admin }: Lab): Promise<void> {
    const [number] = WI_FI;
    const id = await this.#id({ admin }, number);
    const edits = (this.#edits.get(number) ?? 0) + 1;
    await admin.updateConfigurationProfile(id, { kind: 'wi-fi', name: `wi-fi ${number}`, content: { ssid: ssidOf(number, edits), security: 'OPEN' } });
    this.#edits.set(number, edits);
  }

  /** A device group beats the user, the user beats a user group, and then the rank decides; of unranked ones all. */
  expectedOn({ assigned, memberOf }: Assignee): ExpectedConfiguration {
    const levels = LEVELS.map((level) => [...(level === 'user' ? assigned : memberOf.has(level) ? this.#assigned[level] : [])]);
    const best = (sort: string): number | undefined =>
      levels.map((numbers) => numbers.filter((number) => OBJECTS[number]?.sort === sort).sort((a, b) => a - b)[0]).find((number) => number !== undefined);
    const policy = best('policy');
    const ranked = best('ranked');
    const wiFi = WI_FI.filter((number) => levels.some((numbers) => numbers.includes(number)));
    const content = (number: number): readonly [string, string] => [this.#ids.get(number) ?? '', ssidOf(number, this.#edits.get(number) ?? 0)];
    return {
      minimumLength: policy === undefined ? this.minimumLength : FIRST_LENGTH + policy,
      profiles: new Map([...wiFi.map(content), ...(ranked === undefined ? [] : [[this.#ids.get(ranked) ?? '', ''] as const])]),
      hasApp: levels.some((numbers) => numbers.includes(APP)),
    };
  }

  async #group({ admin }: Pick<Lab, 'admin'>, group: Group): Promise<string> {
    const known = this.#groupIds.get(group);
    if (known !== undefined) return known;
    const { groupId } = group === 'userGroup' ? await admin.createUserGroup({ name: 'G' }) : await admin.createDeviceGroup({ name: 'G' });
    this.#groupIds.set(group, groupId);
    return groupId;
  }

  async #id({ admin }: Pick<Lab, 'admin'>, number: number): Promise<string> {
    const known = this.#ids.get(number);
    if (known !== undefined) return known;
    const { sort, rank } = OBJECTS[number] as (typeof OBJECTS)[number];
    const name = `${sort} ${number}`;
    const id = await make();
    this.#ids.set(number, id);
    return id;

    async function make(): Promise<string> {
      switch (sort) {
        case 'policy':
          return (await admin.createPolicy({ name, rank, rules: { password: { minimumLength: FIRST_LENGTH + number } } })).policyId;
        case 'ranked':
          return (await admin.createConfigurationProfile({ kind: 'device-sr-requirements', name, rank, content: { deferDays: number } })).profileId;
        case 'wi-fi':
          return (await admin.createConfigurationProfile({ kind: 'wi-fi', name, content: { ssid: ssidOf(number, 0), security: 'OPEN' } })).profileId;
        case 'app': {
          const platforms = ['ANDROID', 'IOS', 'MACOS', 'WINDOWS', 'BLACKBERRY_10'] as const;
          return (await admin.createApplication({ applicationId: APP_ID, name, version: '1.0', platforms })).guid;
        }
      }
    }
  }
}

const WI_FI = [4, 5] as const;
const APP = 6;

function ssidOf(number: number, edits: number): string {
  return `net ${number} ${edits}`;
}
