import type { Clock } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { createAccessCache } from './access-cache.ts';
import type { PushCredentials } from './push-credentials.ts';
import type { ProviderWire, PushSender } from './push-sender.ts';

const LONGEST_LIFE_S = 2_592_000;

/** Sends raw notifications through WNS, with an access token for the package. WNS is asked to keep them: by default it keeps no raw ones. */
export function createWnsSender(options: {
  readonly clock: Clock;
  readonly provider: ProviderWire;
  /** Where channels have to be. */
  readonly origin: string;
  readonly credentials: PushCredentials['wns'];
}): PushSender {
  const { clock, provider, origin, credentials } = options;
  const access = createAccessCache({
    clock,
    ask() {
      const { packageSid, clientSecret } = credentials;
      const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: packageSid, client_secret: clientSecret, scope: 'notify.windows.com' });
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return provider.request({ method: 'POST', target: '/accesstoken.srf', headers, body: form.toString() });
    },
  });
  return {
    async send({ address, wakeUpId, expiresAtEpochS }) {
      // A channel URI comes from a device, and the access token goes where it points: nowhere but to WNS.
      if (!address.startsWith(`${origin}/?`)) return { status: 'unregistered', told: 'not a channel of this service' };
      const lifeS = Math.min(expiresAtEpochS - Math.floor(clock.nowMs() / 1_000), LONGEST_LIFE_S);
      const kept: Record<string, string> = lifeS > 0 ? { 'x-wns-cache-policy': 'cache', 'x-wns-ttl': String(lifeS) } : { 'x-wns-cache-policy': 'no-cache' };
      const answer = await access.request(provider, {
        method: 'POST',
        target: address.slice(origin.length),
        headers: { 'x-wns-type': 'wns/raw', 'content-type': 'application/octet-stream', 'x-wns-requestforstatus': 'true', ...kept },
        body: wakeUpId,
      });
      const told = answer.headers['x-wns-status'];
      return { status: statusOf(answer.status, told), told: told === undefined ? `${answer.status}` : `${answer.status} ${told.slice(0, 60)}` };
    },
  };
}

function statusOf(status: number, told: string | undefined): wire.NotifyStatus {
  switch (status) {
    case 200:
      return told === 'channelthrottled' ? 'throttled' : told === 'dropped' ? 'dropped' : 'accepted';
    case 403:
    case 404:
    case 410:
      return 'unregistered';
    case 406:
      return 'throttled';
    default:
      return 'unavailable';
  }
}
