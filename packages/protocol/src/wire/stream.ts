import { ProtocolError } from '../errors/protocol-error.ts';
import { FRAME_HEADER_BYTES, parseFrameHeader } from './frame.ts';
import type { FrameName } from './frame-types.ts';

export interface FrameParserOptions {
  readonly maxBodyBytes: number;
  /** Trailer of each type in this exchange; a type that is not expected here may be refused by throwing. */
  trailerBytes(name: FrameName): number;
  /** True: a frame that lies whole in a chunk is a view of it. For those whose chunks nobody writes into again. */
  readonly views?: boolean | undefined;
}

/** Cuts a stream of bytes into whole frames, however the reads split it. */
export interface FrameParser {
  /**
   * Frames that `chunk` completes, each for `parseFrame`.
   * @throws ProtocolError `ERR_WIRE_*` at once, also when frames before the bad one were complete: the connection is to be closed.
   * A stream that was refused stays refused, because no later frame can be found in it.
   */
  push(chunk: Uint8Array): Uint8Array[];
  /**
   * At most one frame, and the bytes of `chunk` after it: where something else than a frame may follow.
   * @throws ProtocolError as `push`
   */
  next(chunk: Uint8Array): { readonly frame: Uint8Array | undefined; readonly rest: Uint8Array };
  /**
   * The stream has ended.
   * @throws ProtocolError `ERR_WIRE_TRUNCATED` in the middle of a frame.
   */
  end(): void;
}

/** Push parser; holds one unfinished frame at most: header, `maxBodyBytes` and trailer. */
export function frameParser(options: FrameParserOptions): FrameParser {
  let frame: Uint8Array = new Uint8Array(FRAME_HEADER_BYTES);
  let filled = 0;
  let headerSeen = false;

  /** The header is complete: how long the frame is. */
  const announced = (): number => {
    const { name, bodyBytes } = parseFrameHeader(frame, options.maxBodyBytes);
    return FRAME_HEADER_BYTES + bodyBytes + options.trailerBytes(name);
  };
  const extend = (): void => {
    const whole = new Uint8Array(announced());
    whole.set(frame);
    frame = whole;
    headerSeen = true;
  };
  /** The frame at the start of the chunk, where it lies there whole. */
  const view = (chunk: Uint8Array): Uint8Array | undefined => {
    if (filled > 0 || chunk.length < FRAME_HEADER_BYTES) return undefined;
    // A header that is refused stays in the buffer.
    frame.set(chunk.subarray(0, FRAME_HEADER_BYTES));
    filled = FRAME_HEADER_BYTES;
    const lengthBytes = announced();
    filled = 0;
    return chunk.length < lengthBytes ? undefined : chunk.subarray(0, lengthBytes);
  };
  const next = (chunk: Uint8Array): { readonly frame: Uint8Array | undefined; readonly rest: Uint8Array } => {
    const seen = options.views === true ? view(chunk) : undefined;
    if (seen !== undefined) return { frame: seen, rest: chunk.subarray(seen.length) };
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + frame.length - filled);
      frame.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled === FRAME_HEADER_BYTES && !headerSeen) extend();
      if (filled < frame.length || !headerSeen) continue;
      const whole = frame;
      frame = new Uint8Array(FRAME_HEADER_BYTES);
      filled = 0;
      headerSeen = false;
      return { frame: whole, rest: chunk.subarray(at) };
    }
    return { frame: undefined, rest: chunk.subarray(chunk.length) };
  };
  const push = (chunk: Uint8Array): Uint8Array[] => {
    const frames: Uint8Array[] = [];
    for (let left = next(chunk); left.frame !== undefined; left = next(left.rest)) frames.push(left.frame);
    return frames;
  };
  return {
    // A header that was refused stays in the buffer, so each later push meets it again.
    push,
    next,
    end() {
      if (filled > 0) throw new ProtocolError('ERR_WIRE_TRUNCATED', 'stream ended in the middle of a frame');
    },
  };
}
