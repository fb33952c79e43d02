import { type CryptoProvider, isProtocolError, sameBytes, toHex, x509 } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { DeviceAuthority } from '../../ca/device-authority.ts';
import { type CertificateRecord, certificateBySerial } from '../../state/certificates.ts';
import { putDevice } from '../../state/devices.ts';
import type { WriteView } from '../../store/lab-store.ts';
import { alerted, answered } from '../role-answers.ts';
import type { KnownDevice } from './device-peer.ts';
import { addCertificate, revokeOthers } from './issue-device.ts';
import type { ServiceOutcome } from './service-outcome.ts';

/**
 * Renews the certificate of a device for the key that it has. The same request gets the same certificate, so that a lost answer costs nothing.
 * The old certificate stays good beside the new one until the next renewal: the device may not have saved the new one.
 * @throws ProtocolError `ERR_WIRE_*`
 */
export function renewCertificate(
  { crypto, authority }: { readonly crypto: CryptoProvider; readonly authority: DeviceAuthority },
  tx: WriteView,
  frame: wire.Frame,
  { device, certificate }: KnownDevice,
  nowMs: number,
): ServiceOutcome {
  const { csr } = wire.renewRequest.decode(frame);
  const requestHash = toHex(crypto.sha256(csr));
  const newest = certificateBySerial(tx, device.serials.at(-1) as string);
  if (newest?.requestHash === requestHash && newest.revokedAtMs === undefined && newest.notAfterMs > nowMs) return renewed(authority, newest.der);
  const publicKey = readPublicKey(crypto, csr);
  if (publicKey === undefined) return alerted('badMessage', 'not a certificate request, or not signed by its key');
  if (!sameBytes(publicKey, keyOf(certificate))) return alerted('badMessage', 'a renewal is for the same key');
  const issued = authority.issue(device.deviceId, publicKey, nowMs);
  revokeOthers(tx, device, certificate.serial, nowMs);
  putDevice(tx, { ...device, serials: addCertificate(tx, device.deviceId, device.serials, issued, nowMs, requestHash), lastContactMs: nowMs });
  return renewed(authority, issued.der);
}

function renewed({ root }: DeviceAuthority, der: Uint8Array): ServiceOutcome {
  return answered(wire.renewResult, { certificates: [der], tenantRoots: [root] });
}

function readPublicKey(crypto: CryptoProvider, csr: Uint8Array): Uint8Array | undefined {
  try {
    return x509.readCertificationRequest(crypto, csr).publicKey;
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}

function keyOf({ der }: CertificateRecord): Uint8Array {
  return x509.readCertificate(der).publicKey;
}
