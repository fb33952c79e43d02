import { ProtocolError } from '@uemkit/protocol';

/** The one error of everything in the storage that is not what this container wrote there; it never says why. */
export function openFailed(): ProtocolError {
  return new ProtocolError('ERR_CRYPTO_OPEN', 'record could not be opened');
}

/** The error of a container that was closed or wiped. */
export function closedError(): ProtocolError {
  return new ProtocolError('ERR_USAGE_STATE', 'the container is closed');
}
