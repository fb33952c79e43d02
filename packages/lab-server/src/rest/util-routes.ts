import type { Authorization } from './authorization.ts';
import type { Route } from './rest-request.ts';
import { authorizationBody, checkBody } from './schemas.ts';

export interface SystemInfo {
  readonly tenantId: string;
  readonly coreId: string;
  /** Version of this package. */
  readonly version: string;
}

/** Signs of life, and the way in. */
export function utilRoutes(authorization: Authorization, info: SystemInfo): readonly Route[] {
  return [
    { method: 'GET', path: '/util/ping', open: true, run: () => ({ status: 200, noun: 'ping', body: { status: 'OK' } }) },
    { method: 'GET', path: '/ping', run: () => ({ status: 200, noun: 'ping', body: { status: 'OK' } }) },
    {
      method: 'POST',
      path: '/util/authorization',
      open: true,
      takes: 'authorizationrequest',
      run({ json }) {
        const { username, password } = checkBody(authorizationBody, json);
        return { status: 200, body: authorization.issue(username, Buffer.from(password, 'base64').toString('utf8')) };
      },
    },
    {
      method: 'GET',
      path: '/info/systeminfo',
      run: () => ({
        status: 200,
        noun: 'systeminfo',
        body: { product: 'uemkit lab server', version: info.version, tenantGuid: info.tenantId, coreId: info.coreId },
      }),
    },
  ];
}
