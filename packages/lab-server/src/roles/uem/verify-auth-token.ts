import { type CryptoProvider, isProtocolError, keySchedule, secret, wipe } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { TenantRecord } from '../../state/tenants.ts';
import type { ReadView } from '../../store/lab-store.ts';
import { knownApp } from './known-app.ts';

/** A token that is valid, and whose it is. */
interface VerifiedToken {
  readonly response: wire.AuthTokenResponse;
  readonly deviceId: string | undefined;
}

const { authTokenAgeMs, authTokenAheadMs } = wire.LIMITS;

/** Whose auth token this is, or why it is nobody's, for the journal alone (docs/protocol/13-services-of-the-proxy.md, 13.2). */
export function verifyAuthToken(
  { crypto, tenant: { tenantId } }: { readonly crypto: CryptoProvider; readonly tenant: TenantRecord },
  view: ReadView,
  { token, server, challenge }: wire.AuthTokenRequest,
  nowMs: number,
): VerifiedToken | { readonly refused: string } {
  try {
    const owner = keySchedule.authTokenOwner(token);
    const known = knownApp(view, owner, nowMs);
    if ('refused' in known) return known;
    const { app, user } = known;
    const masterSessionKey = secret<'master-session'>(app.masterSessionKey.slice());
    let claims: wire.AuthTokenClaims;
    try {
      claims = keySchedule.openAuthToken(crypto, { ...owner, masterSessionKey, tenantId }, token);
    } finally {
      wipe(masterSessionKey);
    }
    const ageMs = nowMs - claims.createdAtEpochS * 1_000;
    // check: age of an auth token
    if (ageMs >= authTokenAgeMs) return { refused: 'the token is too old' };
    // check: an auth token of the future
    if (ageMs < -authTokenAheadMs) return { refused: 'the clock of the app is ahead' };
    // check: server of an auth token
    if (server !== undefined && hostName(server) !== hostName(claims.server)) return { refused: 'the token is for another server' };
    // check: challenge of an auth token
    if (challenge !== undefined && challenge !== claims.challenge) return { refused: 'the token has another challenge' };
    const { userId } = user;
    return { response: { userId, appId: app.appId, instanceId: owner.instanceId, ...claims }, deviceId: app.deviceId };
  } catch (error) {
    if (isProtocolError(error) && error.code === 'ERR_REJECTED_CREDENTIALS') return { refused: error.message };
    throw error;
  }
}

function hostName(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}
