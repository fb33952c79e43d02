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
  /** One sentence for `docs/errors.md`: what happened and what to do. */
  readonly summary: string;
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
  | 'ERR_TRANSPORT_CONNECT'
  | 'ERR_TRANSPORT_TLS'
  | 'ERR_TRANSPORT_CLOSED'
  | 'ERR_TRANSPORT_HTTP'
  | 'ERR_TRANSPORT_TIMEOUT'
  | 'ERR_DEVICE_CONFIGURATION'
  | 'ERR_DEVICE_CONSENT'
  | 'ERR_STORE_READ'
  | 'ERR_STORE_WRITE'
  | 'ERR_STORE_VERSION'
  | 'ERR_INTERNAL';

export const ERROR_CODES: Readonly<Record<ErrorCode, ErrorCodeEntry>> = {
  ERR_USAGE_ARGUMENT: { kind: 'local', retry: 'never', summary: 'An argument of the caller is not usable; nothing was sent. Correct the call.' },
  ERR_USAGE_STATE: { kind: 'local', retry: 'never', summary: 'The call does not fit the state of the object, for example a poll before activation.' },
  ERR_WIRE_TRUNCATED: { kind: 'wire', retry: 'never', summary: 'The bytes end before the structure that they announce.' },
  ERR_WIRE_LENGTH: { kind: 'wire', retry: 'never', summary: 'A length or count differs from what the field allows.' },
  ERR_WIRE_TRAILING: { kind: 'wire', retry: 'never', summary: 'Bytes follow after the end of the structure.' },
  ERR_WIRE_TYPE: { kind: 'wire', retry: 'never', summary: 'A frame type or the type of a value is unknown or not allowed here.' },
  ERR_WIRE_VERSION: { kind: 'wire', retry: 'never', summary: 'The frame has another protocol version or reserved flags.' },
  ERR_WIRE_LIMIT: { kind: 'wire', retry: 'never', summary: 'A size, depth or count is over the limit of docs/limits.md.' },
  ERR_WIRE_CANONICAL: {
    kind: 'wire',
    retry: 'never',
    summary: 'The encoding is not the deterministic one (RFC 8949, 4.2.1): keys out of order or twice, or not the shortest form.',
  },
  ERR_WIRE_FIELD: { kind: 'wire', retry: 'never', summary: 'A field is missing, unknown, or has a value that the message does not allow.' },
  ERR_PEER_UNEXPECTED: { kind: 'peer', retry: 'reconnect', summary: 'The peer sent a well-formed message that is not allowed in this state.' },
  ERR_PEER_REPLAY: { kind: 'peer', retry: 'reconnect', summary: 'The peer repeated something that may be used only once.' },
  ERR_PEER_MISMATCH: {
    kind: 'peer',
    retry: 'reconnect',
    summary: 'The answer names another version, suite, identity or object than the one that was asked for.',
  },
  ERR_PEER_TIMEOUT: { kind: 'peer', retry: 'reconnect', summary: 'The peer did not answer within the time limit of the exchange.' },
  ERR_PEER_ALERT: {
    kind: 'peer',
    retry: 'reconnect',
    summary: 'The peer ended the exchange with an alert; `details.alert` has its code. Unauthenticated, so only a hint.',
  },
  ERR_CRYPTO_OPEN: { kind: 'crypto', retry: 'reconnect', summary: 'A protected record could not be opened. There is deliberately no further reason.' },
  ERR_CRYPTO_KEY_CONFIRMATION: { kind: 'crypto', retry: 'never', summary: 'The peer does not hold the same secret, or somebody changed a message on the way.' },
  ERR_CRYPTO_PUBLIC_KEY: { kind: 'crypto', retry: 'never', summary: 'A public key is not an uncompressed point of P-256, or is a reflected one.' },
  ERR_CRYPTO_SIGNATURE: { kind: 'crypto', retry: 'never', summary: 'A signature does not verify.' },
  ERR_CRYPTO_EXHAUSTED: {
    kind: 'crypto',
    retry: 'reconnect',
    summary: 'The keys of this connection have protected as many records as they may; make a new handshake.',
  },
  ERR_CERTIFICATE_FORMAT: { kind: 'crypto', retry: 'never', summary: 'A certificate or certificate request is not of the profile in docs/protocol.' },
  ERR_CERTIFICATE_CHAIN: { kind: 'crypto', retry: 'never', summary: 'A certificate does not lead to a trusted root, or is for another key or purpose.' },
  ERR_CERTIFICATE_VALIDITY: { kind: 'crypto', retry: 'never', summary: 'A certificate is expired or not valid yet; check the clock of the device.' },
  ERR_REJECTED_CREDENTIALS: {
    kind: 'rejected',
    retry: 'reactivate',
    summary:
      'The user name or the secret is wrong, expired, used up or unknown; the server does not say which. Ask the administrator for a new activation password.',
  },
  ERR_REJECTED_EXPIRED: { kind: 'rejected', retry: 'reactivate', summary: 'The certificate or credential is out of date.' },
  ERR_REJECTED_REVOKED: { kind: 'rejected', retry: 'reactivate', summary: 'The server has revoked this device.' },
  ERR_REJECTED_UNKNOWN: { kind: 'rejected', retry: 'reactivate', summary: 'The server does not know this device.' },
  ERR_REJECTED_BUSY: { kind: 'rejected', retry: 'backoff', summary: 'The server is overloaded or cannot store now; try again later.' },
  ERR_REJECTED_ACTIVATION: {
    kind: 'rejected',
    retry: 'never',
    summary:
      'The user and the secret are right, but the server does not activate this device; `details.reason` says why (docs/protocol/02-activation.md, 2.10). The secret is not used up: ask the administrator, then activate again with it.',
  },
  ERR_TRANSPORT_CONNECT: { kind: 'transport', retry: 'backoff', summary: 'No connection could be made. This says nothing about the peer.' },
  ERR_TRANSPORT_TLS: {
    kind: 'transport',
    retry: 'backoff',
    summary: 'TLS failed: the certificate of the server is not the one expected, or the server refused ours.',
  },
  ERR_TRANSPORT_CLOSED: { kind: 'transport', retry: 'backoff', summary: 'The connection closed before the answer was complete.' },
  ERR_TRANSPORT_HTTP: {
    kind: 'transport',
    retry: 'backoff',
    summary: 'The HTTP answer has a status or media type that the binding does not know; `details.status` has it.',
  },
  ERR_TRANSPORT_TIMEOUT: { kind: 'transport', retry: 'backoff', summary: 'No answer within the time limit of the transport.' },
  ERR_DEVICE_CONFIGURATION: {
    kind: 'local',
    retry: 'reactivate',
    summary: 'The device could not apply its configuration. The server was told, and there is no device; activate again when the cause is gone.',
  },
  ERR_DEVICE_CONSENT: {
    kind: 'local',
    retry: 'never',
    summary: 'The user did not agree to the notice of the organisation. The server was told and keeps nothing of the device; the secret is not used up.',
  },
  ERR_STORE_READ: { kind: 'local', retry: 'never', summary: 'Saved state could not be read or is damaged.' },
  ERR_STORE_WRITE: { kind: 'local', retry: 'backoff', summary: 'State could not be saved (disk full, read-only); nothing that depends on it was sent.' },
  ERR_STORE_VERSION: { kind: 'local', retry: 'never', summary: 'Saved state was written by a newer version.' },
  ERR_INTERNAL: { kind: 'bug', retry: 'never', summary: 'An invariant of this project does not hold. Please report it.' },
};
