/** What a certificate's key may be used for (RFC 5280, 4.2.1.12). */
export type CertificateUsage = 'clientAuth' | 'serverAuth';

/** What a certificate stands for: an authority, or the end of a chain. */
export type CertificatePurpose =
  | { readonly kind: 'authority' /** Authorities that may stand below it. */; readonly pathLength: number }
  | {
      readonly kind: 'leaf';
      readonly usages: readonly CertificateUsage[];
      /** For example `urn:uuid:` and a device id. */
      readonly uris: readonly string[];
      readonly dnsNames: readonly string[];
      /** 4 or 16 bytes each. */
      readonly ipAddresses: readonly Uint8Array[];
    };

/** Name and key of an authority. */
export interface CertificateIssuer {
  readonly commonName: string;
  readonly publicKey: Uint8Array;
}

/** Everything that stands in a certificate of our profile. */
export interface CertificateContent {
  /** 1 to 20 bytes, the first one from 1 to 127, so that no other length reads the same. */
  readonly serial: Uint8Array;
  readonly issuer: CertificateIssuer;
  readonly commonName: string;
  /** 65 bytes, uncompressed. */
  readonly publicKey: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly purpose: CertificatePurpose;
}

/** A certificate as read. Nothing in it is trusted before `verifyChain`. */
export interface Certificate {
  readonly der: Uint8Array;
  /** The bytes that the issuer signed. */
  readonly signedBytes: Uint8Array;
  /** r||s. */
  readonly signature: Uint8Array;
  /** Lower-case hexadecimal, without leading zeros bytes. */
  readonly serial: string;
  /** Distinguished names in DER, for comparison. */
  readonly issuerName: Uint8Array;
  readonly subjectName: Uint8Array;
  readonly commonName: string;
  readonly publicKey: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly purpose: CertificatePurpose;
  readonly subjectKeyId: Uint8Array;
  /** Absent in a self-signed one. */
  readonly authorityKeyId: Uint8Array | undefined;
}

/** Name of a device in its certificate. */
export function deviceUri(deviceId: string): string {
  return `urn:uuid:${deviceId}`;
}
