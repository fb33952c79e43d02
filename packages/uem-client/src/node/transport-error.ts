import { isProtocolError, ProtocolError } from '@uemkit/protocol';

const NO_CONNECTION = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EMFILE', 'EACCES']);
const TIMED_OUT = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
/** Codes of OpenSSL, of Node's TLS and of certificate verification. */
const TLS = /^(?:ERR_SSL|ERR_TLS|EPROTO$|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|HOSTNAME_MISMATCH|CRL_)/;

/** What a socket, TLS or HTTP error means to the client. It says nothing about the device: only an alert of UEM does. */
export function transportError(error: unknown): ProtocolError {
  if (isProtocolError(error)) return error;
  const code = codeOf(error);
  const details = code === '' ? {} : { cause: code };
  if (NO_CONNECTION.has(code)) return new ProtocolError('ERR_TRANSPORT_CONNECT', 'no connection', { cause: error, details });
  if (TIMED_OUT.has(code)) return new ProtocolError('ERR_TRANSPORT_TIMEOUT', 'no answer in time', { cause: error, details });
  if (TLS.test(code)) return new ProtocolError('ERR_TRANSPORT_TLS', 'TLS failed', { cause: error, details });
  if (code.startsWith('HPE_')) return new ProtocolError('ERR_TRANSPORT_HTTP', 'the answer is not HTTP', { cause: error, details });
  return new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection broke', { cause: error, details });
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : '';
}
