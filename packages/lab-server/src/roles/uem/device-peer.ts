import { type CertificatePeer, type CryptoProvider, isProtocolError, type PeerIdentity, type SignaturePeer, sameBytes, x509 } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { type CertificateRecord, certificateBySerial } from '../../state/certificates.ts';
import { type DeviceRecord, deviceById, isLive } from '../../state/devices.ts';
import { deviceKeyId } from '../../state/ids.ts';
import type { ReadView } from '../../store/lab-store.ts';

/** A device that proved who it is. */
export interface KnownDevice {
  readonly device: DeviceRecord;
  /** The certificate that it showed, or its newest one when it proved its key in another way. */
  readonly certificate: CertificateRecord;
}

/** A peer that is refused, with what is known of it. */
export interface RefusedDevice {
  readonly refused: wire.AlertCode;
  readonly reason: string;
  readonly device?: DeviceRecord | undefined;
}

/** Finds out which device a peer is. Validity and revocation are judged here, by our clock; TLS or a signature has only proved the key. */
export interface DevicePeers {
  identify(view: ReadView, peer: PeerIdentity, nowMs: number): KnownDevice | RefusedDevice;
}

export function createDevicePeers(crypto: CryptoProvider): DevicePeers {
  // A certificate is read once per connection, or signed request. BOUNDED: an entry goes with its connection.
  const serials = new WeakMap<PeerIdentity, string>();

  const shownCertificate = (view: ReadView, peer: CertificatePeer | SignaturePeer): CertificateRecord | undefined => {
    const serial = serials.get(peer) ?? serialOf(peer.certificate);
    if (serial === undefined) return undefined;
    serials.set(peer, serial);
    const kept = certificateBySerial(view, serial);
    // Not only the number: it has to be the very certificate that was issued.
    return kept !== undefined && sameBytes(kept.der, peer.certificate) ? kept : undefined;
  };

  const newestCertificate = (view: ReadView, deviceId: string, publicKey: Uint8Array): CertificateRecord | undefined => {
    const device = deviceById(view, deviceId);
    const serial = device?.keyId === deviceKeyId(crypto, publicKey) ? device.serials.at(-1) : undefined;
    return serial === undefined ? undefined : certificateBySerial(view, serial);
  };

  return {
    identify(view, peer, nowMs) {
      if (peer.kind === 'anonymous') return { refused: 'authFailed', reason: 'no device certificate' };
      const certificate = peer.kind === 'memory' ? newestCertificate(view, peer.deviceId, peer.publicKey) : shownCertificate(view, peer);
      const device = certificate === undefined ? undefined : deviceById(view, certificate.deviceId);
      if (certificate === undefined || device === undefined) return { refused: 'unknownDevice', reason: 'no certificate of this UEM' };
      return judge(device, certificate, nowMs);
    },
  };
}

/**
 * That the certificate is not valid yet is no reason: it is, byte for byte, one that this UEM has issued, so its clock has been set back since. Refused, a fleet
 * that renewed under the wrong clock would be lost until the right one gets there.
 */
function judge(device: DeviceRecord, certificate: CertificateRecord, nowMs: number): KnownDevice | RefusedDevice {
  if (certificate.revokedAtMs !== undefined) return { refused: 'revoked', reason: `certificate revoked: ${certificate.revocationReason}`, device };
  if (!isLive(device)) return { refused: 'revoked', reason: `device is ${device.status}`, device };
  if (nowMs > certificate.notAfterMs) return { refused: 'expired', reason: 'certificate is expired', device };
  return { device, certificate };
}

function serialOf(der: Uint8Array): string | undefined {
  try {
    return x509.readCertificate(der).serial;
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}
