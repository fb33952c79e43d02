import * as v from 'valibot';
import type { Authorization } from './authorization.ts';
import { component, type ViewSchema } from './components.ts';
import { type Route, route } from './route.ts';
import { authorizationBody } from './schemas.ts';

export interface SystemInfo {
  readonly tenantId: string;
  readonly coreId: string;
  /** Version of this package. */
  readonly version: string;
}

const pingView: ViewSchema = component('Ping', v.strictObject({ status: v.literal('OK') }));
const systemInfoView: ViewSchema = component(
  'SystemInfo',
  v.strictObject({ product: v.string(), version: v.string(), tenantGuid: v.string(), coreId: v.string() }),
);

/** Signs of life, and the way in. */
export function utilRoutes(authorization: Authorization, info: SystemInfo): readonly Route[] {
  const ping = {
    method: 'GET',
    tag: 'system',
    answers: { 200: { noun: 'ping', schema: pingView } },
    run: () => ({ status: 200, body: { status: 'OK' } }),
  } as const;
  return [
    route({ ...ping, id: 'pingOpen', path: '/util/ping', summary: 'Tells that the server is there', role: 'anybody' }),
    route({ ...ping, id: 'ping', path: '/ping', summary: 'Tells that the server is there and the credentials are right', role: 'readOnly' }),
    route({
      id: 'authorize',
      method: 'POST',
      path: '/util/authorization',
      summary: 'Gives the value for the Authorization header; it holds for 12 hours',
      tag: 'system',
      role: 'anybody',
      body: { noun: 'authorizationrequest', schema: authorizationBody },
      answers: { 200: { is: 'The value for the Authorization header', mediaType: 'text/plain' } },
      problems: ['NOT_AUTHENTICATED'],
      run({ body: { username, password } }) {
        return { status: 200, body: authorization.issue(username, Buffer.from(password, 'base64').toString('utf8')) };
      },
    }),
    route({
      id: 'getSystemInfo',
      method: 'GET',
      path: '/info/systeminfo',
      summary: 'Tells what this server is',
      tag: 'system',
      role: 'readOnly',
      answers: { 200: { noun: 'systeminfo', schema: systemInfoView } },
      run: () => ({ status: 200, body: { product: 'uemkit lab server', version: info.version, tenantGuid: info.tenantId, coreId: info.coreId } }),
    }),
  ];
}
