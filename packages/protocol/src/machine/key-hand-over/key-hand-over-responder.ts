import { sameBytes } from '../../bytes/bytes.ts';
import { wipe } from '../../bytes/secret.ts';
import { isProtocolError, ProtocolError } from '../../errors/protocol-error.ts';
import { type AccessKeyRequest, type AccessKeyResponse, accessKeyRequest, accessKeyResponse } from '../../wire/access-key.ts';
import { LIMITS } from '../../wire/limits.ts';
import { arm, cancel } from '../effects.ts';
import { handshakeAlertError } from '../handshake/handshake-fields.ts';
import { type HandshakeResponder, handshakeResponder } from '../handshake/handshake-responder.ts';
import type { HandshakePeer, HandshakeRequest, HandshakeRequestResult } from '../handshake/handshake-types.ts';
import { type CbcSession, handshakeEffects, type InnerEffects, innerFrame, sealedAlert } from '../handshake/inner-handshake.ts';
import type { Effect, Input, Machine } from '../machine.ts';
import { StateCell } from '../table.ts';
import type { AskingApp, HandedOver, KeyHandOverRequest, KeyHandOverResponderOptions, KeyHandOverResult } from './hand-over-types.ts';
import { KEY_HAND_OVER_TIMER } from './key-hand-over-initiator.ts';
import { KEY_HAND_OVER_RESPONDER_TRANSITIONS, type KeyHandOverResponderState } from './transitions.ts';

/** The UEM Client, or an activated sibling app, towards one app on its device. */
export type KeyHandOverResponder = Machine<KeyHandOverRequest, KeyHandOverResult, never, HandedOver>;

type ClientEffect = Effect<KeyHandOverRequest, never, HandedOver>;

/**
 * The side that hands a key over (F3.3 to F3.6): `ipc` or `ipcd` as responder, one 0x50, one 0x52. It shows its certificate to no app that is not admitted, and gives a key
 * to nobody but the app that M1 named. Alerts are frames until mac3 is right, and sealed in a record after that.
 */
export function keyHandOverResponder(options: KeyHandOverResponderOptions): KeyHandOverResponder {
  return new ResponderRole(options);
}

class ResponderRole implements KeyHandOverResponder {
  readonly #options: KeyHandOverResponderOptions;
  readonly #cell: StateCell<KeyHandOverResponderState>;
  readonly #handshake: HandshakeResponder;
  #app: AskingApp | undefined;
  #session: CbcSession | undefined;
  #request: AccessKeyRequest | undefined;

  constructor(options: KeyHandOverResponderOptions) {
    const { crypto, entropy, channel, onTransition } = options;
    const certificates = channel.name === 'ipc' ? channel.certificates : undefined;
    this.#options = options;
    this.#cell = new StateCell(KEY_HAND_OVER_RESPONDER_TRANSITIONS, 'keyHandOverResponder', 'new', onTransition);
    this.#handshake = handshakeResponder({ crypto, entropy, name: channel.name, certificates, onTransition });
  }

  get state(): KeyHandOverResponderState {
    return this.#cell.state;
  }

  handle(input: Input<KeyHandOverResult>, nowMs: number): readonly ClientEffect[] {
    if (this.state === 'finished' || this.state === 'failed') return [];
    try {
      switch (input.type) {
        case 'received':
          return this.#received(input.frame, nowMs);
        case 'result':
          return this.#result(input.result, nowMs);
        case 'failed':
          return this.#session === undefined ? this.#shake({ type: 'failed', error: input.error }, nowMs) : this.#refuse(input.error, nowMs);
        case 'timer':
          // check: F3.6 deadline of the UEM Client
          return this.#end(new ProtocolError('ERR_PEER_TIMEOUT', 'the app takes too long'));
        case 'closed':
          return this.#end(input.error ?? new ProtocolError('ERR_TRANSPORT_CLOSED', 'the app closed the channel'));
        default:
          return [];
      }
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return this.#refuse(error, nowMs);
    }
  }

  /** What comes while the owner asks UEM is dropped. */
  #received(bytes: Uint8Array, nowMs: number): readonly ClientEffect[] {
    if (this.#session === undefined) return this.#shake({ type: 'received', frame: bytes }, nowMs);
    return this.state === 'awaitingRequest' ? this.#asked(this.#session, bytes, nowMs) : [];
  }

