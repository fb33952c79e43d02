import { isProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { WireResponse } from './http-wire.ts';
import { demand, Mismatch } from './mismatch.ts';

/** Media type of one whole frame, in both directions (9.1). */
export const FRAME_MEDIA_TYPE = 'application/vnd.uemkit.frame';

/** What came back, for the table: never its content, which may be secret. */
export function seenOf(answer: WireResponse | undefined): string {
  if (answer === undefined) return 'the connection closed without an answer';
  if (answer.status !== 200) return `HTTP status ${answer.status}`;
  try {
    const frame = wire.parseFrame(answer.body);
    return frame.name === 'alert' ? `alert ${wire.alert.decode(frame).code}` : `frame ${frame.name}`;
  } catch (error) {
    return isProtocolError(error) ? `HTTP status 200 without a frame (${error.code})` : String(error);
  }
}

/** The message of an answer. @throws Mismatch when it is another one, or breaks a rule of its layout */
export function messageOf<T>(answer: WireResponse | undefined, codec: wire.MessageCodec<T>): T {
  demand(answer?.status === 200, `frame ${codec.name}`, seenOf(answer));
  try {
    return codec.decode(wire.parseFrame(answer.body));
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    throw new Mismatch(`frame ${codec.name}`, `${seenOf(answer)}: ${error.code} ${error.message}`);
  }
}

/** @throws Mismatch unless the answer is this alert */
export function demandAlert(answer: WireResponse | undefined, code: wire.AlertCode, when: string): void {
  demand(seenOf(answer) === `alert ${code}`, `alert ${code} ${when}`, seenOf(answer));
}

/** @throws Mismatch unless the answer has this HTTP status */
export function demandStatus(answer: WireResponse | undefined, status: number, when: string): WireResponse {
  demand(answer?.status === status, `HTTP status ${status} ${when}`, seenOf(answer));
  return answer;
}

/** @throws Mismatch unless the connection ended without an answer */
export function demandClosed(answer: WireResponse | undefined, when: string): void {
  demand(answer === undefined, `a connection that closes without an answer ${when}`, seenOf(answer));
}

/** A frame of a type with a body that no encoder would write. */
export function rawFrame(name: wire.FrameName, body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(wire.FRAME_HEADER_BYTES + body.length);
  frame.set([wire.FRAME_VERSION, wire.FRAME_TYPES[name]]);
  new DataView(frame.buffer).setUint32(4, body.length);
  frame.set(body, wire.FRAME_HEADER_BYTES);
  return frame;
}

/** The same message with other fields: `undefined` takes one away. */
export function withFields(frame: Uint8Array, changes: readonly (readonly [number, wire.CborValue | undefined])[]): Uint8Array {
  const { name, body } = wire.parseFrame(frame);
  const fields = new Map(wire.decodeCbor(body) as ReadonlyMap<number, wire.CborValue>);
  for (const [key, value] of changes) {
    if (value === undefined) fields.delete(key);
    else fields.set(key, value);
  }
  return rawFrame(name, wire.encodeCbor(fields as wire.CborMap));
}

/** The same bytes with one bit changed. */
export function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const changed = bytes.slice();
  const index = at < 0 ? bytes.length + at : at;
  changed[index] = (changed[index] as number) ^ 1;
  return changed;
}
