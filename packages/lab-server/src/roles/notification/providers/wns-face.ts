import { toHex } from '@uemkit/protocol';
import type { WnsAccount } from '../push-accounts.ts';
import type { Submitted } from '../push-core.ts';
import { type AccessTokens, bearerOf } from './access-tokens.ts';
import type { Checked, FaceAnswer, FaceOptions, ProviderFace, ProviderFault, ProviderRequest } from './provider.ts';

/** Body of a notification. */
export const MAX_WNS_PAYLOAD_BYTES = 5_000;
/** What a notification that is kept may ask for; WNS keeps nothing for longer than three days unless it is told. */
const KEPT_MS = 3 * 86_400_000;
const MAX_TTL_S = 2_592_000;

const TYPES: Readonly<Record<string, string>> = {
  'wns/badge': 'text/xml',
  'wns/tile': 'text/xml',
  'wns/toast': 'text/xml',
  'wns/raw': 'application/octet-stream',
};

/** Provider API of WNS: `POST` to the channel URI of a device (docs/protocol/10-push.md, 10.8). */
export function createWnsFace(
  options: FaceOptions & { readonly accounts: readonly WnsAccount[]; readonly accessTokens: AccessTokens; readonly channelOrigin: string },
): ProviderFace {
  const { core, accounts, accessTokens, channelOrigin, nowMs } = options;

  const answer = (status: number, headers: Readonly<Record<string, string>> = {}, told = `${status}`): FaceAnswer => ({
    response: { status, headers: { 'x-wns-msg-id': toHex(options.randomBytes(8)).toUpperCase(), ...headers }, body: '' },
    told,
  });
  const refuse = (status: number, description: string, headers: Readonly<Record<string, string>> = {}): FaceAnswer => ({
    ...answer(status, { 'x-wns-error-description': description, ...headers }),
    reason: description,
  });

  /** The package that an access token is for, or that it has run out. */
  const senderOf = ({ headers }: ProviderRequest, fault: ProviderFault | undefined): { readonly sid: string } | 'expired' | 'wrong' => {
    const token = bearerOf(headers['authorization']);
    if (token === undefined) return 'wrong';
    for (const { packageSid } of accounts) {
      const state = accessTokens.check('wns', packageSid, token);
      if (state === 'valid' && fault !== 'expireAccess') return { sid: packageSid };
      if (state !== 'wrong') return 'expired';
    }
    return 'wrong';
  };

  const wrongHeader = ({ headers }: ProviderRequest): string | undefined => {
    const type = headers['x-wns-type'] ?? '';
    const ttl = headers['x-wns-ttl'];
    if (!Object.hasOwn(TYPES, type)) return 'X-WNS-Type is missing or unknown';
    if ((headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() !== TYPES[type]) return `Content-Type of ${type} is ${TYPES[type]}`;
    if (!['cache', 'no-cache', undefined].includes(headers['x-wns-cache-policy'])) return 'X-WNS-Cache-Policy is cache or no-cache';
    return ttl !== undefined && !(/^\d{1,9}$/.test(ttl) && Number(ttl) > 0 && Number(ttl) <= MAX_TTL_S) ? 'X-WNS-TTL is out of range' : undefined;
  };

  const told = (request: ProviderRequest, status: 'received' | 'dropped' | 'channelthrottled', connected: boolean): FaceAnswer => {
    const asked = request.headers['x-wns-requestforstatus'] === 'true';
    const connection: Record<string, string> = asked ? { 'x-wns-deviceconnectionstatus': connected ? 'connected' : 'disconnected' } : {};
    return answer(200, { 'x-wns-notificationstatus': status, 'x-wns-status': status, ...connection }, `200 ${status}`);
  };

  const submitted = (request: ProviderRequest, how: Submitted): FaceAnswer => ({
    ...told(request, how === 'dropped' ? 'dropped' : 'received', how === 'delivered'),
    told: `200 ${how}`,
  });

  const handle = (request: ProviderRequest, fault: ProviderFault | undefined): Checked => {
    if (request.method !== 'POST' && request.method !== 'DELETE') return refuse(405, 'only POST and DELETE', { allow: 'POST, DELETE' });
    const sender = senderOf(request, fault);
    if (typeof sender === 'string') {
      const description = sender === 'expired' ? 'The token has expired' : 'The token is invalid';
      return refuse(401, description, { 'www-authenticate': `Bearer error="invalid_token", error_description="${description}"` });
    }
    const address = `${channelOrigin}${request.target}`;
    const token = core.find('wns', address);
    if (token.state === 'in force' && fault === 'expire') return { endsKey: token.key };
    if (token.state === 'unknown') return refuse(404, 'The channel URI is not known');
    if (token.application !== sender.sid) return refuse(403, 'The channel is not one of this package');
    if (token.state === 'gone') return refuse(410, 'The channel has expired');
    if (request.method === 'DELETE') return { endsKey: token.key, answer: answer(200, {}, '200 ended') };
    const header = wrongHeader(request);
    if (header !== undefined) return refuse(400, header);
    if (request.body.length > MAX_WNS_PAYLOAD_BYTES) return refuse(413, 'The payload is over 5000 bytes');
    const over = fault === 'throttle' ? 'device' : core.throttled(token.key, sender.sid);
    if (over === 'sender') return refuse(406, 'The throttle limit is exceeded', { 'retry-after': '60' });
    if (over === 'device') return told(request, 'channelthrottled', true);
    const { headers } = request;
    // Tiles and badges are kept unless the sender says no, toasts and raw ones only if it says yes.
    const kept = headers['x-wns-cache-policy'] ?? (['wns/tile', 'wns/badge'].includes(headers['x-wns-type'] as string) ? 'cache' : 'no-cache');
    const lifeMs = headers['x-wns-ttl'] === undefined ? KEPT_MS : Number(headers['x-wns-ttl']) * 1_000;
    const expiresAtMs = kept === 'cache' ? nowMs() + lifeMs : undefined;
    // Ours: a raw notification of 16 bytes names its wake-up, so that its way can be followed.
    const wakeUpId = request.body.length === 16 ? request.body : options.randomBytes(16);
    return {
      submission: { key: token.key, wakeUpId, keep: { kind: 'newest' }, expiresAtMs },
      answer: (how) => ({ ...submitted(request, how), wakeUpId }),
    };
  };

  return {
    service: 'wns',
    request: 'notification',
    takes: (path) => path === '/',
    handle,
    refuse(why) {
      if (why === 'tooLarge') return refuse(413, 'The payload is over 5000 bytes');
      return why === 'unavailable' ? refuse(503, 'The service is unavailable', { 'retry-after': '1' }) : refuse(500, 'An internal failure');
    },
  };
}
