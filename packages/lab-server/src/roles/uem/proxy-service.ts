import { keySchedule, secret, wipe, x509 } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { proxyDestinations } from '../../configuration/destinations.ts';
import { putProxy } from '../../state/proxies.ts';
import type { TenantRecord } from '../../state/tenants.ts';
import type { LinkGuard } from '../link-guard.ts';
import type { RoleContext, RoleRequest } from '../role.ts';
import { alerted, answered, busy, frameOf, malformed, outcomeOf } from '../role-answers.ts';
import { knownApp } from './known-app.ts';
import type { ServiceOutcome } from './service-outcome.ts';
import { verifyAuthToken } from './verify-auth-token.ts';

export interface ProxyServiceOptions extends Pick<RoleContext, 'clock' | 'crypto' | 'store'> {
  readonly guard: LinkGuard;
  readonly tenant: TenantRecord;
  /** The list of Proxies has changed; resolves when the NOC has heard of it or could not be reached. Never rejects. */
  changed(): Promise<void>;
}

/** What UEM does for Proxies (F10.3): takes them in its list, gives each its own keys of the apps that come to it, and tells whose an auth token is. */
export interface ProxyService {
  handle(request: RoleRequest): Promise<ServiceOutcome>;
}

export function createProxyService(options: ProxyServiceOptions): ProxyService {
  const { clock, crypto, store, guard, tenant, changed } = options;

  const register = async (frame: wire.Frame, proxyId: string, certificate: Uint8Array): Promise<ServiceOutcome> => {
    const { host, port, keyExchangeKey } = wire.registerProxy.decode(frame);
    const spkiPin = crypto.sha256(x509.publicKeyInfo(x509.readCertificate(certificate).publicKey));
    const record = { proxyId, host, port, keyExchangeKey, spkiPin, registeredAtMs: clock.nowMs() };
    const isTaken = await store.transaction((tx) => putProxy(tx, record));
    if (!isTaken) return { ...busy('too many Proxies', 60), step: 'F10.3' };
    await changed();
    return { ...answered(wire.acknowledgement, { ok: true }), step: 'F10.3' };
  };

  /** The id is that of the certificate: no Proxy gets the key of another one. */
  const key = (frame: wire.Frame, proxyId: string): ServiceOutcome => {
    const asked = wire.proxyKeyRequest.decode(frame);
    const nowMs = clock.nowMs();
    return store.read((view) => {
      const known = knownApp(view, asked, nowMs);
      if ('refused' in known) return { ...alerted('authFailed', known.refused), step: 'F10.3' };
      const { app, user } = known;
      const masterSessionKey = secret<'master-session'>(app.masterSessionKey.slice());
      const psk = keySchedule.proxyPsk(crypto, masterSessionKey, proxyId);
      const given = { key: psk, expiryEpochS: Math.floor(app.sessionKeyExpiresAtMs / 1_000), destinations: proxyDestinations(view, app) };
      const outcome = answered(wire.proxyKeyResponse, given);
      wipe(masterSessionKey, psk);
      return { ...outcome, step: 'F10.3', userId: user.userId, deviceId: app.deviceId };
    });
  };

  /** An application server has asked the Proxy (docs/protocol/13, 13.2). It hears the same for every token that is not valid; the journal says why. */
  const token = (frame: wire.Frame): ServiceOutcome => {
    const asked = wire.authTokenRequest.decode(frame);
    const verified = store.read((view) => verifyAuthToken({ crypto, tenant }, view, asked, clock.nowMs()));
    if ('refused' in verified) return { ...alerted('authFailed', verified.refused), step: 'F10.4' };
    const { response, deviceId } = verified;
    return { ...answered(wire.authTokenResponse, response), step: 'F10.4', userId: response.userId, deviceId };
  };

  return {
    async handle({ frame: bytes, peer }) {
      const proxy = guard.proxyOf(peer);
      if ('refused' in proxy) return { ...alerted('authFailed', proxy.refused), step: 'F10.3' };
      const frame = frameOf(bytes, wire.LIMITS.unauthenticatedBodyBytes);
      if (frame === undefined) return malformed('not a frame');
      try {
        if (frame.name === 'registerProxy') return await register(frame, proxy.proxyId, proxy.certificate);
        if (frame.name === 'proxyKeyRequest') return key(frame, proxy.proxyId);
        if (frame.name === 'authTokenRequest') return token(frame);
        return { ...alerted('badMessage', `${frame.name} does not belong here`), unknown: true };
      } catch (error) {
        return outcomeOf(error);
      }
    },
  };
}
