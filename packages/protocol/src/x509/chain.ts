import { sameBytes } from '../bytes/bytes.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { type Certificate, type CertificateUsage, deviceUri } from './certificate-content.ts';
import { readCertificate } from './certificate-reader.ts';

/** Leaf and one intermediate authority. */
const MAX_CHAIN = 2;

/** A chain to be judged. */
export interface ChainQuestion {
  /** Leaf first, then its issuer when that is no root. DER. */
  readonly certificates: readonly Uint8Array[];
  /** Trusted authorities, DER. */
  readonly roots: readonly Uint8Array[];
  /** What the leaf is shown for. */
  readonly usage: CertificateUsage;
  /** Wall clock of the caller. */
  readonly nowMs: number;
  /** The caller's own key, when the certificate has to be for it. */
  readonly publicKey?: Uint8Array | undefined;
}

/**
 * The leaf, when it leads to one of the roots: names, key identifiers, signatures, authority flags, path length, purpose and validity of all.
 * Revocation is the issuer's own business: it knows its serial numbers.
 * @throws ProtocolError `ERR_CERTIFICATE_FORMAT`, `ERR_CERTIFICATE_CHAIN`, `ERR_CERTIFICATE_VALIDITY`, `ERR_CRYPTO_PUBLIC_KEY`
 */
export function verifyChain(crypto: CryptoProvider, question: ChainQuestion): Certificate {
  const { certificates, roots, usage, nowMs, publicKey } = question;
  const [leaf, intermediate] = certificates.slice(0, MAX_CHAIN).map(readCertificate);
  if (leaf === undefined || certificates.length > MAX_CHAIN) throw chainError('a chain has one or two certificates');
  if (leaf.purpose.kind !== 'leaf' || !leaf.purpose.usages.includes(usage)) throw chainError('certificate is not for this purpose');
  if (publicKey !== undefined && !sameBytes(leaf.publicKey, publicKey)) throw chainError('certificate is for another key');
  const anchors = roots.map(readCertificate);
  if (intermediate === undefined) {
    checkSigned(crypto, leaf, anchors, 0);
  } else {
    checkSigned(crypto, intermediate, anchors, 1);
    checkSigned(crypto, leaf, [intermediate], 0);
    checkValidity(intermediate, nowMs);
  }
  checkValidity(anchorOf(intermediate ?? leaf, anchors), nowMs);
  checkValidity(leaf, nowMs);
  return leaf;
}

/** What a device checks of the certificate that it gets in A6 or at a renewal: its own key, its id, a chain to the tenant's roots. */
export interface IssuedQuestion {
  readonly certificates: readonly Uint8Array[];
  readonly tenantRoots: readonly Uint8Array[];
  readonly publicKey: Uint8Array;
  readonly deviceId: string;
  readonly nowMs: number;
}

/** @throws ProtocolError as `verifyChain` */
export function verifyIssued(crypto: CryptoProvider, question: IssuedQuestion): Certificate {
  const { certificates, tenantRoots, publicKey, deviceId, nowMs } = question;
  const leaf = verifyChain(crypto, { certificates, roots: tenantRoots, usage: 'clientAuth', publicKey, nowMs });
  if (deviceIdOf(leaf) !== deviceId) throw chainError('certificate is for another device');
  return leaf;
}

/** The device that a certificate names, in both places alike; undefined when it names none. */
export function deviceIdOf({ commonName, purpose }: Certificate): string | undefined {
  return purpose.kind === 'leaf' && purpose.uris.length === 1 && purpose.uris[0] === deviceUri(commonName) ? commonName : undefined;
}

function anchorOf(certificate: Certificate, anchors: readonly Certificate[]): Certificate {
  const anchor = anchors.find((candidate) => isNamedIssuer(candidate, certificate));
  if (anchor === undefined) throw chainError('certificate does not lead to a trusted root');
  return anchor;
}

function isNamedIssuer(issuer: Certificate, { issuerName, authorityKeyId }: Certificate): boolean {
  return sameBytes(issuer.subjectName, issuerName) && authorityKeyId !== undefined && sameBytes(issuer.subjectKeyId, authorityKeyId);
}

/** `below`: authorities between the issuer and the leaf. */
function checkSigned(crypto: CryptoProvider, certificate: Certificate, issuers: readonly Certificate[], below: number): void {
  const issuer = anchorOf(certificate, issuers);
  if (issuer.purpose.kind !== 'authority' || issuer.purpose.pathLength < below) throw chainError('issuer is no authority for this chain');
  if (!crypto.p256Verify(issuer.publicKey, certificate.signedBytes, certificate.signature)) throw chainError('certificate is not signed by its issuer');
}

/** @throws ProtocolError `ERR_CERTIFICATE_VALIDITY` */
export function checkValidity({ notBeforeMs, notAfterMs }: Certificate, nowMs: number): void {
  if (nowMs < notBeforeMs) throw new ProtocolError('ERR_CERTIFICATE_VALIDITY', 'certificate is not valid yet');
  if (nowMs > notAfterMs) throw new ProtocolError('ERR_CERTIFICATE_VALIDITY', 'certificate is expired');
}

function chainError(problem: string): ProtocolError {
  return new ProtocolError('ERR_CERTIFICATE_CHAIN', problem);
}
