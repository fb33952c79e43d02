import * as v from 'valibot';
import type { AppBlock, AppCommandEntry } from '../scenario/scenario.ts';
import type { AdminApi } from './admin-api.ts';
import { AdminError, isUndecided } from './admin-error.ts';

const guidBody = v.object({ guid: v.string() });
const applicationsBody = v.object({ applications: v.array(v.object({ guid: v.string(), applicationId: v.string() })) });
const issuedBody = v.object({ mail: guidBody });
const proxiesBody = v.object({ proxies: v.array(v.object({ id: v.string() })) });
const instanceBody: v.GenericSchema<unknown, ServerApp> = v.object({
  guid: v.string(),
  applicationId: v.string(),
  status: v.string(),
  upToDate: v.boolean(),
  pending: v.boolean(),
  wipe: v.boolean(),
  lock: v.optional(v.string()),
  blocks: v.array(v.object({ actionId: v.string(), title: v.string(), body: v.string() })),
});
const instancesBody = v.object({ dynamicsApps: v.array(instanceBody) });

/** A Dynamics app in the catalogue of UEM. */
export interface NewApplication {
  readonly applicationId: string;
  readonly name: string;
  readonly version: string;
  readonly platforms: readonly string[];
  readonly platformIds: readonly string[];
}

/** An activated app as the server has it. */
export interface ServerApp {
  /** Instance id, hexadecimal. */
  readonly guid: string;
  readonly applicationId: string;
  /** `ACTIVE`, `LOCKED` (blocked ones, too), `ENDING`, as the app has said. */
  readonly status: string;
  /** It had configuration, policy and Proxies in force when it asked last. */
  readonly upToDate: boolean;
  /** Something that administrators want of it is not carried out yet. */
  readonly pending: boolean;
  readonly wipe: boolean;
  /** Id of the last lock. */
  readonly lock?: string | undefined;
  readonly blocks: readonly AppBlock[];
}

/** Dynamics apps over the admin REST API: catalogue, access keys, what is activated. */
export class AppApi {
  readonly #api: AdminApi;

  constructor(api: AdminApi) {
    this.#api = api;
  }

  /** Guid of the application with this entitlement id, which is added when there is none. */
  async ensureApplication(application: NewApplication): Promise<string> {
    const path = this.#api.path('/applications');
    for (;;) {
      const query = encodeURIComponent(`applicationId=${application.applicationId}`);
      const [found] = v.parse(applicationsBody, await this.#api.repeatable({ method: 'GET', path: `${path}?query=${query}` })).applications;
      if (found !== undefined) return found.guid;
      try {
        return v.parse(guidBody, await this.#api.once({ method: 'POST', path, noun: 'application', body: application })).guid;
      } catch (error) {
        // The connection broke in the middle: look whether it is there.
        if (!isUndecided(error)) throw error;
      }
    }
  }

  async assignApplication(group: string, application: string): Promise<void> {
    const path = this.#api.path(`/groups/${group}/applications/${application}`);
    await this.#api.repeatable({ method: 'PUT', path, body: { disposition: 'OPTIONAL' } });
  }

  /** Ids of the Proxies that have made themselves known. */
  async proxies(): Promise<readonly string[]> {
    return v.parse(proxiesBody, await this.#api.repeatable({ method: 'GET', path: '/lab/v1/proxies' })).proxies.map(({ id }) => id);
  }

  /** Has a new access key mailed to the user (F3.5), and gives the mail as it arrived in the inbox of the lab. One whose mail was lost is never used. */
  async mailAccessKey(userGuid: string, address: string): Promise<Uint8Array> {
    const path = this.#api.path(`/users/${userGuid}/accessKeys`);
    const answer = await this.#api.repeatable({ method: 'POST', path, noun: 'accesskey', body: { emailTemplate: { guid: 'access-key' } } });
    return this.#api.arrivedMail(v.parse(issuedBody, answer).mail.guid, address);
  }

  /** One activated app of a user; undefined when the server has no such one (any more). */
  async instance(userGuid: string, instanceId: string): Promise<ServerApp | undefined> {
    try {
      return v.parse(instanceBody, await this.#api.repeatable({ method: 'GET', path: this.#instancePath(userGuid, instanceId) }));
    } catch (error) {
      if (error instanceof AdminError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Sends a command to an activated app (F5.1), and gives the app as UEM has it then. Not repeated once it may have had an effect: see `isUndecided`. */
  async sendCommand(userGuid: string, instanceId: string, { command: type, properties }: AppCommandEntry): Promise<ServerApp> {
    const path = `${this.#instancePath(userGuid, instanceId)}/commands`;
    return v.parse(instanceBody, await this.#api.once({ method: 'POST', path, noun: 'command', body: { type, ...properties } }));
  }

  #instancePath(userGuid: string, instanceId: string): string {
    return this.#api.path(`/users/${userGuid}/dynamicsApps/${instanceId}`);
  }

  /** Activated apps of a user. */
  async instances(userGuid: string): Promise<readonly ServerApp[]> {
    const path = this.#api.path(`/users/${userGuid}/dynamicsApps`);
    return v.parse(instancesBody, await this.#api.repeatable({ method: 'GET', path })).dynamicsApps;
  }
}
