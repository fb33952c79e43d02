import { ProtocolError } from '@uemkit/protocol';
import type { ProviderWire } from '../roles/infrastructure/push/push-sender.ts';
import type { ProviderRequests } from './provider-requests.ts';

/** A sender and the notification services in one process: what HTTP/2 would carry, without a socket. `certificate` is DER. */
export function memoryProviderWire(requests: ProviderRequests, certificate: Uint8Array): ProviderWire {
  return {
    async request(call) {
      const answer = await requests({
        method: call.method,
        target: call.target,
        http: '2',
        headers: call.headers,
        body: typeof call.body === 'string' ? new TextEncoder().encode(call.body) : call.body.slice(),
        certificate: call.certificate === true ? certificate : undefined,
        source: 'role infrastructure',
      });
      if (answer === undefined) throw new ProtocolError('ERR_TRANSPORT_CLOSED', 'the notification service closed before the answer');
      return answer;
    },
  };
}
