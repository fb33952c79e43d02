import { type Clock, ProtocolError } from '@uemkit/protocol';
import { jsonOf, type ProviderAnswer, type ProviderCall, type ProviderWire } from './push-sender.ts';

/** A token is renewed so long before its end, so that none runs out on its way. */
const RENEWAL_MS = 60_000;

/** The OAuth 2.0 access token of one service: asked for once, kept until shortly before its end, and again when the service does not take it any more. */
export interface AccessCache {
  /**
   * Makes a request with the access token; once more with a new one when the answer is 401.
   * @throws ProtocolError `ERR_TRANSPORT_*`, `ERR_REJECTED_BUSY` when there is no access token
   */
  request(provider: ProviderWire, call: ProviderCall): Promise<ProviderAnswer>;
}

export function createAccessCache(options: { readonly clock: Clock; ask(): Promise<ProviderAnswer> }): AccessCache {
  const { clock } = options;
  let current: { readonly token: string; readonly renewAtMs: number } | undefined;
  let asking: Promise<string> | undefined;

  const ask = async (): Promise<string> => {
    const answer = await options.ask();
    const { access_token: token, expires_in: lifeS } = jsonOf(answer);
    if (answer.status !== 200 || typeof token !== 'string' || typeof lifeS !== 'number') {
      throw new ProtocolError('ERR_REJECTED_BUSY', 'the notification service gives no access token', { details: { status: answer.status } });
    }
    current = { token, renewAtMs: clock.nowMs() + lifeS * 1_000 - RENEWAL_MS };
    return token;
  };

  /** Requests at the same time share one renewal. */
  const renewed = (): Promise<string> => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };

  const tokenOf = (): Promise<string> => (current !== undefined && current.renewAtMs > clock.nowMs() ? Promise.resolve(current.token) : renewed());

  return {
    async request(provider, call) {
      const token = await tokenOf();
      const withToken = (value: string): ProviderCall => ({ ...call, headers: { ...call.headers, authorization: `Bearer ${value}` } });
      const answer = await provider.request(withToken(token));
      if (answer.status !== 401) return answer;
      if (current?.token === token) current = undefined;
      return provider.request(withToken(await tokenOf()));
    },
  };
}
