import { wipe } from '../../bytes/secret.ts';
import { isProtocolError, ProtocolError } from '../../errors/protocol-error.ts';
import { type AccessKeyResponse, accessKeyForward, accessKeyResponse } from '../../wire/access-key.ts';
import { ALERT_CODES } from '../../wire/alert.ts';
import { LIMITS } from '../../wire/limits.ts';
import { arm, cancel } from '../effects.ts';
import { alertFor } from '../handshake/handshake-fields.ts';
import { type HandshakeResponder, handshakeResponder } from '../handshake/handshake-responder.ts';
import type { HandshakeRequestResult } from '../handshake/handshake-types.ts';
import type { Effect, Input, Machine } from '../machine.ts';
import { StateCell } from '../table.ts';
import { coreRecords, forwardEffects, type GcmSession } from './core-records.ts';
import type { ForwardedKeyOutput, KeyForwardRequest, KeyForwardResponderOptions, KeyForwardResult } from './forward-types.ts';
import { KEY_FORWARD_TIMER } from './key-forward-initiator.ts';
import { KEY_FORWARD_RESPONDER_TRANSITIONS, type KeyForwardResponderState } from './transitions.ts';

/** UEM towards one activated app that asks for the access key of another one. */
export type KeyForwardResponder = Machine<KeyForwardRequest, KeyForwardResult, never, ForwardedKeyOutput>;

type CoreEffect = Effect<KeyForwardRequest, never, ForwardedKeyOutput>;

/** UEM in F3.4 and F3.5: `px` as responder, one 0x51, one 0x52. Alerts are frames until mac3 is right, and close the session by a record after that. */
export function keyForwardResponder(options: KeyForwardResponderOptions): KeyForwardResponder {
  return new ResponderRole(options);
}

class ResponderRole implements KeyForwardResponder {
  readonly #runMs: number;
  readonly #cell: StateCell<KeyForwardResponderState>;
  readonly #handshake: HandshakeResponder;
  readonly #frames = coreRecords('accessKeyForward');
  #session: GcmSession | undefined;

  constructor({ crypto, entropy, limits, onTransition }: KeyForwardResponderOptions) {
    this.#runMs = limits?.runMs ?? LIMITS.handshakeMs;
    this.#cell = new StateCell(KEY_FORWARD_RESPONDER_TRANSITIONS, 'keyForwardResponder', 'new', onTransition);
    this.#handshake = handshakeResponder({ crypto, entropy, name: 'px', onTransition });
  }

  get state(): KeyForwardResponderState {
    return this.#cell.state;
  }

  handle(input: Input<KeyForwardResult>, nowMs: number): readonly CoreEffect[] {
    if (this.state === 'finished' || this.state === 'failed') return [];
    try {
      switch (input.type) {
        case 'start':
          return [arm(KEY_FORWARD_TIMER, this.#runMs)];
        case 'received':
          return this.#received(input.frame, nowMs);
        case 'result':
          return this.#result(input.result, nowMs);
        case 'failed':
          return this.#session === undefined ? this.#shake(input, nowMs) : this.#refuse(input.error);
        case 'timer':
          // check: F3.4 deadline of UEM
          return this.#end(new ProtocolError('ERR_PEER_TIMEOUT', 'the app takes too long'));
        case 'closed':
          return this.#end(input.error ?? new ProtocolError('ERR_TRANSPORT_CLOSED', 'the app closed the connection'));
        default:
          return [];
      }
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return this.#refuse(error);
    }
  }

  #received(bytes: Uint8Array, nowMs: number): readonly CoreEffect[] {
    if (this.#session === undefined) return this.#shake({ type: 'received', frame: bytes }, nowMs);
    return this.state === 'awaitingRequest' ? this.#asked(this.#session, bytes, nowMs) : [];
  }

  #result(result: KeyForwardResult, nowMs: number): readonly CoreEffect[] {
    if (result.type === 'identified' && this.state === 'identifying') return this.#shake({ type: 'result', result }, nowMs);
    return result.type === 'granted' && this.state === 'granting' ? this.#granted(result.response, nowMs) : [];
  }

  /** One input for the handshake inside. */
  #shake(input: Input<HandshakeRequestResult>, nowMs: number): readonly CoreEffect[] {
    const { sent, request, session, error } = forwardEffects(this.#handshake.handle(input, nowMs));
    if (error !== undefined) return [...sent, ...this.#end(error)];
    if (request?.type === 'identify') return [{ type: 'request', request, step: this.#cell.take('M1').step }];
    if (session !== undefined) {
      this.#session = session as GcmSession;
      this.#cell.take('M3');
      return [];
    }
    if (sent.length === 0) return [];
    this.#cell.take(this.state === 'identifying' ? 'identified' : 'same M1');
    return sent;
  }

  /** 0x51. */
  #asked({ records }: GcmSession, record: Uint8Array, nowMs: number): readonly CoreEffect[] {
    const frame = this.#frames.read(records.opener, record, nowMs);
    if (frame === undefined) return [];
    const request = accessKeyForward.decode(frame);
    return [{ type: 'request', request: { type: 'grant', request }, step: this.#cell.take('0x51').step }];
  }

  /** 0x52, and the end of the session. */
  #granted(response: AccessKeyResponse, nowMs: number): readonly CoreEffect[] {
    const { sealer } = (this.#session as GcmSession).records;
    const plaintext = accessKeyResponse.encode(response);
    const frame = sealer.sealData(plaintext, nowMs);
    wipe(plaintext);
    const last = sealer.close();
    this.#session?.wipe();
    const { step } = this.#cell.take('granted');
    return [cancel(KEY_FORWARD_TIMER), { type: 'send', frame, step }, { type: 'send', frame: last, step }, { type: 'done', output: { keyId: response.keyId } }];
  }

  #refuse(error: ProtocolError): readonly CoreEffect[] {
    const step = this.state === 'granting' ? 'F3.5' : 'F3.4';
    const frame = (this.#session as GcmSession).records.sealer.close(ALERT_CODES[alertFor(error)]);
    return [{ type: 'send', frame, step }, ...this.#end(error)];
  }

  #end(error: ProtocolError): readonly CoreEffect[] {
    // check: F3.4 secrets of an unfinished handshake of UEM
    this.#handshake.handle({ type: 'closed' }, 0);
    this.#session?.wipe();
    const { step } = this.#cell.take('failure');
    return [cancel(KEY_FORWARD_TIMER), { type: 'fail', error: error.at(step) }];
  }
}
