import { type CryptoProvider, fromHex, toHex, utf8 } from '@uemkit/protocol';
import type { Bb10Account } from '../push-accounts.ts';
import { type Checked, type FaceAnswer, type FaceOptions, objectOf, type ProviderFace, type ProviderFault, type ProviderRequest, pathOf } from './provider.ts';

/** Path of the push service for BlackBerry 10. */
export const BB10_PATH = '/bb10/1/pushes';
const LONGEST_LIFE_MS = 7 * 86_400_000;

/** The push service for BlackBerry 10, with a provider API of our own: `POST /bb10/1/pushes` (docs/protocol/10-push.md, 10.9). */
export function createBb10Face(options: FaceOptions & { readonly accounts: readonly Bb10Account[] }): ProviderFace {
  const { core, crypto, accounts, nowMs } = options;
  const answer = (status: number, body: object, told: string, headers: Readonly<Record<string, string>> = {}): FaceAnswer => ({
    response: { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) },
    told,
  });
  const refuse = (status: number, code: string, message: string, headers?: Readonly<Record<string, string>>): FaceAnswer => ({
    ...answer(status, { code, message }, `${status} ${code}`, headers),
    reason: message,
  });

  const handle = (request: ProviderRequest, fault: ProviderFault | undefined): Checked => {
    if (pathOf(request.target) !== BB10_PATH) return refuse(404, 'NOT_FOUND', 'there is no such path');
    if (request.method !== 'POST') return refuse(405, 'METHOD_NOT_ALLOWED', 'pushes are sent by POST', { allow: 'POST' });
    const account = fault === 'expireAccess' ? undefined : accountOf(crypto, accounts, request.headers['authorization']);
    if (account === undefined) return refuse(401, 'NOT_AUTHENTICATED', 'application id or password is wrong', { 'www-authenticate': 'Basic realm="push"' });
    const { address, deliverBefore, pushId, ...rest } = objectOf(request.body) ?? { '': 0 };
    if (typeof address !== 'string' || Object.keys(rest).length > 0 || !isTime(deliverBefore) || !isPushId(pushId)) {
      return refuse(400, 'BAD_REQUEST', 'the body is {address, deliverBefore?, pushId?}');
    }
    const token = core.find('bb10', address);
    if (token.state === 'in force' && fault === 'expire') return { endsKey: token.key };
    if (token.state === 'unknown' || token.application !== account.applicationId)
      return refuse(404, 'UNKNOWN_ADDRESS', 'no device of this application has this address');
    if (token.state === 'gone') return refuse(410, 'ADDRESS_ENDED', 'the device has another address now');
    if (fault === 'throttle' || core.throttled(token.key, account.applicationId) !== undefined) {
      return refuse(429, 'TOO_MANY_PUSHES', 'too many pushes in a minute', { 'retry-after': '60' });
    }
    const wakeUpId = pushId === undefined ? options.randomBytes(16) : fromHex(pushId);
    const beforeMs = deliverBefore === undefined ? undefined : deliverBefore * 1_000;
    const expiresAtMs = beforeMs === undefined || beforeMs <= nowMs() ? undefined : Math.min(beforeMs, nowMs() + LONGEST_LIFE_MS);
    return {
      submission: { key: token.key, wakeUpId, keep: { kind: 'newest' }, expiresAtMs },
      answer: (state) => ({ ...answer(202, { pushId: toHex(wakeUpId), state }, `202 ${state}`), wakeUpId }),
    };
  };

  return {
    service: 'bb10',
    request: 'push',
    takes: (path) => path.startsWith('/bb10/'),
    handle,
    refuse(why) {
      if (why === 'tooLarge') return refuse(413, 'TOO_LARGE', 'the request is too long');
      return why === 'unavailable' ? refuse(503, 'UNAVAILABLE', 'come again', { 'retry-after': '1' }) : refuse(500, 'INTERNAL', 'an error of the server');
    },
  };
}

/** Seconds since 1970, or left out. */
function isTime(value: unknown): value is number | undefined {
  return value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0);
}

/** 16 bytes in hexadecimal, or left out. */
function isPushId(value: unknown): value is string | undefined {
  return value === undefined || (typeof value === 'string' && /^[0-9a-f]{32}$/.test(value));
}

function accountOf(crypto: CryptoProvider, accounts: readonly Bb10Account[], header: string | undefined): Bb10Account | undefined {
  const pair = /^basic +([A-Za-z0-9+/=]{1,400})$/i.exec(header ?? '')?.[1];
  const [, applicationId = '', password = ''] = /^([^:]*):([\s\S]*)$/.exec(pair === undefined ? '' : Buffer.from(pair, 'base64').toString('utf8')) ?? [];
  const hash = crypto.sha256(utf8(password));
  return accounts.find((account) => account.applicationId === applicationId && crypto.equal(hash, fromHex(account.passwordHash)));
}
