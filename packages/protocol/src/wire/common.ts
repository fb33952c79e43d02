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
export const userIdText: FieldType<string> = text(1, LIMITS.userIdBytes.value);
export const epochSeconds: FieldType<number> = uint();
export const certificate: FieldType<Uint8Array> = bytes(1, LIMITS.certificateBytes.value);
export const certificates: FieldType<readonly Uint8Array[]> = arrayOf(certificate, 1, LIMITS.certificates.value);
export const spkiPins: FieldType<readonly Uint8Array[]> = arrayOf(bytes(32), 0, 8);
/** `host:port`. */
export const address: FieldType<string> = text(3, LIMITS.textBytes.value);

/** The one protocol version and cipher suite of today. */
export const PROTOCOL_VERSION = 1;
/** P-256, SHA-256, HKDF and HMAC with SHA-256, A256CBC-HS512, AES-256-GCM. Reserved: 2 (X25519), 3 (P-256 + ML-KEM-768). */
export const SUITE_P256 = 0x0001;
