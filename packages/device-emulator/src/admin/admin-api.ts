import { backoff, type Clock, type Entropy } from '@uemkit/protocol';
import * as v from 'valibot';
import type { PropertyValue } from '../scenario/readers.ts';
import type { LabFault } from '../scenario/scenario.ts';
import { AdminError, hadNoEffect, isUndecided } from './admin-error.ts';
import type { AdminHttp, AdminRequest } from './admin-http.ts';

const guidBody = v.object({ guid: v.string() });
const usersBody = v.object({ users: v.array(v.object({ guid: v.string(), username: v.string() })) });
const commandBody: v.GenericSchema<unknown, ServerCommand> = v.object({
  guid: v.string(),
  type: v.string(),
  status: v.string(),
  created: v.optional(v.string()),
  finished: v.optional(v.string()),
  message: v.optional(v.string()),
});
const commandsBody = v.object({ commands: v.array(commandBody) });
const deviceBody = v.object({ guid: v.string(), state: v.optional(v.string()), user: v.object({ guid: v.string(), username: v.string() }) });
const devicesBody = v.object({ devices: v.array(deviceBody) });
const complianceBody = v.object({ outOfComplianceInfo: v.optional(v.array(v.object({ reason: v.string() }))) });
const qrBody = v.object({ activationPasswords: v.array(v.object({ qrCodeContent: v.string() })) });
const mailedBody = v.object({ activationPasswords: v.array(v.object({ mail: guidBody })) });
const mailStatusBody = v.object({ status: v.string() });
const inboxBody = v.object({ mails: v.array(guidBody) });
const inboxMailBody = v.object({ source: v.string() });
const faultBody = v.object({ id: v.string() });

/** A command as the server has it. */
export interface ServerCommand {
  readonly guid: string;
  readonly type: string;
  /** `QUEUED`, `SENT`, `COMPLETED`, `FAILED`, `CANCELLED`. */
  readonly status: string;
  /** RFC 3339, as `finished`. */
  readonly created?: string | undefined;
  readonly finished?: string | undefined;
  /** Why it failed or was cancelled. */
  readonly message?: string | undefined;
}

/** Status of a command that may reach its device yet, or whose device may answer yet. */
const OPEN_STATUS: readonly string[] = ['QUEUED', 'SENT'];

/** True for a command that is not through. */
export function isOpen({ status }: Pick<ServerCommand, 'status'>): boolean {
  return OPEN_STATUS.includes(status);
}

/** A command as an administrator gives it. */
export interface NewCommand {
  readonly type: string;
  readonly properties: { readonly [key: string]: PropertyValue };
  /** Entitlement id of the Dynamics app that it is for. */
  readonly application?: string | undefined;
}

/** A device as the server has it. */
export interface ServerDevice {
  readonly deviceId: string;
  readonly userGuid: string;
  readonly username: string;
  readonly state: string;
}

/** What devices become that are activated with a profile. */
export interface ActivationProfile {
  readonly name: string;
  readonly activationType: string;
  readonly createWorkSpace: boolean;
  readonly encryptDevice: boolean;
  readonly pollIntervalS: number;
  readonly pollJitterS: number;
  readonly allowedDevices: number;
}

/** Items of one page of a list. */
const PAGE = 500;
const RETRY = { minMs: 50, baseMs: 200, maxMs: 5_000 };
/** For a server that nobody has seen yet: its address may be wrong. */
const PATIENCE_MS = 45_000;
/** For a server that was there: a run that is under way is worth the wait for one that starts again on a busy machine. */
const PATIENCE_UNDER_WAY_MS = 180_000;
const MAIL_WAITING = 'MAIL_WAITING';

export interface AdminApiOptions {
  readonly http: AdminHttp;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly signal?: AbortSignal | undefined;
  /** How long the server may be away before a request counts as failed; unless set 45 seconds, and three minutes once it has answered. */
  readonly patienceMs?: number | undefined;
  /** The server does not answer; the request is tried again. */
  onWaiting?(error: unknown): void;
}

/** What the emulated administrator does (F1.1, F5.1), over the documented REST API. Requests that may be repeated are, until the server is back. */
export class AdminApi {
  readonly #options: AdminApiOptions;
  #hasAnswered = false;

  constructor(options: AdminApiOptions) {
    this.#options = options;
  }

  /** Throws when the server cannot be reached or does not let us in. */
  async check(): Promise<void> {
    await this.repeatable({ method: 'GET', path: this.path('/ping') });
  }

