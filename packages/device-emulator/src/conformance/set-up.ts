import { canonicalUserId, fromBase64url } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import * as v from 'valibot';
import { AdminError } from '../admin/admin-error.ts';
import type { AdminHttp } from '../admin/admin-http.ts';

const guidBody = v.object({ guid: v.string() });
const nameBody = v.object({ name: v.string() });
const issuedBody = v.object({
  activationPasswords: v.array(v.object({ password: v.optional(v.string()), qrCodeContent: v.optional(v.string()) })),
});
const triesBody = v.object({ activationPasswords: v.array(v.object({ kind: v.string(), triesLeft: v.number() })) });
const commandBody: v.GenericSchema<unknown, SeenCommand> = v.object({
  guid: v.string(),
  status: v.string(),
  message: v.optional(v.string()),
  notBefore: v.optional(v.string()),
  data: v.optional(v.record(v.string(), v.unknown())),
});
const deviceBody = v.object({ state: v.string() });
const refusalsBody = v.object({ activationRefusals: v.array(v.object({ reason: v.string() })) });
const settingsBody = v.object({ licences: v.optional(v.number()) });
const devicesBody = v.object({ userDevices: v.array(v.object({ guid: v.string() })) });

/** A user of the server under test. */
export interface TestUser {
  readonly guid: string;
  /** Canonical form. */
  readonly userId: string;
}

export type QrSecret = { readonly kind: 'qr'; readonly userId: string; readonly code: wire.QrCode };
export type PasswordSecret = { readonly kind: 'password'; readonly userId: string; readonly password: string };

/** How a secret is to be: its end, and whether one activation uses it up (it does unless set). */
export interface SecretWish {
  readonly expireAfterUse?: boolean;
  /** ISO 8601. */
  readonly expiry?: string;
  /** Guid of the activation profile; that of the user unless set. */
  readonly profile?: string;
}

/** What an activation profile allows; everything unless set. */
export interface ActivationRules {
  readonly allowedDevices?: number;
  readonly deviceKinds?: readonly string[];
  readonly modelRestriction?: { readonly rule: 'allow' | 'disallow'; readonly models: readonly string[] };
  readonly minimumOsVersions?: Readonly<Record<string, string>>;
  readonly activationTypes?: Readonly<Record<string, readonly object[]>>;
}

/** Objects of the configuration that are assigned to users. */
export type Assigned = 'policies' | 'profiles';
const NOUNS: Readonly<Record<Assigned, string>> = { policies: 'policy', profiles: 'profile' };

/** A command as the administrator sees it. */
export interface SeenCommand {
  readonly guid: string;
  readonly status: string;
  readonly message?: string | undefined;
  readonly notBefore?: string | undefined;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

/** What the administrator does before and between the steps of a case, over the admin REST of the connection file. */
export class SetUp {
  readonly #http: AdminHttp;
  readonly #prefix: string;
  // BOUNDED by what one case makes.
  readonly #users: TestUser[] = [];
  // BOUNDED by what one case makes.
  readonly #paths: string[] = [];
  #made = 0;

  /** `prefix` begins the names of all users of this run. */
  constructor(http: AdminHttp, prefix: string) {
    this.#http = http;
    this.#prefix = prefix;
  }

  /** A name that no user has. */
  newName(): string {
    this.#made += 1;
    return canonicalUserId(`${this.#prefix}-${String(this.#made).padStart(4, '0')}@conformance.invalid`);
  }

