import {
  type AppActivationRecord,
  type Clock,
  type CryptoProvider,
  type Entropy,
  isProtocolError,
  keySchedule,
  ProtocolError,
  secret,
  toBase64url,
  wipe,
} from '@uemkit/protocol';

const IV_BYTES = 16;

/** An auth token as text, for `X-Good-GD-AuthToken` (docs/protocol/13-services-of-the-proxy.md, 13.1). @throws ProtocolError `ERR_USAGE_STATE`, `ERR_USAGE_ARGUMENT` */
export function makeAuthToken(
  { crypto, entropy, clock }: { readonly crypto: CryptoProvider; readonly entropy: Entropy; readonly clock: Clock },
  activated: AppActivationRecord | undefined,
  challenge: string,
  server: string,
): string {
  const { link, data, instanceId } = activated ?? {};
  if (link === undefined || data === undefined || instanceId === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'the app is not activated yet');
  const masterSessionKey = secret<'master-session'>(data.masterSessionKey.slice());
  const keys = { masterSessionKey, tenantId: link.tenantId, sessionKeyId: data.sessionKeyId, instanceId };
  const claims = { challenge, server, createdAtEpochS: Math.floor(clock.nowMs() / 1_000) };
  try {
    return toBase64url(keySchedule.sealAuthToken(crypto, keys, claims, entropy.randomBytes(IV_BYTES)));
  } catch (cause) {
    if (!isProtocolError(cause) || !cause.code.startsWith('ERR_WIRE_')) throw cause;
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'challenge: up to 255 printable characters of ASCII; server: a host name or IP address without a port', {
      cause,
    });
  } finally {
    wipe(masterSessionKey);
  }
}
