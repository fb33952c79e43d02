import { utf8 } from '../bytes/bytes.ts';
import type { HandshakeName } from '../wire/handshake.ts';

/** Stands before every label, so that no key of another protocol can be one of ours. */
export const LABEL_PREFIX = 'uemkit/1 ';

/** Labels of XL (`deriveSecret`): one row for each key that is derived from another. docs/protocol/01-framing.md has the same list. */
export const SECRET_LABELS = {
  /** Key of mac1, from the early secret. */
  binder: 'binder',
  /** Step from one stage of the handshake to the next. */
  derived: 'derived',
  /** Key of mac2. */
  responderFinished: 'r fin',
  /** Key of mac3. */
  initiatorFinished: 'i fin',
  /** Traffic secret, initiator to responder. */
  initiatorTraffic: 'i ap',
  /** Traffic secret, responder to initiator. */
  responderTraffic: 'r ap',
  /** Secret for applications on top. */
  exporter: 'exp',
  /** Ties the certificate request to its activation run. */
  possession: 'pop',
  /** SPAKE2+ witness of a QR secret. */
  activationQr: 'act qr',
  /** Hash of the access key that the NOC sees (F3.7). */
  nocHash: 'ak noc',
  /** Pre-shared key of `sc` (F3.9). */
  setUpKey: 'ak sc',
  /** Pre-shared key of one Proxy, from the master session key. */
  proxy: 'proxy',
  /** Tunnel key of one gateway. */
  gateway: 'gw',
  /** Pre-shared key of one DTLS tunnel. */
  tunnel: 'tun',
  /** Pre-shared key of `svc` between two apps, from the services key. */
  service: 'svc',
  /** CBC record key, 64 bytes. */
  cbcKey: 'cbc',
  /** GCM record key. */
  gcmKey: 'key',
  /** GCM nonce base. */
  gcmIv: 'iv',
  /** Key of auth tokens, 64 bytes, from the master session key. */
  authToken: 'auth tok',
  /** Record key of one push channel, 64 bytes. */
  push: 'push',
  /** Next traffic secret of a direction. */
  keyUpdate: 'upd',
} as const;

export type SecretLabel = (typeof SECRET_LABELS)[keyof typeof SECRET_LABELS];

/** Labels that begin the input of a hash, a MAC or a signature. */
export const HASH_LABELS = {
  activation: 'hs act',
  activationContext: 'act',
  accessKeySalt: 'ak salt',
  nocVerifier: 'ak verifier',
  token: 'tok',
  userId: 'uid',
  appDocument: 'app doc',
  authToken: 'auth token',
  pushMessage: 'push message',
  ipcSignature: 'ipc r sig',
} as const;

/** First label of the transcript of an instance of the handshake core. */
export type HandshakeLabel = `hs ${HandshakeName}`;

export type HashLabel = (typeof HASH_LABELS)[keyof typeof HASH_LABELS] | HandshakeLabel;

/** A label with its prefix, in bytes. */
export function labelBytes(label: SecretLabel | HashLabel): Uint8Array {
  return utf8(LABEL_PREFIX + label);
}
