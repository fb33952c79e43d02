import { type Clock, type CryptoProvider, type Entropy, isProtocolError, keySchedule, wipe } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { callRole } from '../links/role-call.ts';
import type { RoleLink } from '../roles/link-guard.ts';
import type { HttpAnswer, HttpRequest } from './http-server.ts';

export interface PushChannelServiceOptions {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  /** Way to the NOC. */
  readonly noc: RoleLink;
  readonly note: (request: string, answer: string, source: string, reason?: string) => void;
}

/** Documented path of push channels. */
export const GNP_PATH = '/GNP1.0';
/** Documented codes. */
const OK = '100 OK';
const INVALID = '402 Invalid Token';
const PLAIN = { 'content-type': 'text/plain', 'cache-control': 'no-store' };
const IV_BYTES = 16;
const ID_BYTES = 16;
const RETRY_AFTER_S = '5';

/** `checkToken` and `notify` (docs/protocol/13-services-of-the-proxy.md, 13.4). What is sent is sealed here, by the token: the NOC cannot read it. Never rejects. */
export function pushChannelService({ clock, crypto, entropy, noc, note }: PushChannelServiceOptions): (request: HttpRequest) => Promise<HttpAnswer> {
  const sealedOf = (channel: keySchedule.PushChannelKeys, body: Uint8Array): Uint8Array => {
    const content = { messageId: entropy.randomBytes(ID_BYTES), sentAtEpochMs: clock.nowMs(), body };
    return keySchedule.sealPush(crypto, channel, content, entropy.randomBytes(IV_BYTES));
  };

  const ask = async (token: string, body: Uint8Array | undefined): Promise<wire.PushNotifyResult> => {
    const channel = keySchedule.openPushToken(token);
    try {
      const sealed = body === undefined ? undefined : sealedOf(channel, body);
      const { result } = await callRole(noc, 'channels', wire.pushNotify.encode({ channelId: channel.channelId, sealed }), wire.pushNotified);
      return result;
    } finally {
      wipe(channel.key);
    }
  };

  return async ({ method, query, headers, body, peer }) => {
    const service = new URLSearchParams(query).get('method');
    const isNotify = service === 'notify';
    const told = (status: number, more: Readonly<Record<string, string>> = {}, reason?: string): HttpAnswer => {
      const known = isNotify || service === 'checkToken' ? service : 'unknown';
      note(known, more['X-Good-GNP-Code'] ?? String(status), peer.source, reason);
      return { status, headers: { ...PLAIN, ...more } };
    };
    if (!isNotify && service !== 'checkToken') return told(404);
    const methods = isNotify ? ['POST'] : ['GET', 'POST'];
    if (!methods.includes(method)) return told(405, { allow: methods.join(', ') });
    // check: a question has no body, a message is text
    if (isNotify ? !isText(body) : body.length > 0) return told(400, {}, 'the body is no text');
    try {
      const result = await ask(String(headers['x-good-gnp-token'] ?? ''), isNotify ? body : undefined);
      if (result === 'accepted') return told(200, { 'X-Good-GNP-Code': OK });
      if (result === 'full') return told(503, { 'retry-after': RETRY_AFTER_S }, 'too much waits for the app');
      return told(200, { 'X-Good-GNP-Code': INVALID }, 'no such channel');
    } catch (error) {
      const reason = isProtocolError(error) ? `${error.code} ${error.message}` : 'bug';
      if (isProtocolError(error) && error.code === 'ERR_REJECTED_CREDENTIALS') return told(200, { 'X-Good-GNP-Code': INVALID }, reason);
      return told(503, { 'retry-after': RETRY_AFTER_S }, reason);
    }
  };
}

function isText(body: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(body);
    return true;
  } catch {
    return false;
  }
}
