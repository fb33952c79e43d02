import { ProtocolError } from '../../errors/protocol-error.ts';
import type { AlertCode } from '../../wire/alert.ts';

/** What an alert of the server means to a device that is authenticated: TLS has proved both ends, so these may be believed. */
export function errorOfAlert(code: AlertCode): ProtocolError {
  switch (code) {
    case 'revoked':
      return new ProtocolError('ERR_REJECTED_REVOKED', 'the server has revoked this device');
    case 'unknownDevice':
      return new ProtocolError('ERR_REJECTED_UNKNOWN', 'the server does not know this device');
    case 'expired':
      return new ProtocolError('ERR_REJECTED_EXPIRED', 'by the clock of the server the certificate of this device is out of date');
    case 'busy':
      return new ProtocolError('ERR_REJECTED_BUSY', 'the server is busy');
    default:
      return new ProtocolError('ERR_PEER_ALERT', 'the server ended the exchange', { details: { alert: code } });
  }
}
