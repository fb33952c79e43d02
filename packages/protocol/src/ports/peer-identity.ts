/** Who the peer of a request is, as the adapter that carried it found out. Server logic never reads a socket. */
export type PeerIdentity =
  | { readonly kind: 'anonymous'; readonly source: string }
  | CertificatePeer
  | SignaturePeer
  | { readonly kind: 'memory'; readonly source: string; readonly deviceId: string; readonly publicKey: Uint8Array };

/** A peer that proved the possession of a certificate's key in TLS. */
export interface CertificatePeer {
  readonly kind: 'certificate';
  /** Address of the original peer, for limits; never an identity. */
  readonly source: string;
  /** DER of the leaf certificate; TLS checked the chain, the role checks validity and revocation by its own clock. */
  readonly certificate: Uint8Array;
}

/** A peer that proved the possession of a certificate's key by the signature of this one request (docs/protocol/11-signatures.md). */
export interface SignaturePeer {
  readonly kind: 'signature';
  /** Address of the original peer, for limits; never an identity. */
  readonly source: string;
  /** DER of the leaf certificate; the adapter checked the chain, the role checks validity and revocation by its own clock. */
  readonly certificate: Uint8Array;
}
