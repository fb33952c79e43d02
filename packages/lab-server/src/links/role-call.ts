import { ProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { RoleLink } from '../roles/link-guard.ts';
import type { ServiceName } from '../roles/role.ts';

/**
 * Sends a message to another role and takes its answer.
 * @throws ProtocolError `ERR_TRANSPORT_*`, `ERR_REJECTED_BUSY`, `ERR_PEER_ALERT`, `ERR_WIRE_*`
 */
export async function callRole<T>(link: RoleLink, service: ServiceName, frame: Uint8Array, expected: wire.MessageCodec<T>): Promise<T> {
  const answer = await link.request(service, frame);
  if (answer.status !== 'answered') throw new ProtocolError('ERR_REJECTED_BUSY', `${service}: ${answer.status}`);
  const parsed = wire.parseFrame(answer.frame);
  if (parsed.name !== 'alert') return expected.decode(parsed);
  throw new ProtocolError('ERR_PEER_ALERT', `${service} answered an alert`, { details: { alert: wire.alert.decode(parsed).code } });
}
