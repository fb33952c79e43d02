import { wipe } from '../../bytes/secret.ts';
import { ProtocolError } from '../../errors/protocol-error.ts';
import type { GcmOpener } from '../../record/gcm-record.ts';
import { ALERT_CODES, type AlertCode } from '../../wire/alert.ts';
import { type Frame, parseFrame } from '../../wire/frame.ts';
import type { FrameName } from '../../wire/frame-types.ts';
import { frameParser } from '../../wire/stream.ts';
import { errorOfAlert } from '../exchange/alerts.ts';
import type { HandshakeSession, SessionRecords } from '../handshake/handshake-types.ts';
import { handshakeEffects, type InnerEffects } from '../handshake/inner-handshake.ts';

/** A session of `px`. */
export type GcmSession = HandshakeSession & { readonly records: Extract<SessionRecords, { readonly kind: 'gcm' }> };

/** Timer of both roles of a session with UEM: the whole run. */
export const CORE_SESSION_TIMER = 'deadline';

/** Effects of the `px` inside, which belongs to F10 elsewhere, under the step that it serves here. */
export function coreEffects(step: string, effects: Parameters<typeof handshakeEffects>[0]): InnerEffects {
  const { sent, error, ...rest } = handshakeEffects(effects);
  return { ...rest, sent: sent.map((effect) => ({ ...effect, step })), error: error === undefined ? undefined : inStep(error, step) };
}

function inStep({ code, message, cause, details }: ProtocolError, step: string): ProtocolError {
  return new ProtocolError(code, message, { cause, details, step });
}

/** Reads the frames that the other end may send, one at a time. */
export interface CoreRecords {
  /**
   * The frame that this record completes. Its parts hold secrets: `takeSecret` reads them.
   * @throws ProtocolError `ERR_CRYPTO_*`, `ERR_WIRE_*`; what the alert means with which the other end has closed the session
   */
  read(opener: GcmOpener, record: Uint8Array, nowMs: number): Frame | undefined;
}

/** Records of `px` with UEM carry a stream of bytes, in which the frames come that are `expected` when their head is here, and nothing else. */
export function coreRecords(maxBodyBytes: number, expected: (name: FrameName) => boolean): CoreRecords {
  const frames = frameParser({
    maxBodyBytes,
    trailerBytes(name) {
      // check: F3.4 frames of a session with UEM
      if (!expected(name)) throw new ProtocolError('ERR_WIRE_TYPE', `${name} does not belong here`);
      return 0;
    },
  });
  return {
    read(opener, record, nowMs) {
      const opened = opener.open(record, nowMs);
      if (opened.type === 'key-updated') return undefined;
      if (opened.type === 'closed') throw closedBy(opened.alert);
      const [frame] = frames.push(opened.plaintext);
      wipe(opened.plaintext);
      return frame === undefined ? undefined : parseFrame(frame, { maxBodyBytes });
    },
  };
}

/** The session was closed in place of an answer. The record has proved that it was the other end. */
function closedBy(alert: number): ProtocolError {
  const name = (Object.keys(ALERT_CODES) as AlertCode[]).find((code) => ALERT_CODES[code] === alert);
  if (name !== undefined) return errorOfAlert(name);
  return new ProtocolError('ERR_PEER_UNEXPECTED', 'the other end closed the session without an answer', { details: { alert } });
}
