import type { ConnectionFile } from '@uemkit/lab-server';
import { Agent, request } from 'undici';

export interface AdminRest {
  /** `path` is within the tenant, for example `/users`; `body` becomes JSON. @throws Error with what the lab said, when it did not do it */
  call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<{ readonly guid: string; readonly [field: string]: unknown }>;
  close(): Promise<void>;
}

/** The admin REST API of a lab, signed in as its administrator. */
export function adminRest({ admin, tenantId, ca, administrator: { username, password } }: ConnectionFile): AdminRest {
  const dispatcher = new Agent({ connect: { ca } });
  const headers = { 'content-type': 'application/json', authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  return {
    async call(method, path, body) {
      const answer = await request(`${admin}/${tenantId}/api/v1${path}`, {
        method,
        headers,
        dispatcher,
        body: body === undefined ? null : JSON.stringify(body),
      });
      const text = await answer.body.text();
      if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
      return text === '' ? {} : JSON.parse(text);
    },
    close: () => dispatcher.close(),
  };
}
