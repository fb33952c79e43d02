import { type CryptoProvider, fromHex, utf8 } from '@uemkit/protocol';
import type { FcmAccount, WnsAccount } from '../push-accounts.ts';
import type { AccessTokens } from './access-tokens.ts';
import { isSignedBy, readJsonWebToken } from './json-web-token.ts';
import { type FaceAnswer, type ProviderFace, type ProviderRequest, pathOf, textOf } from './provider.ts';

/** Paths of the two token endpoints. */
export const FCM_TOKEN_PATH = '/token';
export const WNS_TOKEN_PATH = '/accesstoken.srf';

/** Life of an access token, seconds. */
const FCM_TOKEN_LIFE_S = 3_599;
const WNS_TOKEN_LIFE_S = 86_400;
/** A JWT of a service account is good for at most an hour. */
const LONGEST_ASSERTION_S = 3_600;
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const SCOPES: readonly string[] = ['https://www.googleapis.com/auth/firebase.messaging', 'https://www.googleapis.com/auth/cloud-platform'];
/** What clients of the real service put into `aud`; they cannot be told another one. */
const GOOGLE_AUDIENCES: readonly string[] = ['https://oauth2.googleapis.com/token', 'https://www.googleapis.com/oauth2/v4/token'];

/** An answer of an OAuth 2.0 token endpoint (RFC 6749, section 5). */
function oauthAnswer(status: number, body: object, told: string): FaceAnswer {
  const headers = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };
  return { response: { status, headers, body: JSON.stringify(body) }, told };
}

function oauthError(error: string, description: string, status = 400): FaceAnswer {
  return { ...oauthAnswer(status, { error, error_description: description }, `${status} ${error}`), reason: description };
}

interface TokenFaceOptions {
  readonly accessTokens: AccessTokens;
  nowMs(): number;
}

/** The form of a token request; undefined when it is none. */
function formOf(request: ProviderRequest, path: string): URLSearchParams | FaceAnswer {
  if (pathOf(request.target) !== path || request.method !== 'POST') return oauthError('invalid_request', 'a token is asked for by POST', 405);
  const text = textOf(request.body);
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (text === undefined || type !== 'application/x-www-form-urlencoded') return oauthError('invalid_request', 'the body is no form');
  return new URLSearchParams(text);
}

function refuse(why: 'tooLarge' | 'unavailable' | 'failed'): FaceAnswer {
  if (why === 'tooLarge') return oauthError('invalid_request', 'the request is too long', 413);
  return why === 'unavailable' ? oauthError('temporarily_unavailable', 'come again', 503) : oauthError('server_error', 'an error of the server', 500);
}

/** Google's token endpoint with the JWT bearer grant (RFC 7523): access for the project of a service account. */
export function createFcmTokenFace(options: TokenFaceOptions & { readonly accounts: readonly FcmAccount[]; readonly audience: string }): ProviderFace {
  const { accounts, accessTokens, audience, nowMs } = options;

  const grant = (form: URLSearchParams): FaceAnswer => {
    if (form.get('grant_type') !== JWT_BEARER) return oauthError('unsupported_grant_type', 'Invalid grant_type: must be JWT bearer');
    const token = readJsonWebToken(form.get('assertion') ?? '');
    const { iss, aud, iat, exp, scope } = token?.claims ?? {};
    const account = accounts.find(({ clientEmail }) => clientEmail === iss);
    if (token === undefined || account === undefined) return oauthError('invalid_grant', 'Invalid grant: account not found');
    if (!isSignedBy(token, account.keys)) return oauthError('invalid_grant', 'Invalid JWT Signature.');
    if (typeof iat !== 'number' || typeof exp !== 'number' || exp - iat > LONGEST_ASSERTION_S || exp * 1_000 <= nowMs() || (iat - 300) * 1_000 > nowMs()) {
      return oauthError('invalid_grant', 'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.');
    }
    if (typeof aud !== 'string' || (aud !== audience && !GOOGLE_AUDIENCES.includes(aud)))
      return oauthError('invalid_grant', 'Invalid JWT: Failed audience check.');
    if (typeof scope !== 'string' || !scope.split(' ').some((name) => SCOPES.includes(name))) return oauthError('invalid_scope', 'Invalid OAuth scope.');
    const access = { access_token: accessTokens.issue('fcm', account.projectId, FCM_TOKEN_LIFE_S), expires_in: FCM_TOKEN_LIFE_S, token_type: 'Bearer' };
    return oauthAnswer(200, access, '200');
  };

  return {
    service: 'fcm',
    request: 'token',
    takes: (path) => path === FCM_TOKEN_PATH,
    handle(request) {
      const form = formOf(request, FCM_TOKEN_PATH);
      return form instanceof URLSearchParams ? grant(form) : form;
    },
    refuse,
  };
}

/** The token endpoint of WNS with client credentials (RFC 6749, 4.4): access for the channels of a package. */
export function createWnsTokenFace(options: TokenFaceOptions & { readonly accounts: readonly WnsAccount[]; readonly crypto: CryptoProvider }): ProviderFace {
  const { accounts, accessTokens, crypto } = options;

  const grant = (form: URLSearchParams): FaceAnswer => {
    if (form.get('grant_type') !== 'client_credentials') return oauthError('unsupported_grant_type', 'the grant type is client_credentials');
    if (form.get('scope') !== 'notify.windows.com') return oauthError('invalid_scope', 'the scope is notify.windows.com');
    const account = accounts.find(({ packageSid }) => packageSid === form.get('client_id'));
    const secret = crypto.sha256(utf8(form.get('client_secret') ?? ''));
    if (account === undefined || !crypto.equal(secret, fromHex(account.secretHash))) return oauthError('invalid_client', 'Invalid client id or client secret');
    const access = { token_type: 'bearer', access_token: accessTokens.issue('wns', account.packageSid, WNS_TOKEN_LIFE_S), expires_in: WNS_TOKEN_LIFE_S };
    return oauthAnswer(200, access, '200');
  };

  return {
    service: 'wns',
    request: 'token',
    takes: (path) => path === WNS_TOKEN_PATH,
    handle(request) {
      const form = formOf(request, WNS_TOKEN_PATH);
      return form instanceof URLSearchParams ? grant(form) : form;
    },
    refuse,
  };
}
