import { isProtocolError, ProtocolError } from '@uemkit/protocol';

const NO_CONNECTION = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EMFILE|EACCES)$/;
/** Codes of OpenSSL, of Node's TLS and of certificate verification. */
const TLS = /^(?:ERR_SSL|ERR_TLS|EPROTO$|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|HOSTNAME_MISMATCH)/;

/** What a failure of a socket or of TLS means. It says nothing about the app: only UEM does. */
export function tlsError(cause: unknown): ProtocolError {
  if (isProtocolError(cause)) return cause;
  const code = String((cause as { readonly code?: unknown } | null)?.code ?? '');
  const options = { cause, ...(code === '' ? {} : { details: { cause: code } }) };
  if (NO_CONNECTION.test(code)) return new ProtocolError('ERR_TRANSPORT_CONNECT', 'no connection', options);
  if (code === 'ETIMEDOUT') return new ProtocolError('ERR_TRANSPORT_TIMEOUT', 'no answer in time', options);
  if (TLS.test(code)) return new ProtocolError('ERR_TRANSPORT_TLS', 'TLS failed', options);
  return new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection broke', options);
}