  async user(username: string = this.newName()): Promise<TestUser> {
    const { guid } = v.parse(guidBody, await this.#ask('POST', '/users', 'user', { username }));
    const user = { guid, userId: canonicalUserId(username) };
    this.#users.push(user);
    return user;
  }

  async qrCode({ guid, userId }: TestUser, wish: SecretWish = {}): Promise<QrSecret> {
    const { profile, ...more } = wish;
    const issued = await this.#issue(guid, { qrCode: true, ...more, ...(profile === undefined ? {} : { activationProfile: { guid: profile } }) });
    return { kind: 'qr', userId, code: wire.qrCode.decode(wire.decodeCbor(fromBase64url(issued.qrCodeContent ?? '')), 'qrCode') };
  }

  async password({ guid, userId }: TestUser, wish: SecretWish = {}): Promise<PasswordSecret> {
    const issued = await this.#issue(guid, wish);
    return { kind: 'password', userId, password: Buffer.from(issued.password ?? '', 'base64').toString('utf8') };
  }

  async expireSecrets({ guid }: TestUser): Promise<void> {
    await this.#ask('DELETE', `/users/${guid}/activationPasswords`);
  }

  /** Tries that a secret of the user has left; undefined when there is none of this kind. */
  async triesLeft({ guid }: TestUser, kind: 'PASSWORD' | 'QR_CODE' = 'PASSWORD'): Promise<number | undefined> {
    const { activationPasswords } = v.parse(triesBody, await this.#ask('GET', `/users/${guid}/activationPasswords`));
    return activationPasswords.find((one) => one.kind === kind)?.triesLeft;
  }

  /** Ids of the devices that count for the user. */
  async devicesOf({ guid }: TestUser): Promise<readonly string[]> {
    const { userDevices } = v.parse(devicesBody, await this.#ask('GET', `/users/${guid}/userDevices`));
    return userDevices.map((device) => device.guid);
  }

  async deviceState(user: TestUser, deviceId: string): Promise<string> {
    return v.parse(deviceBody, await this.#ask('GET', `/users/${user.guid}/userDevices/${deviceId}`)).state;
  }

  async removeDevice(user: TestUser, deviceId: string): Promise<void> {
    await this.#ask('DELETE', `/users/${user.guid}/userDevices/${deviceId}`);
  }

  /** Sends a command and gives its id (32 hexadecimal digits). */
  async send(user: TestUser, deviceId: string, type: string, properties: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const sent = await this.#ask('POST', this.#commands(user, deviceId), 'command', { type, properties });
    return v.parse(guidBody, sent).guid;
  }

  async command(user: TestUser, deviceId: string, commandId: string): Promise<SeenCommand> {
    return v.parse(commandBody, await this.#ask('GET', `${this.#commands(user, deviceId)}/${commandId}`));
  }

  async cancel(user: TestUser, deviceId: string, commandId: string): Promise<void> {
    await this.#ask('DELETE', `${this.#commands(user, deviceId)}/${commandId}`);
  }

  /** A new activation profile, or the rules of one that is there; gives its guid. */
  async activationProfile(rules: ActivationRules, guid: string = this.newName().replaceAll(/[@.]/g, '-')): Promise<string> {
    const body = {
      name: guid,
      activationType: 'work-and-personal-full-control',
      createWorkSpace: true,
      encryptDevice: true,
      pollIntervalS: 900,
      pollJitterS: 60,
      allowedDevices: 10,
      ...rules,
    };
    const path = `/lab/v1/profiles/${guid}`;
    if (!this.#paths.includes(path)) this.#paths.push(path);
    await this.#http.request({ method: 'PUT', path, body });
    return guid;
  }

  /** Why devices of the user were not activated, the oldest first. */
  async refusals({ guid }: TestUser): Promise<readonly string[]> {
    const { activationRefusals } = v.parse(refusalsBody, await this.#ask('GET', `/users/${guid}/activationRefusals`));
    return activationRefusals.map(({ reason }) => reason);
  }

  /** Changes the limit of licences for the whole tenant; undefined: none. Gives the one before. */
  async licences(limit: number | undefined): Promise<number | undefined> {
    const path = '/lab/v1/activationSettings';
    const { licences } = v.parse(settingsBody, await this.#http.request({ method: 'GET', path }));
    await this.#http.request({ method: 'PUT', path, body: { licences: limit ?? null } });
    return licences;
  }

  /** Adds a policy or profile under a name of its own and gives its guid. */
  async add(kind: Assigned, body: object): Promise<string> {
    const { guid } = v.parse(guidBody, await this.#ask('POST', `/${kind}`, NOUNS[kind], { name: this.newName(), ...body }));
    this.#paths.push(this.#http.api(`/${kind}/${guid}`));
    return guid;
  }

  /** Replaces what a policy or profile says, under the same name. */
  async replace(kind: Assigned, guid: string, body: object): Promise<void> {
    const { name } = v.parse(nameBody, await this.#ask('GET', `/${kind}/${guid}`));
    await this.#ask('PUT', `/${kind}/${guid}`, NOUNS[kind], { name, ...body });
  }

  async assign(user: TestUser, kind: Assigned, guid: string): Promise<void> {
    await this.#ask('PUT', `/users/${user.guid}/${kind}/${guid}`);
  }

  async unassign(user: TestUser, kind: Assigned, guid: string): Promise<void> {
    await this.#ask('DELETE', `/users/${user.guid}/${kind}/${guid}`);
  }

  /** Takes back what the case has made, as far as the server lets it: devices first, those that never counted too. */
  async tidy(devices: readonly { readonly userId: string; readonly deviceId: string }[]): Promise<void> {
    for (const user of this.#users) {
      const own = devices.filter(({ userId }) => userId === user.userId);
      for (const { deviceId } of own) await this.#asFarAsPossible(() => this.removeDevice(user, deviceId));
      await this.#asFarAsPossible(() => this.#ask('DELETE', `/users/${user.guid}`));
    }
    // What was assigned to users goes after them.
    for (const path of this.#paths) await this.#asFarAsPossible(() => this.#http.request({ method: 'DELETE', path }));
  }

  async #asFarAsPossible(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof AdminError)) throw error;
    }
  }

  #commands({ guid }: TestUser, deviceId: string): string {
    return `/users/${guid}/userDevices/${deviceId}/commands`;
  }

  async #issue(guid: string, one: object): Promise<v.InferOutput<typeof issuedBody>['activationPasswords'][number]> {
    const body = { activationPasswords: [one] };
    const { activationPasswords } = v.parse(issuedBody, await this.#ask('POST', `/users/${guid}/activationPasswords`, 'activationpasswords', body));
    return activationPasswords[0] ?? {};
  }

  #ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, noun?: string, body?: unknown): Promise<unknown> {
    return this.#http.request({ method, path: this.#http.api(path), noun, body });
  }
}
