import { type CryptoProvider, type Entropy, ProtocolError, toHex, x509 } from '@uemkit/protocol';

const DAY_MS = 86_400_000;
/** Certificates start early, so that a device or a TLS library whose clock is behind by some hours can use them. */
const EARLY_MS = DAY_MS;
/** Life of a device certificate; it is renewed at two thirds. */
export const DEVICE_CERTIFICATE_LIFE_MS: number = 365 * DAY_MS;
const SERIAL_BYTES = 16;

/** Key and certificate of the tenant root; the scalar is secret. */
export interface AuthorityKey {
  readonly scalar: Uint8Array;
  /** DER. */
  readonly certificate: Uint8Array;
}

/** A new certificate. */
export interface IssuedCertificate {
  readonly der: Uint8Array;
  /** Hex, lower case. */
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Certifies the devices of the tenant (F1.4). */
export interface DeviceAuthority {
  /** The tenant root, DER. */
  readonly root: Uint8Array;
  issue(deviceId: string, publicKey: Uint8Array, nowMs: number): IssuedCertificate;
}

/**
 * Certificates of devices, directly under the tenant root. About 50 microseconds each with the native provider, so it is done inside transactions.
 * @throws ProtocolError `ERR_CERTIFICATE_FORMAT` when the root is not of the profile, `ERR_USAGE_ARGUMENT` when the key is not its own
 */
export function deviceAuthority(crypto: CryptoProvider, entropy: Entropy, key: AuthorityKey): DeviceAuthority {
  const root = x509.readCertificate(key.certificate);
  const issuer: x509.CertificateIssuer = { commonName: root.commonName, publicKey: root.publicKey };
  if (!crypto.equal(root.publicKey, crypto.p256PublicKey(key.scalar)))
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'the key of the tenant root is another one');
  return {
    root: key.certificate,
    issue(deviceId, publicKey, nowMs) {
      const serial = serialNumber(entropy);
      const notBeforeMs = wholeSeconds(nowMs - EARLY_MS);
      // Nothing outlives its issuer.
      const notAfterMs = Math.min(wholeSeconds(nowMs + DEVICE_CERTIFICATE_LIFE_MS), root.notAfterMs);
      const purpose: x509.CertificatePurpose = { kind: 'leaf', usages: ['clientAuth'], uris: [x509.deviceUri(deviceId)], dnsNames: [], ipAddresses: [] };
      const info = x509.certificateInfo(crypto, { serial, issuer, commonName: deviceId, publicKey, notBeforeMs, notAfterMs, purpose });
      return { der: x509.certificate(info, crypto.p256Sign(key.scalar, info)), serial: toHex(serial), notBeforeMs, notAfterMs };
    },
  };
}

/** 126 random bits; the first byte is from 64 to 127, so the number is positive and has one length. */
function serialNumber(entropy: Entropy): Uint8Array {
  const serial = entropy.randomBytes(SERIAL_BYTES);
  serial[0] = ((serial[0] as number) & 0x3f) | 0x40;
  return serial;
}

/** Certificates hold seconds. */
function wholeSeconds(timeMs: number): number {
  return Math.floor(timeMs / 1_000) * 1_000;
}
