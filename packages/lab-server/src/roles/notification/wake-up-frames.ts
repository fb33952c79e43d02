import * as wire from '@uemkit/protocol/wire';

const ID_BYTES = 16;
/** From this time on (1970-02-19) CBOR writes milliseconds in eight bytes. */
const EIGHT_BYTES_FROM_MS = 2 ** 32;

const probe = new Uint8Array(ID_BYTES).fill(0xaa);
/** A wake-up as the codec writes it; the time stands at its end. */
const WAKE_UP = wire.wakeUp.encode({ wakeUpId: probe, sentAtEpochMs: EIGHT_BYTES_FROM_MS });
const WAKE_UP_ID_AT = WAKE_UP.indexOf(0xaa);
/** An acknowledgement as the codec writes it; the id stands at its end. */
const ACKNOWLEDGEMENT = wire.pushAck.encode({ wakeUpId: probe });
const ACKNOWLEDGED_ID_AT = ACKNOWLEDGEMENT.length - ID_BYTES;

/**
 * The frame `wakeUp` (docs/protocol/10-push.md, 10.2), byte for byte what `wire.wakeUp.encode` makes. They leave by the thousand, and only the id (16 bytes)
 * and the time differ.
 * @throws ProtocolError `ERR_WIRE_FIELD` for an id of another length or a time that is no safe integer
 */
export function wakeUpFrame(wakeUp: wire.WakeUp): Uint8Array {
  const { wakeUpId, sentAtEpochMs } = wakeUp;
  if (wakeUpId.length !== ID_BYTES || !Number.isSafeInteger(sentAtEpochMs) || sentAtEpochMs < EIGHT_BYTES_FROM_MS) return wire.wakeUp.encode(wakeUp);
  const frame = WAKE_UP.slice();
  frame.set(wakeUpId, WAKE_UP_ID_AT);
  let rest = sentAtEpochMs;
  for (let at = frame.length - 1; at >= frame.length - 8; at--) {
    frame[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return frame;
}

/** The id in a `pushAck`. Frames have one encoding only, so undefined means: any other frame, or none. */
export function acknowledgedId(frame: Uint8Array): Uint8Array | undefined {
  if (frame.length !== ACKNOWLEDGEMENT.length) return undefined;
  for (let at = 0; at < ACKNOWLEDGED_ID_AT; at++) if (frame[at] !== ACKNOWLEDGEMENT[at]) return undefined;
  return frame.subarray(ACKNOWLEDGED_ID_AT);
}
