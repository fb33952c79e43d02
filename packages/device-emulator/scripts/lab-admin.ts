import type { Lab } from '@uemkit/lab-server';
import type { FakeClock } from '@uemkit/protocol/testing';
import { AdminError } from '../src/admin/admin-error.ts';
import type { AdminRequest } from '../src/admin/admin-http.ts';
import type { AdminTrace } from '../src/trace/admin-trace.ts';

/** The admin REST API of a lab in memory; each request is a line of the trace. Paths begin behind the version of the API, or with `/lab`. */
export function adminOf(lab: Lab, clock: FakeClock, admin: AdminTrace): (request: AdminRequest) => Promise<{ readonly guid: string }> {
  const { tenantId, administrator } = lab.connection;
  const authorization = `Basic ${Buffer.from(`${administrator.username}:${administrator.password}`).toString('base64')}`;
  return async (request) => {
    const path = request.path.startsWith('/lab') ? request.path : `/${tenantId}/api/v1${request.path}`;
    const body = Buffer.from(request.body === undefined ? '' : JSON.stringify(request.body));
    const headers = { authorization, 'content-type': 'application/json' };
    const answer = await clock.hold(lab.rest({ method: request.method, path, query: '', headers, body, source: '' }));
    if (answer === undefined || answer.status >= 400) throw new AdminError(answer?.status ?? 0, '', answer?.body ?? 'lost');
    const read = answer.body === '' ? undefined : JSON.parse(answer.body);
    admin.exchanged({ request: { ...request, path }, status: answer.status, answer: read, bytes: body.length, tookMs: 0 });
    return read as { readonly guid: string };
  };
}