  /** Creates or replaces an activation profile (F1.1b). */
  async putProfile(guid: string, profile: ActivationProfile): Promise<void> {
    await this.repeatable({ method: 'PUT', path: `/lab/v1/profiles/${guid}`, body: profile });
  }

  /** Adds a user and gives the guid; `existed` when there was one of this name before this call. */
  async createUser(username: string): Promise<{ readonly guid: string; readonly existed: boolean }> {
    // An attempt whose answer was lost may have added the user.
    let undecided = false;
    const mayRetry = (error: unknown): boolean => {
      undecided ||= isUndecided(error);
      return isUndecided(error) || hadNoEffect(error);
    };
    try {
      const emailAddress = username.includes('@') ? { emailAddress: username } : {};
      const body = { username, displayName: username.split('@')[0], ...emailAddress };
      const request: AdminRequest = { method: 'POST', path: this.path('/users'), noun: 'user', body };
      const created = await this.#retry(() => this.#request(request), mayRetry);
      return { guid: v.parse(guidBody, created).guid, existed: false };
    } catch (error) {
      if (!(error instanceof AdminError) || error.id !== 'USER_EXISTS') throw error;
    }
    const found = await this.repeatable({ method: 'GET', path: this.path(`/users?query=${encodeURIComponent(`username=${username}`)}`) });
    const [user] = v.parse(usersBody, found).users;
    if (user === undefined) throw new AdminError(404, 'USER_NOT_FOUND', username);
    return { guid: user.guid, existed: !undecided };
  }

  /** Sets the activation password; one that was set before is gone. */
  async setPassword(userGuid: string, password: string, profileGuid?: string): Promise<void> {
    await this.#activationPasswords(userGuid, { password: Buffer.from(password).toString('base64'), ...reference(profileGuid) });
  }

  /** Content of a new activation QR code; one that was made before is gone. */
  async makeQrCode(userGuid: string, profileGuid?: string): Promise<string> {
    const answer = await this.#activationPasswords(userGuid, { qrCode: true, ...reference(profileGuid) });
    return (v.parse(qrBody, answer).activationPasswords[0] as { readonly qrCodeContent: string }).qrCodeContent;
  }

  /** Has a new activation QR code mailed to the user, and gives the mail as it arrived in the inbox of the lab. */
  async mailQrCode(userGuid: string, username: string, profileGuid?: string): Promise<Uint8Array> {
    const answer = await this.#activationPasswords(userGuid, { qrCode: true, emailTemplate: { guid: 'activation' }, ...reference(profileGuid) });
    const mailId = (v.parse(mailedBody, answer).activationPasswords[0] as { readonly mail: { readonly guid: string } }).mail.guid;
    return this.arrivedMail(mailId, username);
  }

  /** Waits until a mail was sent, and gives the newest one that the inbox of the lab has for the address. */
  async arrivedMail(mailId: string, address: string): Promise<Uint8Array> {
    await this.#retry(
      async () => {
        const { status } = v.parse(mailStatusBody, await this.#request({ method: 'GET', path: `/lab/v1/mails/${mailId}` }));
        if (status === 'WAITING') throw new AdminError(503, MAIL_WAITING, 'the mail is on its way');
        if (status !== 'SENT') throw new AdminError(409, `MAIL_${status}`, 'the mail was not sent');
      },
      (error) => hadNoEffect(error) || isUndecided(error),
    );
    const { mails } = v.parse(inboxBody, await this.repeatable({ method: 'GET', path: `/lab/v1/inbox?max=1000&to=${encodeURIComponent(address)}` }));
    const newest = mails.at(-1);
    if (newest === undefined) throw new AdminError(404, 'MAIL_NOT_FOUND', 'the mail went to another host than the inbox of the lab');
    const { source } = v.parse(inboxMailBody, await this.repeatable({ method: 'GET', path: `/lab/v1/inbox/${newest.guid}` }));
    return new Uint8Array(Buffer.from(source, 'base64'));
  }

  /** Sends a command to a device and gives its id. Not repeated once it may have had an effect: see `isUndecided`. */
  async sendCommand(device: Pick<ServerDevice, 'userGuid' | 'deviceId'>, { type, properties, application }: NewCommand): Promise<string> {
    const path = application === undefined ? this.#commandPath(device) : this.#applicationPath(device, application);
    return v.parse(guidBody, await this.once({ method: 'POST', path, noun: 'command', body: { type, properties } })).guid;
  }

  /** All commands of a device. */
  async commands(device: Pick<ServerDevice, 'userGuid' | 'deviceId'>): Promise<readonly ServerCommand[]> {
    return this.#pages(this.#commandPath(device), '', (page) => v.parse(commandsBody, page).commands);
  }