  #result(result: KeyHandOverResult, nowMs: number): readonly ClientEffect[] {
    if (result.type === 'admitted' && this.state === 'admitting') {
      return this.#shake({ type: 'result', result: { type: 'identified', peer: result.admitted ? this.#peer() : undefined } }, nowMs);
    }
    if (result.type === 'signed' && this.state === 'signing') return this.#shake({ type: 'result', result }, nowMs);
    if (result.type === 'granted' && this.state === 'granting') return this.#granted(result.response, nowMs);
    return [];
  }

  #peer(): HandshakePeer {
    const { channel, peers } = this.#options;
    return { binding: { name: channel.name, prologue: peers } };
  }

  /** One input for the handshake inside. */
  #shake(input: Input<HandshakeRequestResult>, nowMs: number): readonly ClientEffect[] {
    const inner = handshakeEffects(this.#handshake.handle(input, nowMs));
    if (inner.error !== undefined) return [...inner.sent, ...this.#end(inner.error)];
    if (inner.request !== undefined) return this.#asksFor(inner.request);
    if (inner.session === undefined) return this.#replied(inner.sent);
    this.#session = inner.session as CbcSession;
    this.#cell.take('M3');
    return [];
  }

  #asksFor(request: HandshakeRequest): readonly ClientEffect[] {
    if (request.type === 'sign') return [{ type: 'request', request, step: this.#cell.take('admitted, to be signed').step }];
    const { appId, instanceId } = request.start;
    const app: AskingApp = { platformId: this.#options.peers.initiatorPlatformId, appId: appId as string, instanceId: instanceId as Uint8Array };
    this.#app = app;
    const { step } = this.#cell.take('M1');
    return [arm(KEY_HAND_OVER_TIMER, this.#options.limits?.runMs ?? LIMITS.keyHandOverMs), { type: 'request', request: { type: 'admit', app }, step }];
  }

  #replied(sent: InnerEffects['sent']): readonly ClientEffect[] {
    if (sent.length === 0) return [];
    this.#cell.take({ admitting: 'admitted', signing: 'signed' }[this.state as string] ?? 'same M1');
    return sent;
  }

  /** 0x50: for the app that M1 named and no other. */
  #asked({ records }: CbcSession, bytes: Uint8Array, nowMs: number): readonly ClientEffect[] {
    const frame = innerFrame(records.opener, bytes, nowMs);
    if (frame.name === 'alert') return this.#end(handshakeAlertError(frame));
    const request = accessKeyRequest.decode(frame);
    const app = this.#app as AskingApp;
    // check: F3.3 app of 0x50
    if (request.appId !== app.appId || !sameBytes(request.instanceId, app.instanceId))
      throw new ProtocolError('ERR_PEER_MISMATCH', 'the app asks for another one');
    this.#request = request;
    const { step } = this.#cell.take('0x50');
    return [{ type: 'request', request: { type: 'grant', app, request }, step }];
  }

  /** 0x52. */
  #granted(response: AccessKeyResponse, nowMs: number): readonly ClientEffect[] {
    const { records } = this.#session as CbcSession;
    // check: F3.5 nonce of the answer
    if (!sameBytes(response.nonce, (this.#request as AccessKeyRequest).nonce)) throw new ProtocolError('ERR_PEER_MISMATCH', 'UEM answered another request');
    const plaintext = accessKeyResponse.encode(response);
    const frame = records.sealer.seal(plaintext, nowMs);
    wipe(plaintext);
    this.#session?.wipe();
    const { step } = this.#cell.take('granted');
    return [cancel(KEY_HAND_OVER_TIMER), { type: 'send', frame, step }, { type: 'done', output: { app: this.#app as AskingApp, keyId: response.keyId } }];
  }

  #refuse(error: ProtocolError, nowMs: number): readonly ClientEffect[] {
    const step = this.state === 'granting' ? 'F3.6' : 'F3.3';
    return [...sealedAlert(this.#session as CbcSession, error, step, nowMs), ...this.#end(error)];
  }

  #end(error: ProtocolError): readonly ClientEffect[] {
    // check: F3.3 secrets of an unfinished handshake of the UEM Client
    this.#handshake.handle({ type: 'closed' }, 0);
    this.#session?.wipe();
    const { step } = this.#cell.take('failure');
    return [cancel(KEY_HAND_OVER_TIMER), { type: 'fail', error: error.at(step) }];
  }
}
