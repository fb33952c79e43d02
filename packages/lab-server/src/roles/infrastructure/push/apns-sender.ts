import { type CryptoProvider, toHex, utf8 } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { jsonOf, type ProviderWire, type PushSender } from './push-sender.ts';

/** The token names no device of ours any more: it is forgotten, and the device brings another one. */
const GONE: readonly string[] = ['BadDeviceToken', 'DeviceTokenNotForTopic', 'ExpiredToken', 'Unregistered'];

/** Sends MDM pushes: the certificate of the connection says who sends, the body has nothing but the PushMagic. */
export function createApnsSender(options: { readonly provider: ProviderWire; readonly crypto: CryptoProvider; readonly topic: string }): PushSender {
  const { provider, crypto, topic } = options;
  return {
    async send({ address, wakeUpId, expiresAtEpochS }) {
      const answer = await provider.request({
        method: 'POST',
        target: `/3/device/${encodeURIComponent(address)}`,
        headers: {
          'apns-topic': topic,
          'apns-push-type': 'mdm',
          'apns-priority': '10',
          'apns-expiration': String(expiresAtEpochS),
          'apns-id': uuid(wakeUpId),
          'content-type': 'application/json',
        },
        body: JSON.stringify({ mdm: pushMagic(crypto, address) }),
        certificate: true,
      });
      const { reason } = jsonOf(answer);
      return { status: statusOf(answer.status, reason), told: typeof reason === 'string' ? `${answer.status} ${reason.slice(0, 60)}` : `${answer.status}` };
    },
  };
}

function statusOf(status: number, reason: unknown): wire.NotifyStatus {
  if (status === 200) return 'accepted';
  if (status === 410 || (status === 400 && GONE.includes(String(reason)))) return 'unregistered';
  return status === 429 ? 'throttled' : 'unavailable';
}

/** An MDM daemon gives its PushMagic to UEM when it is enrolled; a lab has no such message, so it follows from the token. */
function pushMagic(crypto: CryptoProvider, address: string): string {
  return uuid(crypto.sha256(utf8(`push magic ${address}`)).slice(0, 16)).toUpperCase();
}

function uuid(bytes: Uint8Array): string {
  const hex = toHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
