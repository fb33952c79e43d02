import { concatBytes } from '../bytes/bytes.ts';
import { fromBase64url, toBase64url } from '../bytes/text.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { readCertificate } from '../x509/certificate-reader.ts';
import { verifyChain } from '../x509/chain.ts';
import { EPOCH_BYTES } from './challenge.ts';
import { SIGNATURE_LIMITS } from './limits.ts';
import {
  type PreparedSignature,
  prepareSignature,
  type ReceivedFields,
  readSignature,
  requireSignature,
  type SignatureProfile,
  secondsOf,
} from './signature-fields.ts';
import { malformed, type Parameters } from './structured-field.ts';

/** Random bytes behind the epoch in a nonce. */
export const NONCE_RANDOM_BYTES = 16;
const NONCE_BYTES = EPOCH_BYTES + NONCE_RANDOM_BYTES;

const PLAIN: Parameters = new Map();
const REQUEST: SignatureProfile = {
  tag: 'uemkit-request-1',
  components: ['@method', '@target-uri', 'content-digest'].map((text) => ({ text, parameters: PLAIN })),
  // created, expires, nonce, alg, keyid, tag
  parameters: 6,
};

/** The request of a device (F1.5, F5.3), always a POST. */
export interface RequestToSign {
  readonly targetUri: string;
  readonly body: Uint8Array;
  /** DER of the device certificate. */
  readonly certificate: Uint8Array;
  /** Seconds since 1970, by the verifier's clock as far as it is known. */
  readonly createdS: number;
  /** Of the last challenge; zeros before there was one. */
  readonly epoch: Uint8Array;
  /** `NONCE_RANDOM_BYTES`, fresh for each signature. */
  readonly random: Uint8Array;
}

/** A request as the verifier got it. */
export interface SignedRequest {
  /** Where the verifier knows itself to be: never taken from the request. */
  readonly targetUri: string;
  readonly body: Uint8Array;
  readonly fields: ReceivedFields;
  /** Authorities that device certificates come from, DER. */
  readonly roots: readonly Uint8Array[];
}

/** Who signed a request, and what keeps it from being used twice. */
export interface RequestProof {
  /** DER of the device certificate. Its dates are not judged: that is the role's business, as with TLS. */
  readonly certificate: Uint8Array;
  readonly keyId: string;
  readonly createdS: number;
  readonly expiresS: number;
  readonly epoch: Uint8Array;
  /** As received, epoch included. */
  readonly nonce: string;
  /** r||s; an answer is bound to it. */
  readonly signature: Uint8Array;
}

/** URI of a service at `address` (`host:port`), in the one form that both ends sign: scheme and host in lower case, port 443 left out. */
export function targetUri(address: string, path: string): string {
  return `https://${address.toLowerCase().replace(/:443$/, '')}${path}`;
}

/** Gets a request ready for the device key. */
export function prepareRequest(crypto: Pick<CryptoProvider, 'sha256'>, request: RequestToSign): PreparedSignature {
  const { body, certificate, createdS } = request;
  const nonce = toBase64url(concatBytes(request.epoch, request.random));
  const parameters = new Map<string, string | number>([
    ['created', createdS],
    ['expires', createdS + SIGNATURE_LIMITS.lifeS],
    ['nonce', nonce],
  ]);
  return prepareSignature(crypto, REQUEST, { body, certificate, values: valuesOf(request.targetUri), parameters });
}

/**
 * Who signed a request. Whether it is in time and new is for the `ReplayMemory` to say, whether the device is still wanted for the role.
 * @throws ProtocolError `ERR_WIRE_FIELD`, `ERR_WIRE_LIMIT`, `ERR_CERTIFICATE_FORMAT`, `ERR_CERTIFICATE_CHAIN`, `ERR_CRYPTO_SIGNATURE`, `ERR_CRYPTO_PUBLIC_KEY`
 */
export function verifyRequest(crypto: CryptoProvider, request: SignedRequest): RequestProof {
  const read = readSignature(crypto, REQUEST, { body: request.body, fields: request.fields, values: valuesOf(request.targetUri) });
  const [createdS, expiresS] = [secondsOf(read.parameters, 'created'), secondsOf(read.parameters, 'expires')];
  if (expiresS <= createdS || expiresS - createdS > SIGNATURE_LIMITS.lifeS) throw malformed('signature-input');
  const nonce = read.parameters.get('nonce');
  const epoch = epochOf(nonce);
  const { certificate, keyId, signature } = read;
  // At the first instant of the certificate every date of the chain holds: dates are not judged here.
  const { notBeforeMs, publicKey } = readCertificate(certificate);
  verifyChain(crypto, { certificates: [certificate], roots: request.roots, usage: 'clientAuth', nowMs: notBeforeMs });
  requireSignature(crypto, publicKey, read);
  return { certificate, keyId, createdS, expiresS, epoch, nonce: nonce as string, signature };
}

function valuesOf(uri: string): ReadonlyMap<string, string> {
  return new Map([
    ['"@method"', 'POST'],
    ['"@target-uri"', uri],
  ]);
}

function epochOf(nonce: unknown): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = fromBase64url(String(nonce));
  } catch {
    throw malformed('signature-input');
  }
  if (bytes.length !== NONCE_BYTES) throw malformed('signature-input');
  return bytes.slice(0, EPOCH_BYTES);
}
