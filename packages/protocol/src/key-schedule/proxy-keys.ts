import { concatBytes, lp, utf8 } from '../bytes/bytes.ts';
import type { SecretBytes } from '../bytes/secret.ts';
import { toHex } from '../bytes/text.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { deriveSecret } from './kdf.ts';
import { SECRET_LABELS } from './labels.ts';

/** K_px: pre-shared key of `px` and `dc` with one Proxy. UEM gives each Proxy only its own. For UEM itself `proxyId` is the core id. */
export function proxyPsk(crypto: CryptoProvider, masterSessionKey: SecretBytes<'master-session'>, proxyId: string): SecretBytes<'psk'> {
  return deriveSecret(crypto, masterSessionKey, SECRET_LABELS.proxy, crypto.sha256(lp(utf8(proxyId))), 32);
}

/** K_tun,g: tunnel key of one gateway, from the tunnel key that came in A6. */
export function gatewayTunnelKey(crypto: CryptoProvider, tunnelKey: SecretBytes<'tunnel'>, gatewayId: string): SecretBytes<'gateway-tunnel'> {
  return deriveSecret(crypto, tunnelKey, SECRET_LABELS.gateway, crypto.sha256(lp(utf8(gatewayId))), 32);
}

/** What both ends learn from the signalling of a tunnel (F4.4 to F4.6). */
export interface TunnelSignal {
  /** 16 bytes, used once. */
  readonly tunnelId: Uint8Array;
  /** 32 bytes of the device. */
  readonly initiatorNonce: Uint8Array;
  /** 32 bytes of the gateway. */
  readonly responderNonce: Uint8Array;
}

/** psk_tun: the key of one DTLS tunnel. The relay that carries the signalling does not know K_tun,g, so it cannot join. */
export function tunnelPsk(crypto: CryptoProvider, gatewayKey: SecretBytes<'gateway-tunnel'>, signal: TunnelSignal): SecretBytes<'tunnel-psk'> {
  const { tunnelId, initiatorNonce, responderNonce } = signal;
  if (tunnelId.length !== 16 || initiatorNonce.length !== 32 || responderNonce.length !== 32) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'tunnel id or nonce has another length');
  }
  const context = crypto.sha256(concatBytes(lp(tunnelId), lp(initiatorNonce), lp(responderNonce)));
  return deriveSecret(crypto, gatewayKey, SECRET_LABELS.tunnel, context, 32);
}

/** PSK identity of the DTLS tunnel: the tunnel id in hexadecimal. */
export function tunnelPskIdentity(tunnelId: Uint8Array): string {
  return toHex(tunnelId);
}
