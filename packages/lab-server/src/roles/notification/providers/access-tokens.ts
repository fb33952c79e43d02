import { type Clock, type CryptoProvider, concatBytes, fromBase64url, lp, toBase64url, u64be, utf8 } from '@uemkit/protocol';
import { type Table, table } from '../../../state/table.ts';
import type { WriteView } from '../../../store/lab-store.ts';

interface AccessKey {
  readonly key: Uint8Array;
}

const keys: Table<AccessKey> = table('push-access-key');

/** Secret key of access tokens; made once, so that they outlive a restart. */
export function accessKey(tx: WriteView, make: () => Uint8Array): Uint8Array {
  const known = keys.get(tx, 'this');
  if (known !== undefined) return known.key;
  const key = make();
  keys.put(tx, 'this', { key });
  return key;
}

/** OAuth 2.0 bearer tokens of the services that have them. Nothing is kept: a token carries its end and a MAC. */
export interface AccessTokens {
  issue(service: 'fcm' | 'wns', application: string, lifeS: number): string;
  /** `expired` only for a token that was one. */
  check(service: 'fcm' | 'wns', application: string, token: string): 'valid' | 'expired' | 'wrong';
}

/** Beginnings of the tokens of the two services. */
const PREFIX = { fcm: 'ya29.', wns: 'EgA' } as const;
const END_BYTES = 8;
const MAC_BYTES = 32;

export function createAccessTokens(options: { readonly clock: Clock; readonly crypto: CryptoProvider; readonly key: Uint8Array }): AccessTokens {
  const { clock, crypto, key } = options;
  const mac = (service: string, application: string, end: Uint8Array): Uint8Array =>
    crypto.hmacSha256(key, concatBytes(lp(utf8(service)), lp(utf8(application)), end));
  return {
    issue(service, application, lifeS) {
      const end = u64be(clock.nowMs() + lifeS * 1_000);
      return PREFIX[service] + toBase64url(concatBytes(end, mac(service, application, end)));
    },
    check(service, application, token) {
      const bytes = token.startsWith(PREFIX[service]) ? base64url(token.slice(PREFIX[service].length)) : undefined;
      if (bytes?.length !== END_BYTES + MAC_BYTES) return 'wrong';
      const end = bytes.slice(0, END_BYTES);
      if (!crypto.equal(bytes.slice(END_BYTES), mac(service, application, end))) return 'wrong';
      return Number(new DataView(end.buffer).getBigUint64(0)) > clock.nowMs() ? 'valid' : 'expired';
    },
  };
}

function base64url(text: string): Uint8Array | undefined {
  return /^[\w-]+$/.test(text) && text.length % 4 !== 1 ? safely(() => fromBase64url(text)) : undefined;
}

function safely<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** The token of an `Authorization: Bearer` header. */
export function bearerOf(header: string | undefined): string | undefined {
  return /^bearer +([^ ]+)$/i.exec(header ?? '')?.[1];
}
