import { type PeerIdentity, ProtocolError } from '@uemkit/protocol';
import type { RoleLink } from '../roles/link-guard.ts';
import type { Role } from '../roles/role.ts';
import type { RoleHost } from './role-host.ts';

/** One role calls another in the same process; `peer` is what the caller would show in TLS. */
export function memoryRoleLink(host: () => RoleHost<Role> | undefined, peer: PeerIdentity): RoleLink {
  return {
    async request(service, frame) {
      const there = host();
      if (there === undefined) throw new ProtocolError('ERR_TRANSPORT_CONNECT', `${service}: the role is not there yet`);
      const answer = await there.exchange({ service, frame: frame.slice(), peer });
      switch (answer.status) {
        case 'dropped':
          throw new ProtocolError('ERR_TRANSPORT_CLOSED', `${service}: the connection closed before the answer`);
        case 'http':
          throw new ProtocolError('ERR_TRANSPORT_HTTP', `${service}: HTTP status ${answer.code}`, { details: { status: answer.code } });
        default:
          return answer;
      }
    },
  };
}
