import { FRAME_HEADER_BYTES, FRAME_VERSION, type Frame, type MessageCodec } from './frame.ts';
import { FRAME_TYPES } from './frame-types.ts';
import { LIMITS } from './limits.ts';

/** Bytes of a stream. */
export interface StreamData {
  readonly streamId: number;
  readonly bytes: Uint8Array;
}

/** A map of two fields, and the keys of them. */
const MAP_OF_TWO = 0xa2;
const KEY_STREAM_ID = 0;
const KEY_BYTES = 1;
/** Major types of CBOR, in their place in an initial byte. */
const UINT = 0x00;
const BYTES = 0x40;

/**
 * The codec of the one message that carries bytes, which is nearly all that a session sends: written and read in one go, where the codec of every message takes four copies. The bytes on
 * the wire are those of `general`, and whatever is not exactly of the usual form is left to it.
 */
export function dataCodec(general: MessageCodec<StreamData>): MessageCodec<StreamData> {
  return {
    ...general,
    encode: (message) => (isUsual(message) ? writeStreamData(message, new Uint8Array(frameBytes(message))) : general.encode(message)),
    decode: (frame) => read(frame) ?? general.decode(frame),
  };
}

function isUsual({ streamId, bytes }: StreamData): boolean {
  return Number.isInteger(streamId) && streamId >= 0 && streamId <= 0xffff_ffff && bytes.length > 0 && bytes.length <= LIMITS.streamDataBytes;
}

function overheadBytes(streamId: number, lengthBytes: number): number {
  return FRAME_HEADER_BYTES + 5 + widthOf(streamId) + widthOf(lengthBytes);
}

function frameBytes({ streamId, bytes }: StreamData): number {
  return overheadBytes(streamId, bytes.length) + bytes.length;
}

/** Plaintext of a full record of TLS (RFC 8446, 5.1). */
const TLS_RECORD_BYTES = 16_384;

/** Bytes of a stream in a frame that fills one record of TLS: who reads such a record has the whole frame in his hands, and copies nothing. */
export function dataBytesOfTlsRecord(streamId: number): number {
  return TLS_RECORD_BYTES - overheadBytes(streamId, TLS_RECORD_BYTES);
}

/** Writes the frame of a message that is in order into memory with room for it, and gives the part that it fills. */
export function writeStreamData(message: StreamData, into: Uint8Array): Uint8Array {
  const { streamId, bytes } = message;
  const frame = into.subarray(0, frameBytes(message));
  frame[0] = FRAME_VERSION;
  frame[1] = FRAME_TYPES.streamData;
  frame[2] = 0;
  frame[3] = 0;
  writeNumber(frame, 4, frame.length - FRAME_HEADER_BYTES, 4);
  frame[8] = MAP_OF_TWO;
  frame[9] = KEY_STREAM_ID;
  const key = writeHead(frame, 10, UINT, streamId);
  frame[key] = KEY_BYTES;
  frame.set(bytes, writeHead(frame, key + 1, BYTES, bytes.length));
  return frame;
}

/** Undefined: not of the usual form. */
function read({ name, body }: Frame): StreamData | undefined {
  if (name !== 'streamData' || body[0] !== MAP_OF_TWO || body[1] !== KEY_STREAM_ID) return undefined;
  const streamId = argument(body, 2, UINT);
  if (streamId < 0) return undefined;
  const key = 3 + widthOf(streamId);
  if (body[key] !== KEY_BYTES) return undefined;
  const lengthBytes = argument(body, key + 1, BYTES);
  const start = key + 2 + widthOf(lengthBytes);
  if (lengthBytes < 1 || lengthBytes > LIMITS.streamDataBytes || body.length - start !== lengthBytes) return undefined;
  return { streamId, bytes: body.subarray(start) };
}

/** Bytes of an argument after its initial byte, in the shortest form. */
function widthOf(value: number): number {
  return value < 24 ? 0 : value <= 0xff ? 1 : value <= 0xffff ? 2 : 4;
}

/** Gives the place behind it. */
function writeHead(into: Uint8Array, at: number, major: number, value: number): number {
  const width = widthOf(value);
  into[at] = major | (width === 0 ? value : width === 4 ? 26 : 23 + width);
  writeNumber(into, at + 1, value, width);
  return at + 1 + width;
}

function writeNumber(into: Uint8Array, at: number, value: number, width: number): void {
  for (let left = width, rest = value; left > 0; left--, rest = Math.floor(rest / 256)) into[at + left - 1] = rest % 256;
}

/** Argument of a head of this major type in its shortest form of at most four bytes; -1: it is something else. */
function argument(from: Uint8Array, at: number, major: number): number {
  const info = (from[at] as number) - major;
  if (info < 0 || info > 26) return -1;
  if (info < 24) return info;
  const width = info === 26 ? 4 : info - 23;
  let value = 0;
  for (let index = at + 1; index <= at + width; index++) value = value * 256 + (from[index] as number);
  return widthOf(value) === width ? value : -1;
}
