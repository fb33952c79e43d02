import type { HandshakeName } from '../wire/handshake.ts';
import { LIMITS } from '../wire/limits.ts';

/** Fields of M1 that some instances have and the others must not have. */
export type StartField = 'pskId' | 'userId' | 'appId' | 'instanceId';

/** What differs between the instances of the handshake core. Everything else is the same code. */
export interface HandshakeInstance {
  readonly name: HandshakeName;
  /** Who talks to whom. */
  readonly roles: string;
  /** M1 ends with mac1 under a pre-shared key. */
  readonly psk: boolean;
  /** The responder has a static key that the initiator knows (Noise: NK). */
  readonly staticKey: boolean;
  /** M2 has certificates and a signature. */
  readonly signature: boolean;
  /** M3 carries a CBC record, sequence number 0. */
  readonly recordInFinish: boolean;
  /** Fields of M1 that must be there; the other fields of `StartField` must not. */
  readonly startFields: readonly StartField[];
  /** Parts of the prologue, in order. */
  readonly prologue: readonly string[];
  /** Records that follow; `none`: the data goes on in the TLS connection below. */
  readonly records: 'cbc' | 'gcm' | 'none';
  /** Bytes after the body of M1, M2, M3. */
  readonly trailerBytes: { readonly start: number; readonly reply: number; readonly finish: number };
  /** Most bytes of the body of M1, M2, M3. */
  readonly bodyBytes: { readonly start: number; readonly reply: number; readonly finish: number };
}

/** Length of mac1, mac2 and mac3. */
export const MAC_BYTES = 32;
/** Length of the signature of `ipc`. */
export const SIGNATURE_BYTES = 64;

type Row = Omit<HandshakeInstance, 'trailerBytes' | 'bodyBytes'>;

function instance(row: Row): HandshakeInstance {
  const small = LIMITS.unauthenticatedBodyBytes;
  const large = LIMITS.certificateBodyBytes;
  return {
    ...row,
    trailerBytes: { start: row.psk ? MAC_BYTES : 0, reply: row.signature ? SIGNATURE_BYTES + MAC_BYTES : MAC_BYTES, finish: MAC_BYTES },
    bodyBytes: { start: small, reply: row.signature ? large : small, finish: large },
  };
}

const PROXY_PROLOGUE = ['tenantId', 'proxyId', 'instanceId', 'keyExchangeKey'] as const;

/** The seven instances (docs/protocol/03-handshake.md has the same table). */
export const HANDSHAKES: Readonly<Record<HandshakeName, HandshakeInstance>> = {
  ipc: instance({
    name: 'ipc',
    roles: 'app -> UEM Client on the same device (F3.3)',
    psk: false,
    staticKey: false,
    signature: true,
    recordInFinish: false,
    startFields: ['appId', 'instanceId'],
    prologue: ['initiatorPlatformId', 'responderPlatformId'],
    records: 'cbc',
  }),
  ipcd: instance({
    name: 'ipcd',
    roles: 'new app -> activated sibling app on the same device (F3.4)',
    psk: false,
    staticKey: false,
    signature: false,
    recordInFinish: false,
    startFields: ['appId', 'instanceId'],
    prologue: ['initiatorPlatformId', 'responderPlatformId'],
    records: 'cbc',
  }),
  sc: instance({
    name: 'sc',
    roles: 'app -> UEM through the NOC (F3.9)',
    psk: true,
    staticKey: false,
    signature: false,
    recordInFinish: true,
    startFields: ['pskId', 'userId'],
    prologue: ['tenantId', 'coreId'],
    records: 'cbc',
  }),
  link: instance({
    name: 'link',
    roles: 'app -> NOC inside TLS (F10.2)',
    psk: true,
    staticKey: false,
    signature: false,
    recordInFinish: false,
    startFields: ['pskId'],
    prologue: ['bindingKind', 'bindingValue', 'linkId'],
    records: 'none',
  }),
  px: instance({
    name: 'px',
    roles: 'app -> Proxy through the NOC (F10.3), app -> UEM',
    psk: true,
    staticKey: true,
    signature: false,
    recordInFinish: false,
    startFields: ['pskId', 'instanceId'],
    prologue: PROXY_PROLOGUE,
    records: 'gcm',
  }),
  dc: instance({
    name: 'dc',
    roles: 'app -> Proxy inside TLS, Direct Connect (F11.3)',
    psk: true,
    staticKey: true,
    signature: false,
    recordInFinish: false,
    startFields: ['pskId', 'instanceId'],
    prologue: ['bindingKind', 'bindingValue', 'serverKeyHash', ...PROXY_PROLOGUE],
    records: 'none',
  }),
  svc: instance({
    name: 'svc',
    roles: 'app -> app that offers a service, on the same device',
    psk: true,
    staticKey: false,
    signature: false,
    recordInFinish: false,
    startFields: ['pskId', 'instanceId'],
    prologue: ['initiatorPlatformId', 'responderPlatformId', 'tenantId', 'instanceId', 'responderInstanceId'],
    records: 'gcm',
  }),
};
