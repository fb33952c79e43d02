import { isIPv4, isIPv6 } from 'node:net';
import { type CryptoProvider, type Entropy, x509 } from '@uemkit/protocol';
import { roleUri, tenantUri } from '../links/certificate-guard.ts';
import type { RoleName } from '../roles/role.ts';

/** Life of the root and of role certificates. */
const LIFE_MS = 3_650 * 86_400_000;
/** OpenSSL reads the real clock, which may be a little behind: certificates begin a day early. */
const EARLY_MS = 86_400_000;

export interface KeyAndCertificate {
  /** 32 bytes. */
  readonly scalar: Uint8Array;
  /** 65 bytes. */
  readonly publicKey: Uint8Array;
  readonly certificate: Uint8Array;
}

export interface CertificateMaker {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly nowMs: number;
}

/** The root of a lab: it issues roles and devices. */
export function makeRoot(maker: CertificateMaker, commonName: string): KeyAndCertificate {
  const keys = newKey(maker);
  const issuer = { commonName, publicKey: keys.publicKey };
  return { ...keys, certificate: sign(maker, keys.scalar, { issuer, commonName, publicKey: keys.publicKey, purpose: { kind: 'authority', pathLength: 0 } }) };
}

/** Certificate of a role: it shows it as a server to devices and roles, and as a client to other roles. That of UEM names its tenant. */
export function makeRole(maker: CertificateMaker, root: KeyAndCertificate, role: RoleName, hosts: readonly string[], tenantId?: string): KeyAndCertificate {
  const keys = newKey(maker);
  const issuer = { commonName: x509.readCertificate(root.certificate).commonName, publicKey: root.publicKey };
  const ipAddresses = hosts.flatMap((host) => ipBytes(host) ?? []);
  const dnsNames = hosts.filter((host) => ipBytes(host) === undefined);
  const purpose = {
    kind: 'leaf',
    usages: ['serverAuth', 'clientAuth'],
    uris: [roleUri(role), ...(tenantId === undefined ? [] : [tenantUri(tenantId)])],
    dnsNames,
    ipAddresses,
  } as const;
  return { ...keys, certificate: sign(maker, root.scalar, { issuer, commonName: `lab ${role}`, publicKey: keys.publicKey, purpose }) };
}

/** Certificate of a client that names one thing it may do, by URI, and nothing else. */
export function makeTopicCertificate(maker: CertificateMaker, root: KeyAndCertificate, commonName: string, uri: string): KeyAndCertificate {
  const keys = newKey(maker);
  const issuer = { commonName: x509.readCertificate(root.certificate).commonName, publicKey: root.publicKey };
  const purpose = { kind: 'leaf', usages: ['clientAuth'], uris: [uri], dnsNames: [], ipAddresses: [] } as const;
  return { ...keys, certificate: sign(maker, root.scalar, { issuer, commonName, publicKey: keys.publicKey, purpose }) };
}

/** A key that signs something else than certificates. */
export function makeSigningKey(maker: CertificateMaker): Omit<KeyAndCertificate, 'certificate'> {
  return newKey(maker);
}

type Signed = Omit<x509.CertificateContent, 'serial' | 'notBeforeMs' | 'notAfterMs'>;

function sign({ crypto, entropy, nowMs }: CertificateMaker, issuerScalar: Uint8Array, content: Signed): Uint8Array {
  const serial = entropy.randomBytes(16);
  // Positive and of one length in DER.
  serial[0] = ((serial[0] as number) & 0x3f) | 0x40;
  const info = x509.certificateInfo(crypto, { ...content, serial, notBeforeMs: nowMs - EARLY_MS, notAfterMs: nowMs + LIFE_MS });
  return x509.certificate(info, crypto.p256Sign(issuerScalar, info));
}

function newKey({ crypto, entropy }: CertificateMaker): { readonly scalar: Uint8Array; readonly publicKey: Uint8Array } {
  for (;;) {
    const scalar = entropy.randomBytes(32);
    try {
      return { scalar, publicKey: crypto.p256PublicKey(scalar) };
    } catch {
      // Not below the order of the group: one draw in 2^32.
    }
  }
}

function ipBytes(host: string): Uint8Array | undefined {
  if (isIPv4(host)) return Uint8Array.from(host.split('.').map(Number));
  return isIPv6(host) ? ipv6Bytes(host) : undefined;
}

function ipv6Bytes(host: string): Uint8Array {
  const [head = '', tail] = host.split('::');
  const groups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const all = [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
