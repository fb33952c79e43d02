/** Who is to blame for an error. */
export type ErrorKind = 'local' | 'wire' | 'peer' | 'crypto' | 'rejected' | 'transport' | 'bug';

/**
 * What a caller may do about an error.
 * `never`: the same call fails again. `backoff`: try again later. `reconnect`: open a new connection or session first.
 * `reactivate`: the device needs new credentials.
 */
export type RetryClass = 'never' | 'backoff' | 'reconnect' | 'reactivate';

/** One row of the error table. */
export interface ErrorCodeEntry {
  readonly kind: ErrorKind;
  readonly retry: RetryClass;
}

/** Every code that this project raises; the contract is the code, not the message. `docs/errors.md` is made from this table. */
export type ErrorCode =
  | 'ERR_USAGE_ARGUMENT'
  | 'ERR_USAGE_STATE'
  | 'ERR_WIRE_TRUNCATED'
  | 'ERR_WIRE_LENGTH'
  | 'ERR_WIRE_TRAILING'
  | 'ERR_WIRE_TYPE'
  | 'ERR_WIRE_VERSION'
  | 'ERR_WIRE_LIMIT'
  | 'ERR_WIRE_CANONICAL'
  | 'ERR_WIRE_FIELD'
  | 'ERR_PEER_UNEXPECTED'
  | 'ERR_PEER_REPLAY'
  | 'ERR_PEER_MISMATCH'
  | 'ERR_PEER_TIMEOUT'
  | 'ERR_PEER_ALERT'
  | 'ERR_PEER_OTHER_DEVICE'
  | 'ERR_CRYPTO_OPEN'
  | 'ERR_CRYPTO_KEY_CONFIRMATION'
  | 'ERR_CRYPTO_PUBLIC_KEY'
  | 'ERR_CRYPTO_SIGNATURE'
  | 'ERR_CRYPTO_EXHAUSTED'
  | 'ERR_CERTIFICATE_FORMAT'
  | 'ERR_CERTIFICATE_CHAIN'
  | 'ERR_CERTIFICATE_VALIDITY'
  | 'ERR_REJECTED_CREDENTIALS'
  | 'ERR_REJECTED_EXPIRED'
  | 'ERR_REJECTED_REVOKED'
  | 'ERR_REJECTED_UNKNOWN'
  | 'ERR_REJECTED_BUSY'
  | 'ERR_REJECTED_ACTIVATION'
  | 'ERR_REJECTED_CONSENT'
  | 'ERR_TRANSPORT_CONNECT'
  | 'ERR_TRANSPORT_TLS'
  | 'ERR_TRANSPORT_CLOSED'
  | 'ERR_TRANSPORT_HTTP'
  | 'ERR_TRANSPORT_TIMEOUT'
  | 'ERR_CONNECTION_NOC'
  | 'ERR_CONNECTION_LINK'
  | 'ERR_CONNECTION_PROXY'
  | 'ERR_CONNECTION_TARGET'
  | 'ERR_CONNECTION_DENIED'
  | 'ERR_CONNECTION_LOST'
  | 'ERR_CONNECTION_UNSUPPORTED'
  | 'ERR_DEVICE_CONFIGURATION'
  | 'ERR_DEVICE_CONSENT'
  | 'ERR_APP_NOT_AUTHORIZED'
  | 'ERR_APP_LOCKED'
  | 'ERR_APP_WIPED'
  | 'ERR_STORE_READ'
  | 'ERR_STORE_WRITE'
  | 'ERR_STORE_VERSION'
  | 'ERR_INTERNAL';

