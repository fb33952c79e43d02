import { utf8 } from '../bytes/bytes.ts';
import { toHex } from '../bytes/text.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { HandshakeName } from '../wire/handshake.ts';
import { PUBLIC_KEY_BYTES } from './public-key.ts';

/**
 * What ties a handshake to the TLS connection that it runs in. `tls-exporter`: RFC 9266, 32 bytes.
 * `none` only where the local policy of both ends allows it; it is never negotiated.
 */
export type ChannelBinding = { readonly kind: 'tls-exporter'; readonly value: Uint8Array } | { readonly kind: 'none' };

/** Two apps of one device, as its operating system reports them, see `platformId`. */
export interface LocalPrologue {
  readonly initiatorPlatformId: string;
  readonly responderPlatformId: string;
}

export interface SetUpPrologue {
  readonly tenantId: string;
  readonly coreId: string;
}

export interface LinkPrologue {
  readonly binding: ChannelBinding;
  readonly linkId: Uint8Array;
}

export interface ProxyPrologue {
  readonly tenantId: string;
  /** The core id where UEM itself is the responder. */
  readonly proxyId: string;
  readonly instanceId: Uint8Array;
  /** The responder's static key, as the initiator knows it. */
  readonly keyExchangeKey: Uint8Array;
}

export interface DirectPrologue extends ProxyPrologue {
  readonly binding: ChannelBinding;
  /** SHA-256 of the SubjectPublicKeyInfo of the TLS server certificate. */
  readonly serverKeyHash: Uint8Array;
}

/** Two activated apps of one user on one device, as UEM and the operating system know them. */
export interface ServicePrologue extends LocalPrologue {
  readonly tenantId: string;
  /** Of the initiator. */
  readonly instanceId: Uint8Array;
  readonly responderInstanceId: Uint8Array;
}

/** What each instance binds before its first message. */
export interface PrologueInputs {
  readonly ipc: LocalPrologue;
  readonly ipcd: LocalPrologue;
  readonly sc: SetUpPrologue;
  readonly link: LinkPrologue;
  readonly px: ProxyPrologue;
  readonly dc: DirectPrologue;
  readonly svc: ServicePrologue;
}

type PrologueBuilders = { readonly [N in HandshakeName]: (input: PrologueInputs[N]) => readonly Uint8Array[] };

const BUILDERS: PrologueBuilders = {
  ipc: local,
  ipcd: local,
  sc: ({ tenantId, coreId }) => [id('tenantId', tenantId), id('coreId', coreId)],
  link: ({ binding, linkId }) => [...bindingParts(binding), sized('linkId', linkId, 16)],
  px: proxy,
  dc: (input) => [...bindingParts(input.binding), sized('serverKeyHash', input.serverKeyHash, 32), ...proxy(input)],
  svc: (input) => [
    ...local(input),
    id('tenantId', input.tenantId),
    sized('instanceId', input.instanceId, 16),
    sized('responderInstanceId', input.responderInstanceId, 16),
  ],
};

/**
 * The prologue parts p1..pn of an instance, in the order of `HANDSHAKES[name].prologue`.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` for an empty id or bytes of another length.
 */
export function prologueParts<N extends HandshakeName>(name: N, input: PrologueInputs[N]): readonly Uint8Array[] {
  return BUILDERS[name](input);
}

/** The id of an app on its platform: `platform:package:hex(SHA-256 of the signer's certificate)`. */
export function platformId(platform: string, packageName: string, signerHash: Uint8Array): string {
  if (!/^[a-z0-9-]+$/.test(platform) || !/^[^:]+$/.test(packageName) || signerHash.length !== 32) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'not the parts of a platform id');
  }
  return `${platform}:${packageName}:${toHex(signerHash)}`;
}

function local({ initiatorPlatformId, responderPlatformId }: LocalPrologue): readonly Uint8Array[] {
  return [id('initiatorPlatformId', initiatorPlatformId), id('responderPlatformId', responderPlatformId)];
}

function proxy({ tenantId, proxyId, instanceId, keyExchangeKey }: ProxyPrologue): readonly Uint8Array[] {
  return [id('tenantId', tenantId), id('proxyId', proxyId), sized('instanceId', instanceId, 16), sized('keyExchangeKey', keyExchangeKey, PUBLIC_KEY_BYTES)];
}

function bindingParts(binding: ChannelBinding): readonly Uint8Array[] {
  return [utf8(binding.kind), binding.kind === 'none' ? new Uint8Array(0) : sized('binding', binding.value, 32)];
}

function id(name: string, text: string): Uint8Array {
  if (text.length === 0) throw new ProtocolError('ERR_USAGE_ARGUMENT', `${name} of a prologue is empty`);
  return utf8(text);
}

function sized(name: string, bytes: Uint8Array, lengthBytes: number): Uint8Array {
  if (bytes.length !== lengthBytes) throw new ProtocolError('ERR_USAGE_ARGUMENT', `${name} of a prologue must have ${lengthBytes} bytes`);
  return bytes;
}
