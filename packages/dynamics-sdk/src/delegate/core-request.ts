import { keyForwardInitiator, ProtocolError } from '@uemkit/protocol';
import type { AccessKeyForward, AccessKeyResponse } from '@uemkit/protocol/wire';
import { withCore } from '../connections/core-connection.ts';
import type { DelegateHost } from './delegate-port.ts';

/**
 * 0x51 to UEM and its answer, over this app's own session with UEM through the NOC (F3.4, F3.5). `reached`: the NOC has made the connection.
 * @throws ProtocolError `ERR_USAGE_STATE` until the app is activated; `ERR_CONNECTION_*`, `ERR_PEER_*`, `ERR_REJECTED_*`, `ERR_CRYPTO_*`
 */
export function askCore({ ports, activated }: DelegateHost, request: AccessKeyForward, signal: AbortSignal, reached: () => void): Promise<AccessKeyResponse> {
  const { crypto, entropy } = ports;
  const record = activated();
  return withCore(ports, record, signal, {
    // The device is named where one is known, though UEM knows it by the session: a mistake on the way shows.
    make: (keys) => keyForwardInitiator({ crypto, entropy, ...keys, request: { ...request, deviceId: record?.data?.deviceId } }),
    connected: reached,
    request: () => Promise.reject(new ProtocolError('ERR_INTERNAL', 'a request to UEM asks for nothing')),
    trace: { actor: 'sibling', answers: ['F3.4', 'F3.5'] },
  });
}
