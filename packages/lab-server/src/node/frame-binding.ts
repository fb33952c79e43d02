import type { Clock } from '@uemkit/protocol';
import type { HostAnswer } from '../host/role-host.ts';
import type { Journal, RoleName, RoleRequest, ServiceName } from '../roles/role.ts';
import type { HttpAnswer, HttpRequest } from './http-server.ts';

/** Media type of one whole frame, in both directions. */
export const FRAME_MEDIA_TYPE = 'application/vnd.uemkit.frame';
/** Path before the name of a service. */
export const SERVICE_PATH = '/uemkit/1/';

const FRAME_HEADERS: Readonly<Record<string, string>> = { 'content-type': FRAME_MEDIA_TYPE };

export interface FrameBindingOptions {
  readonly role: RoleName;
  /** Services that this listener offers. */
  readonly services: readonly ServiceName[];
  readonly clock: Clock;
  readonly journal: Journal;
  exchange(request: RoleRequest): Promise<HostAnswer>;
}

/** Frames over HTTP (docs/protocol/09-http-binding.md): one POST, one frame each way. */
export function frameBinding(options: FrameBindingOptions): (request: HttpRequest) => Promise<HttpAnswer | undefined> {
  const byPath = new Map<string, ServiceName>(options.services.map((service) => [SERVICE_PATH + service, service]));

  const refuse = (request: HttpRequest, status: number, reason: string, headers: Readonly<Record<string, string>> = {}): HttpAnswer => {
    const { role, clock, journal } = options;
    const service = byPath.get(request.path) ?? request.path;
    journal.record({
      timeMs: clock.nowMs(),
      role,
      service,
      request: `${request.method}`,
      answer: String(status),
      source: request.peer.source,
      reason,
      unknown: true,
    });
    return { status, headers };
  };

  return async (request) => {
    const service = byPath.get(request.path);
    if (service === undefined) return refuse(request, 404, 'no such path at this listener');
    if (request.method !== 'POST') return refuse(request, 405, 'a frame is sent by POST', { allow: 'POST' });
    if (mediaType(request.headers['content-type']) !== FRAME_MEDIA_TYPE) return refuse(request, 415, 'not the media type of frames');
    return toHttp(await options.exchange({ service, frame: request.body, peer: request.peer }));
  };
}

function toHttp(answer: HostAnswer): HttpAnswer | undefined {
  switch (answer.status) {
    case 'answered':
      return { status: 200, headers: FRAME_HEADERS, body: answer.frame };
    case 'malformed':
      return { status: 400 };
    case 'busy':
      return { status: 503, headers: { 'retry-after': String(answer.retryAfterS) } };
    case 'failed':
      return { status: 500 };
    case 'http':
      return { status: answer.code, ...(answer.code === 503 ? { headers: { 'retry-after': '1' } } : {}) };
    case 'dropped':
      return undefined;
  }
}

/** Media type without its parameters, lower case. */
export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}