export const ERROR_CODES: Readonly<Record<ErrorCode, ErrorCodeEntry>> = {
  ERR_USAGE_ARGUMENT: { kind: 'local', retry: 'never' },
  ERR_USAGE_STATE: { kind: 'local', retry: 'never' },
  ERR_WIRE_TRUNCATED: { kind: 'wire', retry: 'never' },
  ERR_WIRE_LENGTH: { kind: 'wire', retry: 'never' },
  ERR_WIRE_TRAILING: { kind: 'wire', retry: 'never' },
  ERR_WIRE_TYPE: { kind: 'wire', retry: 'never' },
  ERR_WIRE_VERSION: { kind: 'wire', retry: 'never' },
  ERR_WIRE_LIMIT: { kind: 'wire', retry: 'never' },
  ERR_WIRE_CANONICAL: { kind: 'wire', retry: 'never' },
  ERR_WIRE_FIELD: { kind: 'wire', retry: 'never' },
  ERR_PEER_UNEXPECTED: { kind: 'peer', retry: 'reconnect' },
  ERR_PEER_REPLAY: { kind: 'peer', retry: 'reconnect' },
  ERR_PEER_MISMATCH: { kind: 'peer', retry: 'reconnect' },
  ERR_PEER_TIMEOUT: { kind: 'peer', retry: 'reconnect' },
  ERR_PEER_ALERT: { kind: 'peer', retry: 'reconnect' },
  ERR_PEER_OTHER_DEVICE: { kind: 'peer', retry: 'never' },
  ERR_CRYPTO_OPEN: { kind: 'crypto', retry: 'reconnect' },
  ERR_CRYPTO_KEY_CONFIRMATION: { kind: 'crypto', retry: 'never' },
  ERR_CRYPTO_PUBLIC_KEY: { kind: 'crypto', retry: 'never' },
  ERR_CRYPTO_SIGNATURE: { kind: 'crypto', retry: 'never' },
  ERR_CRYPTO_EXHAUSTED: { kind: 'crypto', retry: 'reconnect' },
  ERR_CERTIFICATE_FORMAT: { kind: 'crypto', retry: 'never' },
  ERR_CERTIFICATE_CHAIN: { kind: 'crypto', retry: 'never' },
  ERR_CERTIFICATE_VALIDITY: { kind: 'crypto', retry: 'never' },
  ERR_REJECTED_CREDENTIALS: { kind: 'rejected', retry: 'reactivate' },
  ERR_REJECTED_EXPIRED: { kind: 'rejected', retry: 'reactivate' },
  ERR_REJECTED_REVOKED: { kind: 'rejected', retry: 'reactivate' },
  ERR_REJECTED_UNKNOWN: { kind: 'rejected', retry: 'reactivate' },
  ERR_REJECTED_BUSY: { kind: 'rejected', retry: 'backoff' },
  ERR_REJECTED_ACTIVATION: { kind: 'rejected', retry: 'never' },
  ERR_REJECTED_CONSENT: { kind: 'rejected', retry: 'never' },
  ERR_TRANSPORT_CONNECT: { kind: 'transport', retry: 'backoff' },
  ERR_TRANSPORT_TLS: { kind: 'transport', retry: 'backoff' },
  ERR_TRANSPORT_CLOSED: { kind: 'transport', retry: 'backoff' },
  ERR_TRANSPORT_HTTP: { kind: 'transport', retry: 'backoff' },
  ERR_TRANSPORT_TIMEOUT: { kind: 'transport', retry: 'backoff' },
  ERR_CONNECTION_NOC: { kind: 'transport', retry: 'backoff' },
  ERR_CONNECTION_LINK: { kind: 'rejected', retry: 'backoff' },
  ERR_CONNECTION_PROXY: { kind: 'transport', retry: 'backoff' },
  ERR_CONNECTION_TARGET: { kind: 'transport', retry: 'backoff' },
  ERR_CONNECTION_DENIED: { kind: 'local', retry: 'never' },
  ERR_CONNECTION_LOST: { kind: 'transport', retry: 'reconnect' },
  ERR_CONNECTION_UNSUPPORTED: { kind: 'local', retry: 'never' },
  ERR_DEVICE_CONFIGURATION: { kind: 'local', retry: 'reactivate' },
  ERR_DEVICE_CONSENT: { kind: 'local', retry: 'never' },
  ERR_APP_NOT_AUTHORIZED: { kind: 'local', retry: 'never' },
  ERR_APP_LOCKED: { kind: 'local', retry: 'never' },
  ERR_APP_WIPED: { kind: 'local', retry: 'never' },
  ERR_STORE_READ: { kind: 'local', retry: 'never' },
  ERR_STORE_WRITE: { kind: 'local', retry: 'backoff' },
  ERR_STORE_VERSION: { kind: 'local', retry: 'never' },
  ERR_INTERNAL: { kind: 'bug', retry: 'never' },
};
