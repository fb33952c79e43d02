import { ProtocolError } from '../../errors/protocol-error.ts';
import type { ActivationRefusalReason } from '../../wire/activation.ts';
import type { AlertCode } from '../../wire/alert.ts';

/** An alert before A7 is not authenticated: it ends the run and says little (crypto design 14.15). */
export function errorOfEarlyAlert(code: AlertCode): ProtocolError {
  if (code === 'authFailed') return refusedCredentials();
  if (code === 'busy') return new ProtocolError('ERR_REJECTED_BUSY', 'the server is busy');
  return new ProtocolError('ERR_PEER_ALERT', 'the server ended the activation', { details: { alert: code } });
}

/** What a device is told that proved its secret and is not activated all the same. */
export function refusedActivation(reason: ActivationRefusalReason, message = 'the server does not activate this device'): ProtocolError {
  return new ProtocolError('ERR_REJECTED_ACTIVATION', message, { details: { reason } });
}

/** The one error of a wrong, expired, used or unknown secret: the device cannot tell which, and neither can who asks it. */
export function refusedCredentials(): ProtocolError {
  return new ProtocolError('ERR_REJECTED_CREDENTIALS', 'the user name or the secret is not right');
}
