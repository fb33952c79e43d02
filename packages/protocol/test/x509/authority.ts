import { nodeCrypto } from '../../src/providers/node/index.ts';
import { seededEntropy } from '../../src/testing/fakes/seeded-entropy.ts';
import type { CertificatePurpose, CertificateUsage } from '../../src/x509/certificate-content.ts';
import { certificate, certificateInfo } from '../../src/x509/certificate-writer.ts';

export const crypto = nodeCrypto();
export const NOW_MS = Date.UTC(2026, 5, 1, 12, 0, 0);
export const DAY_MS = 86_400_000;
export const DEVICE_ID = '8f2b7c1e-5a0d-4c3e-9b1f-2d6a7e8c9f01';

/** A key pair of a test. */
export interface TestKey {
  readonly scalar: Uint8Array;
  readonly publicKey: Uint8Array;
}

export function testKey(name: string): TestKey {
  const scalar = seededEntropy(`x509 ${name}`).randomBytes(32);
  return { scalar, publicKey: crypto.p256PublicKey(scalar) };
}

/** A name with a key that signs certificates. */
export interface TestAuthority {
  readonly commonName: string;
  readonly key: TestKey;
}

export interface Issue {
  readonly issuer: TestAuthority;
  readonly commonName: string;
  readonly key: TestKey;
  readonly purpose: CertificatePurpose;
  readonly serial?: Uint8Array;
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
  /** Signs instead of the issuer. */
  readonly signer?: TestKey;
}

export function issue({ issuer, commonName, key, purpose, serial, notBeforeMs, notAfterMs, signer }: Issue): Uint8Array {
  const info = certificateInfo(crypto, {
    serial: serial ?? Uint8Array.of(0x12, 0x34, 0x56),
    issuer: { commonName: issuer.commonName, publicKey: issuer.key.publicKey },
    commonName,
    publicKey: key.publicKey,
    notBeforeMs: notBeforeMs ?? NOW_MS - DAY_MS,
    notAfterMs: notAfterMs ?? NOW_MS + 365 * DAY_MS,
    purpose,
  });
  return certificate(info, crypto.p256Sign((signer ?? issuer.key).scalar, info));
}

export const ROOT: TestAuthority = { commonName: 'Lab root', key: testKey('root') };
export const AUTHORITY: CertificatePurpose = { kind: 'authority', pathLength: 1 };

export function rootCertificate(root: TestAuthority = ROOT, purpose: CertificatePurpose = AUTHORITY): Uint8Array {
  return issue({ issuer: root, commonName: root.commonName, key: root.key, purpose });
}

export function leafPurpose(options: { readonly usages?: readonly CertificateUsage[]; readonly uris?: readonly string[] } = {}): CertificatePurpose {
  return { kind: 'leaf', usages: options.usages ?? ['clientAuth'], uris: options.uris ?? [`urn:uuid:${DEVICE_ID}`], dnsNames: [], ipAddresses: [] };
}

export const DEVICE_KEY: TestKey = testKey('device');

export function deviceCertificate(change: Partial<Issue> = {}): Uint8Array {
  return issue({ issuer: ROOT, commonName: DEVICE_ID, key: DEVICE_KEY, purpose: leafPurpose(), ...change });
}

export function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
