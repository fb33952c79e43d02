/** Sets up a user and an app that may reach one host of the company, and prints the access key: `administrator.ts CONNECTION_FILE HOST`. Runs on UEM's machine. */

import { nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { AdminApi } from '../../src/admin/admin-api.ts';
import { AdminHttp, type AdminRequest } from '../../src/admin/admin-http.ts';
import { readConnection } from '../../src/admin/connection-file.ts';
import { APP_ID, USER_ID } from './app-config.ts';

const [, , path = '', host = ''] = process.argv;
const http = new AdminHttp(readConnection(path));
const ask = (method: 'POST' | 'PUT', at: string, noun?: AdminRequest['noun'], body?: unknown): Promise<unknown> =>
  http.request({ method, path: http.api(at), noun, body });
const made = async (at: string, noun: AdminRequest['noun'], body: unknown): Promise<string> =>
  ((await ask('POST', at, noun, body)) as { readonly guid: string }).guid;

const { guid: user } = await new AdminApi({ http, clock: systemClock(), entropy: nodeEntropy() }).createUser(USER_ID);
const app = await made('/applications', 'application', { applicationId: APP_ID, name: 'Reader', version: '1.0.0.0', platforms: ['ANDROID'] });
await ask('PUT', `/users/${user}/applications/${app}`, undefined, { disposition: 'OPTIONAL' });
const content = { additionalServers: [{ server: host, route: 'PROXY', ports: [80] }] };
const profile = await made('/profiles', 'profile', { kind: 'dynamics-connectivity', name: 'Company', content });
await ask('PUT', `/users/${user}/profiles/${profile}`);
const { accessKey } = (await ask('POST', `/users/${user}/accessKeys`, 'accesskey', {})) as { readonly accessKey: string };
await http.close();
process.stdout.write(`${JSON.stringify({ accessKey })}\n`);
