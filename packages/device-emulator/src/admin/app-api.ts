import * as v from 'valibot';
import type { AdminApi } from './admin-api.ts';
import { isUndecided } from './admin-error.ts';

const guidBody = v.object({ guid: v.string() });
const applicationsBody = v.object({ applications: v.array(v.object({ guid: v.string(), applicationId: v.string() })) });
const issuedBody = v.object({ mail: guidBody });
const proxiesBody = v.object({ proxies: v.array(v.object({ id: v.string() })) });
const instancesBody = v.object({ dynamicsApps: v.array(v.object({ guid: v.string(), applicationId: v.string() })) });

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

  /** Activated apps of a user. */
  async instances(userGuid: string): Promise<readonly ServerApp[]> {
    const path = this.#api.path(`/users/${userGuid}/dynamicsApps`);
    return v.parse(instancesBody, await this.#api.repeatable({ method: 'GET', path })).dynamicsApps;
  }
}
