import { toHex } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import type { PushCredentials } from './push-credentials.ts';
import { jsonOf, type ProviderWire, type PushSender } from './push-sender.ts';

/** Sends through the push service for BlackBerry 10. */
export function createBb10Sender(options: { readonly provider: ProviderWire; readonly credentials: PushCredentials['bb10'] }): PushSender {
  const { provider, credentials } = options;
  const authorization = `Basic ${Buffer.from(`${credentials.applicationId}:${credentials.password}`).toString('base64')}`;
  return {
    async send({ address, wakeUpId, expiresAtEpochS }) {
      const answer = await provider.request({
        method: 'POST',
        target: '/bb10/1/pushes',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ address, pushId: toHex(wakeUpId), ...(expiresAtEpochS === 0 ? {} : { deliverBefore: expiresAtEpochS }) }),
      });
      const { state, code } = jsonOf(answer);
      return { status: statusOf(answer.status, state), told: `${answer.status} ${String(code ?? state ?? '').slice(0, 60)}`.trim() };
    },
  };
}

function statusOf(status: number, state: unknown): wire.NotifyStatus {
  if (status === 202) return state === 'dropped' ? 'dropped' : 'accepted';
  if (status === 404 || status === 410) return 'unregistered';
  return status === 429 ? 'throttled' : 'unavailable';
}
