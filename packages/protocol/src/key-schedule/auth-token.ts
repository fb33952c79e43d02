import { concatBytes, lp, utf8 } from '../bytes/bytes.ts';
import { type SecretBytes, wipe } from '../bytes/secret.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { type AuthTokenClaims, authTokenClaims } from '../wire/auth-token.ts';
import { parseFrame } from '../wire/frame.ts';
import { LIMITS } from '../wire/limits.ts';
import { deriveSecret } from './kdf.ts';
import { HASH_LABELS, labelBytes, SECRET_LABELS } from './labels.ts';

/*
 * offset size field
 * 0      1    version, 1
 * 1      16   sessionKeyId
 * 17     16   instanceId
 * 33     16   iv, random
 * 49     16n  ciphertext of authTokenClaims, whole frame
 * end    32   tag
 */
/** Version of auth tokens. */
export const AUTH_TOKEN_VERSION = 1;
const HEAD_BYTES = 33;
const IV_BYTES = 16;
const TAG_BYTES = 32;

/** Whose token it is: what is read before there is a key. */
export interface AuthTokenOwner {
  readonly sessionKeyId: Uint8Array;
  readonly instanceId: Uint8Array;
}

/** The key of an app for its auth tokens, which UEM has too, and nobody else. */
export interface AuthTokenKeys extends AuthTokenOwner {
  readonly masterSessionKey: SecretBytes<'master-session'>;
  readonly tenantId: string;
}

/** Makes a token; done by the app. `iv`: 16 random bytes. @throws ProtocolError `ERR_WIRE_*` for claims that fit no token */
export function sealAuthToken(crypto: CryptoProvider, keys: AuthTokenKeys, claims: AuthTokenClaims, iv: Uint8Array): Uint8Array {
  if (keys.sessionKeyId.length !== 16 || keys.instanceId.length !== 16 || iv.length !== IV_BYTES) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'id of session key or instance, or iv, has another length');
  }
  const head = concatBytes(Uint8Array.of(AUTH_TOKEN_VERSION), keys.sessionKeyId, keys.instanceId);
  const plaintext = authTokenClaims.encode(claims);
  const sealed = withKey(crypto, keys, (cbc) => cbc.seal(iv, associated(head), plaintext));
  return concatBytes(head, iv, sealed.ciphertext, sealed.tag);
}

/** Which keys a token needs; it has proved nothing yet. @throws ProtocolError `ERR_REJECTED_CREDENTIALS` for what is no token */
export function authTokenOwner(token: Uint8Array): AuthTokenOwner {
  // check: form of an auth token; what is too short has no tag that fits
  if (token[0] !== AUTH_TOKEN_VERSION || token.length > LIMITS.authTokenBytes) throw refused();
  return { sessionKeyId: token.slice(1, 17), instanceId: token.slice(17, HEAD_BYTES) };
}

/**
 * Opens a token; done by UEM, with the keys of its owner. Dates are the caller's to check.
 * @throws ProtocolError `ERR_REJECTED_CREDENTIALS`, one error for every token that this app has not made, or not for this tenant
 */
export function openAuthToken(crypto: CryptoProvider, keys: AuthTokenKeys, token: Uint8Array): AuthTokenClaims {
  const { sessionKeyId, instanceId } = authTokenOwner(token);
  // check: the owner of an auth token
  if (!crypto.equal(sessionKeyId, keys.sessionKeyId) || !crypto.equal(instanceId, keys.instanceId)) throw refused();
  const [head, iv] = [token.subarray(0, HEAD_BYTES), token.subarray(HEAD_BYTES, HEAD_BYTES + IV_BYTES)];
  const [ciphertext, tag] = [token.subarray(HEAD_BYTES + IV_BYTES, token.length - TAG_BYTES), token.subarray(token.length - TAG_BYTES)];
  return withKey(crypto, keys, (cbc) => {
    try {
      return authTokenClaims.decode(parseFrame(cbc.open(iv, associated(head), ciphertext, tag)));
    } catch {
      throw refused();
    }
  });
}

function associated(head: Uint8Array): Uint8Array {
  return concatBytes(lp(labelBytes(HASH_LABELS.authToken)), lp(head));
}

/** K_auth is there for one token. */
function withKey<T>(crypto: CryptoProvider, { masterSessionKey, tenantId }: AuthTokenKeys, use: (cbc: ReturnType<CryptoProvider['cbcHs512']>) => T): T {
  const key = deriveSecret<'auth-token'>(crypto, masterSessionKey, SECRET_LABELS.authToken, crypto.sha256(lp(utf8(tenantId))), 64);
  const cbc = crypto.cbcHs512(key);
  try {
    return use(cbc);
  } finally {
    cbc.wipe();
    wipe(key);
  }
}

function refused(): ProtocolError {
  return new ProtocolError('ERR_REJECTED_CREDENTIALS', 'the auth token is not valid');
}