  /** Compliance rules that a device breaks. */
  async brokenRules({ userGuid, deviceId }: Pick<ServerDevice, 'userGuid' | 'deviceId'>): Promise<readonly string[]> {
    const shown = await this.repeatable({ method: 'GET', path: this.path(`/users/${userGuid}/userDevices/${deviceId}`) });
    return (v.parse(complianceBody, shown).outOfComplianceInfo ?? []).map(({ reason }) => reason);
  }

  /** Devices whose user name begins with `prefix`. */
  async devices(prefix: string): Promise<readonly ServerDevice[]> {
    const query = `&query=${encodeURIComponent(`username=${prefix}*`)}`;
    const found = await this.#pages(this.path('/devices'), query, (page) => v.parse(devicesBody, page).devices);
    return found.map(({ guid, state = '', user }) => ({ deviceId: guid, state, userGuid: user.guid, username: user.username }));
  }

  /** Has the lab cause a fault; gives its id. */
  async addFault(fault: LabFault, seed: number): Promise<string> {
    const answer = await this.repeatable({ method: 'POST', path: '/lab/v1/faults', body: { ...fault, seed } });
    return v.parse(faultBody, answer).id;
  }

  /** Ends a fault; one that is not there any more is as good. */
  async removeFault(id: string): Promise<void> {
    try {
      await this.repeatable({ method: 'DELETE', path: `/lab/v1/faults/${encodeURIComponent(id)}` });
    } catch (error) {
      if (!(error instanceof AdminError) || error.status !== 404) throw error;
    }
  }

  async #activationPasswords(userGuid: string, one: object): Promise<unknown> {
    return this.repeatable({
      method: 'POST',
      path: this.path(`/users/${userGuid}/activationPasswords`),
      noun: 'activationpasswords',
      body: { activationPasswords: [one] },
    });
  }

  async #pages<T>(path: string, query: string, read: (page: unknown) => readonly T[]): Promise<readonly T[]> {
    const all: T[] = [];
    for (;;) {
      const page = read(await this.repeatable({ method: 'GET', path: `${path}?max=${PAGE}&offset=${all.length}${query}` }));
      all.push(...page);
      if (page.length < PAGE) return all;
    }
  }

  /** Path below the documented base. */
  path(path: string): string {
    return this.#options.http.api(path);
  }

  #commandPath({ userGuid, deviceId }: Pick<ServerDevice, 'userGuid' | 'deviceId'>): string {
    return this.path(`/users/${userGuid}/userDevices/${deviceId}/commands`);
  }

  #applicationPath({ userGuid, deviceId }: Pick<ServerDevice, 'userGuid' | 'deviceId'>, application: string): string {
    return this.path(`/users/${userGuid}/userDevices/${deviceId}/applications/${encodeURIComponent(application)}/commands`);
  }

  #request(request: AdminRequest): Promise<unknown> {
    return this.#options.http.request({ ...request, signal: this.#options.signal });
  }

  /** The answer to a request that is not repeated once it may have had an effect: see `isUndecided`. */
  once(request: AdminRequest): Promise<unknown> {
    return this.#retry(() => this.#request(request), hadNoEffect);
  }

  /** The answer to a request whose repetition does no harm. */
  repeatable(request: AdminRequest): Promise<unknown> {
    return this.#retry(
      () => this.#request(request),
      (error) => hadNoEffect(error) || isUndecided(error),
    );
  }

  async #retry<T>(attempt: () => Promise<T>, mayRetry: (error: unknown) => boolean): Promise<T> {
    const { clock, entropy, signal, patienceMs = this.#hasAnswered ? PATIENCE_UNDER_WAY_MS : PATIENCE_MS } = this.#options;
    const pauses = backoff(RETRY, entropy)[Symbol.iterator]();
    const untilMs = clock.monotonicMs() + patienceMs;
    for (;;) {
      try {
        const answer = await attempt();
        this.#hasAnswered = true;
        return answer;
      } catch (error) {
        const pauseMs = pauses.next().value as number;
        if (signal?.aborted === true || !mayRetry(error) || clock.monotonicMs() + pauseMs > untilMs) throw error;
        // A mail that is on its way is an answer.
        if (!(error instanceof AdminError) || error.id !== MAIL_WAITING) this.#options.onWaiting?.(error);
        await new Promise<void>((resolve) => clock.setTimer(pauseMs, resolve));
      }
    }
  }
}

/** Absent: the default profile of the user. */
function reference(profileGuid: string | undefined): object {
  return profileGuid === undefined ? {} : { activationProfile: { guid: profileGuid } };
}
