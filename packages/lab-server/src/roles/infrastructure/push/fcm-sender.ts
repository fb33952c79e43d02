import { type Clock, type CryptoProvider, toBase64url, toHex, utf8 } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { readPrivateKeyPem } from '../../../data/pem.ts';
import { createAccessCache } from './access-cache.ts';
import type { PushCredentials } from './push-credentials.ts';
import { jsonOf, type ProviderAnswer, type ProviderWire, type PushSender } from './push-sender.ts';

const TOKEN_TARGET = '/token';
const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const ASSERTION_LIFE_S = 3_600;
/** All wake-ups of a device say the same, so the newest stands for all. */
const COLLAPSE_KEY = 'uem';
const LONGEST_LIFE_S = 2_419_200;

/** Sends through FCM v1: a data message without content that means anything, with an access token for the project. */
export function createFcmSender(options: {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly provider: ProviderWire;
  /** Origin of the token endpoint. */
  readonly origin: string;
  readonly credentials: PushCredentials['fcm'];
}): PushSender {
  const { clock, crypto, provider, origin, credentials } = options;
  const { projectId, clientEmail, keyId, key } = credentials;
  const { scalar } = readPrivateKeyPem(key);

  const assertion = (): string => {
    const iat = Math.floor(clock.nowMs() / 1_000);
    const claims = { iss: clientEmail, scope: SCOPE, aud: `${origin}${TOKEN_TARGET}`, iat, exp: iat + ASSERTION_LIFE_S };
    const signed = [{ alg: 'ES256', typ: 'JWT', kid: keyId }, claims].map((part) => toBase64url(utf8(JSON.stringify(part)))).join('.');
    return `${signed}.${toBase64url(crypto.p256Sign(scalar, utf8(signed)))}`;
  };

  const access = createAccessCache({
    clock,
    ask() {
      const form = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: assertion() });
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return provider.request({ method: 'POST', target: TOKEN_TARGET, headers, body: form.toString() });
    },
  });

  return {
    async send({ address, wakeUpId, expiresAtEpochS }) {
      const lifeS = Math.min(Math.max(0, expiresAtEpochS - Math.floor(clock.nowMs() / 1_000)), LONGEST_LIFE_S);
      const message = {
        token: address,
        data: { wakeUp: toHex(wakeUpId) },
        android: { priority: 'HIGH', ttl: `${lifeS}s`, collapse_key: COLLAPSE_KEY },
      };
      const answer = await access.request(provider, {
        method: 'POST',
        target: `/v1/projects/${projectId}/messages:send`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ message }),
      });
      const code = errorCodeOf(answer);
      return { status: statusOf(answer.status, code), told: code === undefined ? `${answer.status}` : `${answer.status} ${code}` };
    },
  };
}

function statusOf(status: number, code: string | undefined): wire.NotifyStatus {
  if (status === 200) return 'accepted';
  if (code === 'UNREGISTERED' || code === 'SENDER_ID_MISMATCH' || code === 'INVALID_ARGUMENT') return 'unregistered';
  return status === 429 ? 'throttled' : 'unavailable';
}

/** `errorCode` of the FcmError in the details, or the canonical code. */
function errorCodeOf(answer: ProviderAnswer): string | undefined {
  const { error } = jsonOf(answer) as { readonly error?: { readonly status?: unknown; readonly details?: unknown } };
  if (typeof error !== 'object' || error === null) return undefined;
  const details: readonly unknown[] = Array.isArray(error.details) ? error.details : [];
  const [code = error.status] = details.flatMap((detail) => (detail as { readonly errorCode?: unknown } | null)?.errorCode ?? []);
  return typeof code === 'string' ? code.slice(0, 60) : undefined;
}
