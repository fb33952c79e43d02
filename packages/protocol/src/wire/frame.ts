import { readU32be, writeU32be } from '../bytes/bytes.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import { decodeCbor } from './cbor/decode.ts';
import { encodeCbor } from './cbor/encode.ts';
import { FRAME_TYPES, type FrameName, frameName } from './frame-types.ts';
import { LIMITS } from './limits.ts';
import type { FieldType } from './schema.ts';

/*
 * offset size field
 * 0      1    version = 1
 * 1      1    type
 * 2      2    flags = 0
 * 4      4    length of the body in bytes (trailers are not counted)
 * 8      n    body: one CBOR map
 * 8+n    m    trailers: signature (64 bytes) where the type has one, then MAC (32 bytes)
 */
export const FRAME_VERSION = 1;
export const FRAME_HEADER_BYTES = 8;

/** A frame taken apart; the parts are views of the received bytes. */
export interface Frame {
  readonly name: FrameName;
  /** Header and body, which is what MACs and transcripts cover. */
  readonly core: Uint8Array;
  readonly body: Uint8Array;
  readonly trailer: Uint8Array;
}

/** What a header announces. */
export interface FrameHeader {
  readonly name: FrameName;
  readonly bodyBytes: number;
}

/**
 * Checks the header at the start of `bytes`; what follows may not have arrived yet.
 * @throws ProtocolError `ERR_WIRE_TRUNCATED`, `_VERSION`, `_TYPE`, `_LIMIT`
 */
export function parseFrameHeader(bytes: Uint8Array, maxBodyBytes: number): FrameHeader {
  if (bytes.length < FRAME_HEADER_BYTES) throw new ProtocolError('ERR_WIRE_TRUNCATED', 'frame is shorter than its header');
  if (bytes[0] !== FRAME_VERSION || bytes[2] !== 0 || bytes[3] !== 0) throw new ProtocolError('ERR_WIRE_VERSION', 'unknown frame version or flags');
  const name = frameName(bytes[1] as number);
  if (name === undefined) throw new ProtocolError('ERR_WIRE_TYPE', 'unknown frame type');
  const bodyBytes = readU32be(bytes, 4);
  if (bodyBytes > maxBodyBytes) throw new ProtocolError('ERR_WIRE_LIMIT', 'frame body is too large', { details: { bodyBytes, maxBodyBytes } });
  return { name, bodyBytes };
}

/**
 * Checks the header of one whole frame and takes it apart.
 * @throws ProtocolError `ERR_WIRE_TRUNCATED`, `_VERSION`, `_TYPE`, `_LIMIT`, `_TRAILING`
 */
export function parseFrame(bytes: Uint8Array, options: { readonly maxBodyBytes?: number; readonly trailerBytes?: number } = {}): Frame {
  const { maxBodyBytes = LIMITS.bodyBytes, trailerBytes = 0 } = options;
  const { name, bodyBytes } = parseFrameHeader(bytes, maxBodyBytes);
  const coreBytes = FRAME_HEADER_BYTES + bodyBytes;
  if (bytes.length < coreBytes + trailerBytes) throw new ProtocolError('ERR_WIRE_TRUNCATED', 'frame is cut short');
  if (bytes.length > coreBytes + trailerBytes) throw new ProtocolError('ERR_WIRE_TRAILING', 'bytes after the end of the frame');
  return { name, core: bytes.subarray(0, coreBytes), body: bytes.subarray(FRAME_HEADER_BYTES, coreBytes), trailer: bytes.subarray(coreBytes) };
}

/** Name of the frame that `bytes` seem to hold, from the header alone; for routing and traces. */
export function peekFrameName(bytes: Uint8Array): FrameName | undefined {
  return bytes.length >= FRAME_HEADER_BYTES && bytes[0] === FRAME_VERSION ? frameName(bytes[1] as number) : undefined;
}

/** One message: its frame type and the type of its body. */
export interface MessageCodec<T> {
  readonly name: FrameName;
  /** Header and body. Trailers are appended by whoever computes them. */
  encode(message: T): Uint8Array;
  /** @throws ProtocolError `ERR_WIRE_*`, also when the frame is of another type. */
  decode(frame: Frame): T;
  /** The bare body map, as it stands inside a record of A5, A6 and M3. */
  encodeBody(message: T): Uint8Array;
  decodeBody(body: Uint8Array): T;
}

/** Defines a message. */
export function message<T extends object>(name: FrameName, body: FieldType<T>): MessageCodec<T> {
  const encodeAfter = (room: number, value: T): Uint8Array => {
    const encoded = encodeCbor(body.encode(value, name), room);
    if (encoded.length - room > LIMITS.bodyBytes) throw new ProtocolError('ERR_WIRE_LIMIT', `${name}: message is too large`);
    return encoded;
  };
  const decodeBody = (bytes: Uint8Array): T => body.decode(decodeCbor(bytes), name);
  return {
    name,
    encodeBody: (value) => encodeAfter(0, value),
    decodeBody,
    encode(value) {
      const frame = encodeAfter(FRAME_HEADER_BYTES, value);
      frame[0] = FRAME_VERSION;
      frame[1] = FRAME_TYPES[name];
      writeU32be(frame, 4, frame.length - FRAME_HEADER_BYTES);
      return frame;
    },
    decode(frame) {
      if (frame.name !== name) throw new ProtocolError('ERR_WIRE_TYPE', `expected ${name}, got ${frame.name}`);
      return decodeBody(frame.body);
    },
  };
}
