import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { verifyChain } from '../x509/chain.ts';
import {
  type PreparedSignature,
  prepareSignature,
  type ReceivedFields,
  readSignature,
  requireSignature,
  SIGNATURE_LABEL,
  type SignatureProfile,
  secondsOf,
} from './signature-fields.ts';
import { type BareItem, writeBytes } from './structured-field.ts';

/** The value of our signature in the request that is answered (RFC 9421, 2.4). */
const OF_REQUEST = {
  text: 'signature',
  parameters: new Map<string, BareItem>([
    ['req', true],
    ['key', SIGNATURE_LABEL],
  ]),
};
const ANSWER: SignatureProfile = {
  tag: 'uemkit-answer-1',
  components: [{ text: '@status', parameters: new Map() }, { text: 'content-digest', parameters: new Map() }, OF_REQUEST],
  // created, alg, keyid, tag
  parameters: 4,
};
/** Name of UEM in its certificate (docs/protocol/08-identity.md, 8.4). */
const UEM_URI = 'urn:uemkit:role:uem';

/** An answer of UEM to a signed request; the status is always 200. */
export interface AnswerToSign {
  readonly body: Uint8Array;
  /** DER of UEM's role certificate. */
  readonly certificate: Uint8Array;
  readonly createdS: number;
  /** Of the request that is answered, r||s. */
  readonly requestSignature: Uint8Array;
}

/** An answer as the device got it. */
export interface SignedAnswer {
  readonly body: Uint8Array;
  readonly fields: ReceivedFields;
  readonly requestSignature: Uint8Array;
  /** Authorities of the tenant, DER (A6). */
  readonly roots: readonly Uint8Array[];
  readonly nowMs: number;
}

/** Gets an answer ready for UEM's key. */
export function prepareAnswer(crypto: Pick<CryptoProvider, 'sha256'>, answer: AnswerToSign): PreparedSignature {
  const { body, certificate, createdS, requestSignature } = answer;
  return prepareSignature(crypto, ANSWER, { body, certificate, values: valuesOf(requestSignature), parameters: new Map([['created', createdS]]) });
}

/**
 * Holds an answer to be UEM's, and to be the answer to this very request: whoever ends TLS in between can neither give orders nor swap answers.
 * @throws ProtocolError `ERR_WIRE_FIELD`, `ERR_WIRE_LIMIT`, `ERR_CERTIFICATE_*`, `ERR_CRYPTO_SIGNATURE`, `ERR_CRYPTO_PUBLIC_KEY`
 */
export function verifyAnswer(crypto: CryptoProvider, answer: SignedAnswer): void {
  const { body, fields, requestSignature, roots, nowMs } = answer;
  const read = readSignature(crypto, ANSWER, { body, fields, values: valuesOf(requestSignature) });
  secondsOf(read.parameters, 'created');
  const { purpose, publicKey } = verifyChain(crypto, { certificates: [read.certificate], roots, usage: 'serverAuth', nowMs });
  if (purpose.kind !== 'leaf' || !purpose.uris.includes(UEM_URI)) throw new ProtocolError('ERR_CERTIFICATE_CHAIN', 'certificate is not that of UEM');
  requireSignature(crypto, publicKey, read);
}

function valuesOf(requestSignature: Uint8Array): ReadonlyMap<string, string> {
  return new Map([
    ['"@status"', '200'],
    [`"signature";req;key="${SIGNATURE_LABEL}"`, writeBytes(requestSignature)],
  ]);
}
