import { wipe } from '../../bytes/secret.ts';
import type { ProtocolError } from '../../errors/protocol-error.ts';
import type { CbcOpener } from '../../record/cbc-record.ts';
import { alert } from '../../wire/alert.ts';
import { type Frame, type MessageCodec, parseFrame } from '../../wire/frame.ts';
import type { Effect } from '../machine.ts';
import { alertFor } from './handshake-fields.ts';
import type { HandshakeEvent, HandshakeRequest, HandshakeSession, SessionRecords } from './handshake-types.ts';

/** What a machine that runs a handshake inside itself has to pass on or act on; it has timers of its own. */
export interface InnerEffects {
  readonly sent: readonly { readonly type: 'send'; readonly frame: Uint8Array; readonly step: string }[];
  readonly request: HandshakeRequest | undefined;
  readonly event: HandshakeEvent | undefined;
  readonly session: HandshakeSession | undefined;
  readonly error: ProtocolError | undefined;
}

/** Sorts the effects of one input to a handshake. */
export function handshakeEffects(effects: readonly Effect<HandshakeRequest, HandshakeEvent, HandshakeSession>[]): InnerEffects {
  return {
    sent: effects.filter((effect) => effect.type === 'send'),
    request: effects.find((effect) => effect.type === 'request')?.request,
    event: effects.find((effect) => effect.type === 'emit')?.event,
    session: effects.find((effect) => effect.type === 'done')?.output,
    error: effects.find((effect) => effect.type === 'fail')?.error,
  };
}

/**
 * The one frame inside a CBC record. Its parts are views of the plaintext; a secret is read from it by `takeSecret`.
 * @throws ProtocolError `ERR_CRYPTO_*`, `ERR_WIRE_*`
 */
export function innerFrame(opener: CbcOpener, record: Uint8Array, nowMs: number): Frame {
  return parseFrame(opener.open(record, nowMs));
}

/**
 * A message that holds a secret, and nothing left of it in the frame, also when it cannot be read.
 * @throws ProtocolError `ERR_WIRE_*`
 */
export function takeSecret<T>(codec: MessageCodec<T>, frame: Frame): T {
  try {
    return codec.decode(frame);
  } finally {
    wipe(frame.core);
  }
}

/** A session of `ipc`, `ipcd` or `sc`. */
export type CbcSession = HandshakeSession & { readonly records: Extract<SessionRecords, { readonly kind: 'cbc' }> };

/** How a responder refuses once mac3 is right: an alert that the peer can believe, and that may say that the user does not want it. None when the key of the session has grown too old meanwhile. */
export function sealedAlert({ records }: CbcSession, error: ProtocolError, step: string, nowMs: number): InnerEffects['sent'] {
  const code = error.code === 'ERR_REJECTED_CONSENT' ? 'declined' : alertFor(error);
  try {
    return [{ type: 'send', frame: records.sealer.seal(alert.encode({ code }), nowMs), step }];
  } catch {
    return [];
  }
}
