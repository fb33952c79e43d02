export {
  ACCESS_KEY_CHARACTERS,
  accessKeySalt,
  assistedAccessKey,
  formatAccessKey,
  generateAccessKey,
  nocHash,
  nocVerifier,
  normalizeAccessKey,
  requireAccessKey,
  setUpPsk,
  typedAccessKeyStretch,
} from './access-key.ts';
export {
  type ActivationKeys,
  activationIdentities,
  activationKeys,
  activationTranscript,
  possessionChallenge,
  wipeActivationKeys,
} from './activation-schedule.ts';
export {
  ACTIVATION_SALT_BYTES,
  type ActivationIdentity,
  fakeSalt,
  fakeVerifier,
  generateActivationPassword,
  passwordBytes,
  passwordStretch,
  qrSecretBytes,
  requireScryptCost,
  STRETCHED_BYTES,
  stretchQrSecret,
  verifierFromStretched,
  witnessFromStretched,
} from './activation-secret.ts';
export { appDocumentHash } from './app-documents.ts';
export { AUTH_TOKEN_VERSION, type AuthTokenKeys, type AuthTokenOwner, authTokenOwner, openAuthToken, sealAuthToken } from './auth-token.ts';
export { HANDSHAKES, type HandshakeInstance, MAC_BYTES, SIGNATURE_BYTES, type StartField } from './handshake-instances.ts';
export {
  type ChannelBinding,
  type DirectPrologue,
  type LinkPrologue,
  type LocalPrologue,
  type PrologueInputs,
  type ProxyPrologue,
  platformId,
  prologueParts,
  type SetUpPrologue,
} from './handshake-prologue.ts';
export {
  createHandshakeSchedule,
  type EphemeralKeys,
  type HandshakeSchedule,
  type HandshakeSecrets,
  type InitiatorSecrets,
  ipcSignatureText,
  type ResponderSecrets,
} from './handshake-schedule.ts';
export { type HandshakeKeys, wipeHandshakeKeys } from './handshake-secrets.ts';
export { deriveSecret, extract, NO_CONTEXT, requireLiveSecret, ZERO_32 } from './kdf.ts';
export { HASH_LABELS, type HandshakeLabel, type HashLabel, LABEL_PREFIX, labelBytes, SECRET_LABELS, type SecretLabel } from './labels.ts';
export { type NocToken, openNocToken, sealNocToken, TOKEN_BYTES } from './noc-token.ts';
export { isSameSpace, type PlatformIdParts, platformIdParts } from './platform-id.ts';
export { gatewayTunnelKey, proxyPsk, type TunnelSignal, tunnelPsk, tunnelPskIdentity } from './proxy-keys.ts';
export { PUBLIC_KEY_BYTES, requireUncompressedPoint } from './public-key.ts';
export { newPushChannel, openPush, openPushToken, type PushChannelKeys, pushToken, sealPush } from './push-channel.ts';
export { randomScalar, reduceToScalar } from './scalar.ts';
export { servicePsk } from './service-keys.ts';
export {
  proverSecrets,
  proverShare,
  SPAKE2_M,
  SPAKE2_N,
  type Spake2Identities,
  type Spake2Secrets,
  type Spake2Shares,
  type Spake2Verifier,
  type Spake2Witness,
  verifierSecrets,
  verifierShare,
} from './spake2plus.ts';
export { DEFAULT_SCRYPT_COST, type StretchRequest } from './stretch.ts';
export { mix, startTranscript } from './transcript.ts';
export { canonicalUserId, requireCanonicalUserId, userIdHash } from './user-id.ts';
