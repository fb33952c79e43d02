import { toHex } from '@uemkit/protocol';
import type { FcmAccount } from '../push-accounts.ts';
import { shortName } from '../push-core.ts';
import { type AccessTokens, bearerOf } from './access-tokens.ts';
import { readFcmMessage } from './fcm-message.ts';
import { googleAnswer, googleError } from './google-status.ts';
import { type Checked, type FaceAnswer, type FaceOptions, objectOf, type ProviderFace, type ProviderFault, type ProviderRequest, pathOf } from './provider.ts';

const PATH = /^\/v1\/projects\/([^/]{1,100})\/messages:send$/;
const RETRY_AFTER_S = '60';

const unauthenticated = (): FaceAnswer =>
  googleError({
    status: 'UNAUTHENTICATED',
    message: 'Request had invalid authentication credentials. Expected OAuth 2 access token.',
    headers: { 'www-authenticate': 'Bearer realm="https://accounts.google.com/", error="invalid_token"' },
  });

/** Provider API of FCM v1: `POST /v1/projects/<project>/messages:send` (docs/protocol/10-push.md, 10.7). */
export function createFcmFace(options: FaceOptions & { readonly accounts: readonly FcmAccount[]; readonly accessTokens: AccessTokens }): ProviderFace {
  const { core, crypto, accounts, accessTokens, nowMs } = options;

  /** The project that an access token is for. */
  const senderOf = (request: ProviderRequest, fault: ProviderFault | undefined): string | undefined => {
    const token = bearerOf(request.headers['authorization']);
    if (token === undefined || fault === 'expireAccess') return undefined;
    return accounts.find(({ projectId }) => accessTokens.check('fcm', projectId, token) === 'valid')?.projectId;
  };

  const handle = (request: ProviderRequest, fault: ProviderFault | undefined): Checked => {
    const project = PATH.exec(pathOf(request.target))?.[1];
    if (project === undefined || request.method !== 'POST') return googleError({ status: 'NOT_FOUND', message: 'Requested entity was not found.' });
    const sender = senderOf(request, fault);
    if (sender === undefined) return unauthenticated();
    if (sender !== project) return googleError({ status: 'PERMISSION_DENIED', message: `Permission 'cloudmessaging.messages.create' denied on project.` });
    const body = objectOf(request.body);
    const message = body === undefined ? { field: 'message', message: 'Invalid JSON payload received.' } : readFcmMessage(body);
    if ('field' in message) return invalid(message.message, message.field);
    const token = core.find('fcm', message.token);
    if (token.state === 'in force' && fault === 'expire') return { endsKey: token.key };
    if (!/^[\w-]{1,64}:[\w-]+$/.test(message.token)) return invalid('The registration token is not a valid FCM registration token', 'message.token');
    if (token.state === 'unknown') return unregistered();
    if (token.application !== sender) return googleError({ status: 'PERMISSION_DENIED', errorCode: 'SENDER_ID_MISMATCH', message: 'SenderId mismatch' });
    if (token.state === 'gone') return unregistered();
    if (fault === 'throttle' || core.throttled(token.key, sender) !== undefined) return quotaExceeded();
    const { lifeMs, collapseKey, validateOnly, wakeUpId = options.randomBytes(16) } = message;
    if (validateOnly) return googleAnswer({ name: `projects/${project}/messages/fake_message_id` }, '200 validated');
    const keep = collapseKey === undefined ? ({ kind: 'all' } as const) : ({ kind: 'collapse', collapseKey: shortName(crypto, collapseKey) } as const);
    return {
      submission: { key: token.key, wakeUpId, keep, expiresAtMs: lifeMs === 0 ? undefined : nowMs() + lifeMs },
      answer(how) {
        const name = `projects/${project}/messages/0:${nowMs()}000%${toHex(options.randomBytes(8))}`;
        return { ...googleAnswer({ name }, `200 ${how}`), wakeUpId };
      },
    };
  };

  return {
    service: 'fcm',
    request: 'messages:send',
    takes: (path) => path.startsWith('/v1/projects/'),
    handle,
    refuse(why) {
      if (why === 'tooLarge') return invalid('Request payload size exceeds the limit.', 'message');
      return why === 'unavailable'
        ? googleError({ status: 'UNAVAILABLE', errorCode: 'UNAVAILABLE', message: 'The service is currently unavailable.', headers: { 'retry-after': '1' } })
        : googleError({ status: 'INTERNAL', errorCode: 'INTERNAL', message: 'Internal error encountered.' });
    },
  };
}

function invalid(message: string, field: string): FaceAnswer {
  return googleError({ status: 'INVALID_ARGUMENT', errorCode: 'INVALID_ARGUMENT', message, field });
}

function unregistered(): FaceAnswer {
  return googleError({ status: 'NOT_FOUND', errorCode: 'UNREGISTERED', message: 'Requested entity was not found.' });
}

function quotaExceeded(): FaceAnswer {
  const headers = { 'retry-after': RETRY_AFTER_S };
  return googleError({ status: 'RESOURCE_EXHAUSTED', errorCode: 'QUOTA_EXCEEDED', message: 'Quota exceeded for the device.', headers });
}
