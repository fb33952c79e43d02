import { ProtocolError } from '../errors/protocol-error.ts';
import { LIMITS } from './limits.ts';
import { arrayOf, bytes, type FieldType, text, uint } from './schema.ts';

/** Field types that several messages share. */
export const versions: FieldType<readonly number[]> = arrayOf(uint(1, 0xffff), 1, 16);
export const suites: FieldType<readonly number[]> = arrayOf(uint(1, 0xffff), 1, 16);
export const version: FieldType<number> = uint(1, 0xffff);
export const suite: FieldType<number> = uint(1, 0xffff);
export const id16: FieldType<Uint8Array> = bytes(16);
export const random32: FieldType<Uint8Array> = bytes(32);
export const point65: FieldType<Uint8Array> = bytes(65);
export const userIdText: FieldType<string> = text(1, LIMITS.userIdBytes);
export const epochSeconds: FieldType<number> = uint();
export const certificate: FieldType<Uint8Array> = bytes(1, LIMITS.certificateBytes);
export const certificates: FieldType<readonly Uint8Array[]> = arrayOf(certificate, 1, LIMITS.certificates);
export const spkiPins: FieldType<readonly Uint8Array[]> = arrayOf(bytes(32), 0, 8);

const addressText: FieldType<string> = text(3, LIMITS.textBytes);
const HOST_AND_PORT = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/;

/** Devices dial what a message names, before they know who sent it: nothing but a host and a port gets that far. */
function requireAddress(value: string, field: string): string {
  const port = Number(HOST_AND_PORT.exec(value)?.[1]);
  // check: host and port
  if (!(port >= 1 && port <= 65_535)) throw new ProtocolError('ERR_WIRE_FIELD', `${field}: is not \`host:port\``, { details: { field } });
  return value;
}

/** `host:port`; an IPv6 host stands in brackets. */
export const address: FieldType<string> = {
  encode: (value, field) => addressText.encode(requireAddress(value, field), field),
  decode: (value, field) => requireAddress(addressText.decode(value, field), field),
};

/** The one protocol version and cipher suite of today. */
export const PROTOCOL_VERSION = 1;
/** P-256, SHA-256, HKDF and HMAC with SHA-256, A256CBC-HS512, AES-256-GCM. Reserved: 2 (X25519), 3 (P-256 + ML-KEM-768). */
export const SUITE_P256 = 0x0001;
