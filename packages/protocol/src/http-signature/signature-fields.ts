import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { contentDigest, requireContentDigest } from './content-digest.ts';
import { certificateField, keyIdOf, readCertificateField } from './key-id.ts';
import { type Component, signatureBase } from './signature-base.ts';
import { type Member, malformed, type Parameters, readDictionary, type StringItem, writeBytes, writeItem, writeList } from './structured-field.ts';

/** The header fields that carry a signature of ours, by their names in lower case. */
export interface SignatureFields {
  readonly 'content-digest': string;
  readonly 'signature-input': string;
  readonly signature: string;
  /** Leaf certificate of the signer, a byte sequence. Not covered: the key id names it. */
  readonly 'uemkit-certificate': string;
}

/** Header fields as received; a field that came more than once is joined, and refused for that. */
export type ReceivedFields = { readonly [Name in keyof SignatureFields]?: string | undefined };

/** Names of the fields, for lists of what a page may send and read. */
export const SIGNATURE_FIELDS: readonly (keyof SignatureFields)[] = ['content-digest', 'signature-input', 'signature', 'uemkit-certificate'];

/** Label of our one signature in both dictionaries. */
export const SIGNATURE_LABEL = 'uemkit';
export const SIGNATURE_ALGORITHM = 'ecdsa-p256-sha256';
const SIGNATURE_BYTES = 64;

/** What a signature is about: which components it covers, in order, and how many parameters it has. */
export interface SignatureProfile {
  readonly tag: string;
  readonly components: readonly StringItem[];
  /** How many parameters there are; each is demanded where it is read. */
  readonly parameters: number;
}

/** A message that is to be signed, as far as the signature is concerned. */
export interface UnsignedMessage {
  readonly body: Uint8Array;
  /** DER of the signer's leaf certificate. */
  readonly certificate: Uint8Array;
  /** Values of the components but `content-digest`, by their serialised names. */
  readonly values: ReadonlyMap<string, string>;
  /** Parameters but `alg`, `keyid` and `tag`. */
  readonly parameters: Parameters;
}

/** What the key has to sign, and the fields once it has. */
export interface PreparedSignature {
  readonly base: Uint8Array;
  /** `signature`: r||s. */
  fields(signature: Uint8Array): SignatureFields;
}

/** A signature as read; nothing of it is trusted before its key has verified `base`. */
export interface ReadSignature {
  readonly base: Uint8Array;
  readonly signature: Uint8Array;
  readonly certificate: Uint8Array;
  readonly keyId: string;
  readonly parameters: Parameters;
}

/** Gets a message ready for the signing key. */
export function prepareSignature(crypto: Pick<CryptoProvider, 'sha256'>, profile: SignatureProfile, message: UnsignedMessage): PreparedSignature {
  const digest = contentDigest(crypto, message.body);
  const keyId = keyIdOf(crypto, message.certificate);
  const parameters = new Map([...message.parameters, ['alg', SIGNATURE_ALGORITHM], ['keyid', keyId], ['tag', profile.tag]] as const);
  const components = componentsOf(profile, message.values, digest);
  return {
    base: signatureBase(components, parameters),
    fields: (signature) => ({
      'content-digest': digest,
      'signature-input': `${SIGNATURE_LABEL}=${writeList(components, parameters)}`,
      signature: `${SIGNATURE_LABEL}=${writeBytes(signature)}`,
      'uemkit-certificate': certificateField(message.certificate),
    }),
  };
}

/**
 * Reads the one signature of a message and holds it to its profile: label, components and their order, parameters, algorithm, tag, digest of the body, key id.
 * @throws ProtocolError `ERR_WIRE_FIELD`, `ERR_WIRE_LIMIT`; `ERR_CRYPTO_SIGNATURE` when body or certificate are not those that were signed
 */
export function readSignature(
  crypto: Pick<CryptoProvider, 'sha256'>,
  profile: SignatureProfile,
  message: { readonly body: Uint8Array; readonly fields: ReceivedFields; readonly values: ReadonlyMap<string, string> },
): ReadSignature {
  const { fields, body, values } = message;
  const input = onlyMember('signature-input', fields['signature-input']);
  const value = onlyMember('signature', fields.signature);
  if (input.kind !== 'list') throw malformed('signature-input');
  if (value.kind !== 'bytes' || value.parameters.size > 0 || value.value.length !== SIGNATURE_BYTES) throw malformed('signature');
  const { items, parameters } = input;
  if (items.map(writeItem).join(' ') !== profile.components.map(writeItem).join(' ')) throw malformed('signature-input');
  if (parameters.size !== profile.parameters) throw malformed('signature-input');
  if (parameters.get('alg') !== SIGNATURE_ALGORITHM || parameters.get('tag') !== profile.tag) throw malformed('signature-input');
  const digest = requireField('content-digest', fields['content-digest']);
  requireContentDigest(crypto, digest, body);
  const certificate = readCertificateField(requireField('uemkit-certificate', fields['uemkit-certificate']));
  const keyId = keyIdOf(crypto, certificate);
  if (parameters.get('keyid') !== keyId) throw new ProtocolError('ERR_CRYPTO_SIGNATURE', 'the key id names another certificate');
  return { base: signatureBase(componentsOf(profile, values, digest), parameters), signature: value.value, certificate, keyId, parameters };
}

/** @throws ProtocolError `ERR_CRYPTO_SIGNATURE`, `ERR_CRYPTO_PUBLIC_KEY` */
export function requireSignature(crypto: Pick<CryptoProvider, 'p256Verify'>, publicKey: Uint8Array, { base, signature }: ReadSignature): void {
  if (!crypto.p256Verify(publicKey, base, signature)) throw new ProtocolError('ERR_CRYPTO_SIGNATURE', 'the signature does not verify');
}

/** A parameter in seconds. @throws ProtocolError `ERR_WIRE_FIELD` */
export function secondsOf(parameters: Parameters, name: string): number {
  const value = parameters.get(name);
  if (typeof value !== 'number') throw malformed('signature-input');
  return value;
}

function componentsOf(profile: SignatureProfile, values: ReadonlyMap<string, string>, digest: string): readonly Component[] {
  // The profile names what `values` has; the digest alone comes from the message.
  return profile.components.map((item) => ({ ...item, value: values.get(writeItem(item)) ?? digest }));
}

function onlyMember(field: keyof SignatureFields, text: string | undefined): Member {
  const members = readDictionary(field, requireField(field, text));
  const member = members.get(SIGNATURE_LABEL);
  if (member === undefined || members.size !== 1) throw malformed(field);
  return member;
}

function requireField(field: keyof SignatureFields, text: string | undefined): string {
  if (text === undefined) throw new ProtocolError('ERR_WIRE_FIELD', `${field}: is missing`, { details: { field } });
  return text;
}
