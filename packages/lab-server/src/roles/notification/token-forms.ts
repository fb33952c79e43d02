import { type Entropy, toBase64url, toHex } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';

/** A channel of WNS is in force for so long; the device gets another one earlier. */
export const CHANNEL_LIFE_MS: number = 30 * 86_400_000;
/** A device that comes back with a channel that ends within this time gets a new one. */
export const CHANNEL_RENEWAL_MS: number = 15 * 86_400_000;

/** How the addresses of one service look, and for how long one is in force. */
interface TokenForm {
  make(entropy: Entropy): string;
  /** False for text that can be no address of this service. */
  fits(address: string): boolean;
  readonly lifeMs?: number | undefined;
}

/**
 * The forms of all services: APNs has 32 bytes in hexadecimal, FCM a registration id (instance id, colon, opaque part), WNS a channel URI at `channelOrigin`,
 * which nobody but WNS can read, BlackBerry 10 (ours) a PIN and a secret.
 */
export function tokenForms(channelOrigin: string): Readonly<Record<wire.PushServiceName, TokenForm>> {
  return {
    apns: { make: (entropy) => toHex(entropy.randomBytes(32)), fits: (address) => /^[0-9a-f]{64}$/.test(address) },
    fcm: {
      make: (entropy) => `${toBase64url(entropy.randomBytes(16))}:APA91b${toBase64url(entropy.randomBytes(100))}`,
      fits: (address) => /^[\w-]{22}:APA91b[\w-]{134}$/.test(address),
    },
    wns: {
      make: (entropy) => `${channelOrigin}/?token=AwYAAA${toBase64url(entropy.randomBytes(45))}`,
      fits: (address) => address.startsWith(`${channelOrigin}/?token=AwYAAA`),
      lifeMs: CHANNEL_LIFE_MS,
    },
    bb10: {
      make: (entropy) => `${toHex(entropy.randomBytes(4)).toUpperCase()}-${toBase64url(entropy.randomBytes(16))}`,
      fits: (address) => /^[0-9A-F]{8}-[\w-]{22}$/.test(address),
    },
  };
}
