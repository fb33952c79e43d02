import { type Clock, type CryptoProvider, type Entropy, fromBase64url, isProtocolError, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { callRole } from '../links/role-call.ts';
import type { RoleLink } from '../roles/link-guard.ts';
import type { HttpAnswer, HttpRequest } from './http-server.ts';
import { GNP_PATH, pushChannelService } from './push-channel-service.ts';

export interface ProxyServicesOptions {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  /** Way to UEM. */
  readonly uem: RoleLink;
  /** Way to the NOC. */
  readonly noc: RoleLink;
  /** For the journal. */
  readonly note: (request: string, answer: string, source: string, reason?: string) => void;
}

/** What a Proxy does for application servers (docs/protocol/13-services-of-the-proxy.md). Never rejects. */
export type ProxyServices = (request: HttpRequest) => Promise<HttpAnswer>;

/** Documented answer to a token that is valid. */
const OK = '100 OK';
/** To one that is not, whatever the reason. */
const INVALID = '402 Invalid Token';

const VERIFY_PATH = '/verifyGDAuthToken';
const PLAIN = { 'content-type': 'text/plain', 'cache-control': 'no-store' };
/** Largest body that one of the services takes: a message of a push channel. */
export const SERVICE_BODY_BYTES: number = wire.LIMITS.pushBodyBytes;
const RETRY_AFTER_S = '5';

export function proxyServices(options: ProxyServicesOptions): ProxyServices {
  const { uem, note } = options;
  const push = pushChannelService(options);
  const verify = async (request: HttpRequest): Promise<HttpAnswer> => {
    const told = (answer: string, reason?: string): void => note('verifyGDAuthToken', answer, request.peer.source, reason);
    const refused = (reason: string): HttpAnswer => {
      told(INVALID, reason);
      return { status: 403, headers: { ...PLAIN, 'X-Good-GD-AuthResponseCode': INVALID } };
    };
    const frame = requestOf(request);
    if (frame === undefined) return refused('a header field is missing or has another form');
    try {
      const { userId, appId, instanceId, challenge, server, createdAtEpochS } = await callRole(uem, 'proxies', frame, wire.authTokenResponse);
      // check: no header field from a name that fits none
      if ([userId, appId].some((text) => /\p{Cc}/u.test(text))) return refused('a name of the app or its user fits no header field');
      told(OK);
      return {
        status: 200,
        headers: {
          ...PLAIN,
          'X-Good-GD-AuthResponseCode': OK,
          'X-Good-GD-UserID': fieldText(userId),
          'X-Good-GD-AppID': fieldText(appId),
          'X-Good-GD-ContainerID': toHex(instanceId),
          'X-Good-GD-AuthChallenge': challenge,
          'X-Good-GD-Server': server,
          'X-Good-GD-AuthTokenVersion': '1',
          'X-Good-GD-AuthTokenCreationTime': String(createdAtEpochS),
        },
      };
    } catch (error) {
      // check: only the one alert says anything about the token
      if (isProtocolError(error) && error.details['alert'] === 'authFailed') return refused('UEM says no');
      told('503', isProtocolError(error) ? `${error.code} ${error.message}` : 'bug');
      return { status: 503, headers: { ...PLAIN, 'retry-after': RETRY_AFTER_S } };
    }
  };

  return async (request) => {
    if (request.path === GNP_PATH) return push(request);
    if (request.path !== VERIFY_PATH) {
      note('unknown', '404', request.peer.source);
      return { status: 404, headers: PLAIN };
    }
    // check: a question has no body
    if (request.method === 'GET' && request.body.length > 0) return { status: 400, headers: PLAIN };
    if (request.method === 'GET') return verify(request);
    note('verifyGDAuthToken', '405', request.peer.source);
    return { status: 405, headers: { ...PLAIN, allow: 'GET' } };
  };
}

/** 0xa1, or undefined when a field has not its form. Fields that came twice are joined by then, and fit no form. */
function requestOf({ headers }: HttpRequest): Uint8Array | undefined {
  const text = headers['x-good-gd-authtoken'];
  if (typeof text !== 'string') return undefined;
  try {
    const [server, challenge] = ['x-good-gd-server', 'x-good-gd-authchallenge'].map((name) => headers[name] as string | undefined);
    return wire.authTokenRequest.encode({ token: fromBase64url(text), server, challenge });
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}

/** UTF-8 in a header field, which Node takes as one character for each byte. */
function fieldText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
