import { sameBytes } from '../../bytes/bytes.ts';
import { type SecretBytes, secret, wipe } from '../../bytes/secret.ts';
import { isProtocolError, ProtocolError } from '../../errors/protocol-error.ts';
import { HANDSHAKES, type HandshakeInstance } from '../../key-schedule/handshake-instances.ts';
import { prologueParts } from '../../key-schedule/handshake-prologue.ts';
import { createHandshakeSchedule, type HandshakeSchedule } from '../../key-schedule/handshake-schedule.ts';
import { randomScalar } from '../../key-schedule/scalar.ts';
import { alert } from '../../wire/alert.ts';
import { PROTOCOL_VERSION, SUITE_P256 } from '../../wire/common.ts';
import type { Frame } from '../../wire/frame.ts';
import { type HandshakeStart, handshakeFinish, handshakeReply, handshakeStart } from '../../wire/handshake.ts';
import { LIMITS } from '../../wire/limits.ts';
import type { Effect, Input, Machine } from '../machine.ts';
import { StateCell } from '../table.ts';
import { alertFor, handshakeAlertError, isConsistent, parseHandshakeFrame, requireFinishFields, requireStartFields } from './handshake-fields.ts';
import { HANDSHAKE_TIMER } from './handshake-initiator.ts';
import { makeSession, sessionRecords, wipeRecords } from './handshake-session.ts';
import type {
  HandshakeEvent,
  HandshakePeer,
  HandshakeRequest,
  HandshakeRequestResult,
  HandshakeResponderOptions,
  HandshakeSession,
} from './handshake-types.ts';
import { flowStep, HANDSHAKE_RESPONDER_TRANSITIONS, type HandshakeResponderState } from './transitions.ts';

/** The side of the handshake core that answers. */
export type HandshakeResponder = Machine<HandshakeRequest, HandshakeRequestResult, HandshakeEvent, HandshakeSession>;

type ResponderEffect = Effect<HandshakeRequest, HandshakeEvent, HandshakeSession>;

/** M1 with the bytes it came in. */
interface ReceivedStart {
  readonly message: HandshakeStart;
  readonly bytes: Uint8Array;
  readonly core: Uint8Array;
  readonly trailer: Uint8Array;
}

/**
 * The responder of one instance, for one connection. It sends, forwards and acts on nothing before mac3 is right, M2 apart.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` when certificates are given or missing against the instance.
 */
export function handshakeResponder(options: HandshakeResponderOptions): HandshakeResponder {
  const instance = HANDSHAKES[options.name];
  if (instance.signature !== (options.certificates !== undefined)) throw new ProtocolError('ERR_USAGE_ARGUMENT', `certificates do not fit ${options.name}`);
  return new ResponderRole(options, instance);
}

class ResponderRole implements HandshakeResponder {
  readonly #options: HandshakeResponderOptions;
  readonly #instance: HandshakeInstance;
  readonly #cell: StateCell<HandshakeResponderState>;
  #schedule: HandshakeSchedule | undefined;
  #start: ReceivedStart | undefined;
  #sessionId: Uint8Array | undefined;
  /** Core of M2 while it is being signed. */
  #replyCore: Uint8Array | undefined;
  #reply: Uint8Array | undefined;

  constructor(options: HandshakeResponderOptions, instance: HandshakeInstance) {
    this.#options = options;
    this.#instance = instance;
    this.#cell = new StateCell(HANDSHAKE_RESPONDER_TRANSITIONS, 'handshakeResponder', 'new', options.onTransition);
  }

  get state(): HandshakeResponderState {
    return this.#cell.state;
  }

  handle(input: Input<HandshakeRequestResult>, nowMs: number): readonly ResponderEffect[] {
    if (this.state === 'established' || this.state === 'failed') return [];
    try {
      switch (input.type) {
        case 'received':
          return this.#received(input.frame, nowMs);
        case 'result':
          return this.#result(input.result);
        case 'failed':
          throw input.error;
        case 'timer':
          // check: HC deadline of the responder
          return this.#fail(new ProtocolError('ERR_PEER_TIMEOUT', 'the handshake takes too long'));
        case 'closed':
          return this.#fail(input.error ?? new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection closed during the handshake'));
        default:
          return [];
      }
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return [...this.#proofFailed(error), { type: 'send', frame: alert.encode({ code: alertFor(error) }), step: this.#step('M2') }, ...this.#fail(error)];
    }
  }

  #received(bytes: Uint8Array, nowMs: number): readonly ResponderEffect[] {
    const { bodyBytes, trailerBytes } = this.#instance;
    if (this.state === 'new') {
      const frame = parseHandshakeFrame(bytes, bodyBytes.start, trailerBytes.start);
      return frame.name === 'alert' ? this.#fail(handshakeAlertError(frame)) : this.#started(frame, bytes);
    }
    if (this.#start !== undefined && sameBytes(this.#start.bytes, bytes)) return this.#sameStart();
    const frame = parseHandshakeFrame(bytes, bodyBytes.finish, trailerBytes.finish);
    if (frame.name === 'alert') return this.#fail(handshakeAlertError(frame));
    // check: HC no M3 before M2
    if (this.state !== 'awaitingFinish') throw new ProtocolError('ERR_PEER_UNEXPECTED', 'the peer does not wait for M2');
    return this.#finished(frame, nowMs);
  }

  #started(frame: Frame, bytes: Uint8Array): readonly ResponderEffect[] {
    const message = handshakeStart.decode(frame);
    requireStartFields(this.#instance, message);
    // check: HC known version
    if (!message.versions.includes(PROTOCOL_VERSION)) throw new ProtocolError('ERR_WIRE_VERSION', 'no common version');
    // check: HC known suite
    if (!message.suites.includes(SUITE_P256)) throw new ProtocolError('ERR_WIRE_VERSION', 'no common suite');
    const copy = bytes.slice();
    this.#start = { message, bytes: copy, core: copy.subarray(0, frame.core.length), trailer: copy.subarray(frame.core.length) };
    const { step } = this.#cell.take('M1');
    return [
      { type: 'arm-timer', timer: HANDSHAKE_TIMER, afterMs: this.#options.limits?.handshakeMs ?? LIMITS.handshakeMs },
      { type: 'request', request: { type: 'identify', start: message }, step: this.#step(step) },
    ];
  }

  /** The same M1 in a live session gets the same M2, and costs nothing (crypto design 14.5). */
  #sameStart(): readonly ResponderEffect[] {
    if (this.#reply === undefined) return [];
    const { step } = this.#cell.take('same M1');
    return [{ type: 'send', frame: this.#reply, step: this.#step(step) }];
  }

  #result(result: HandshakeRequestResult): readonly ResponderEffect[] {
    if (result.type === 'identified' && this.state === 'identifying') return this.#identified(result.peer);
    if (result.type === 'signed' && this.state === 'signing') return this.#sendReply('signed', result.signature);
    return [];
  }

  /** mac1 before anything else; then the ephemeral key and M2. */
  #identified(peer: HandshakePeer | undefined): readonly ResponderEffect[] {
    const { crypto, entropy, certificates } = this.#options;
    const { message, core, trailer } = this.#start as ReceivedStart;
    this.#schedule = this.#scheduleFor(peer);
    // check: HC mac1
    this.#schedule.openStart(core, trailer);
    // check: HC unknown initiator
    if (peer === undefined) throw new ProtocolError('ERR_CRYPTO_KEY_CONFIRMATION', 'the handshake is not confirmed');
    // check: HC ids of M1 are those of the prologue
    if (!isConsistent(peer.binding, message)) throw new ProtocolError('ERR_PEER_MISMATCH', 'M1 names another object than its keys');
    const scalar = randomScalar<'ephemeral-scalar'>(entropy);
    const ephemeralKey = crypto.p256PublicKey(scalar);
    this.#schedule.agree({ scalar, own: ephemeralKey, peer: message.ephemeralKey });
    this.#sessionId = entropy.randomBytes(16);
    this.#replyCore = handshakeReply.encode({
      version: PROTOCOL_VERSION,
      suite: SUITE_P256,
      ephemeralKey,
      random: entropy.randomBytes(32),
      sessionId: this.#sessionId,
      certificates,
    });
    if (!this.#instance.signature) return this.#sendReply('identified', undefined);
    const { step } = this.#cell.take('identified, to be signed');
    return [{ type: 'request', request: { type: 'sign', message: this.#schedule.replySignatureText(this.#replyCore) }, step: this.#step(step) }];
  }

  /** Keys of the peer. For an unknown one random keys, so that it fails where a wrong key fails. */
  #scheduleFor(peer: HandshakePeer | undefined): HandshakeSchedule {
    const { crypto, entropy } = this.#options;
    const { name, psk: hasPsk, staticKey, prologue } = this.#instance;
    if (peer !== undefined) {
      if (peer.binding.name !== name) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'the peer was identified for another handshake');
      const parts = prologueParts(name, peer.binding.prologue as never);
      return createHandshakeSchedule(crypto, name, parts, { role: 'responder', psk: peer.psk, staticScalar: peer.staticScalar });
    }
    const psk: SecretBytes<'psk'> | undefined = hasPsk ? secret(entropy.randomBytes(32)) : undefined;
    const staticScalar: SecretBytes<'static-scalar'> | undefined = staticKey ? randomScalar(entropy) : undefined;
    return createHandshakeSchedule(
      crypto,
      name,
      prologue.map(() => new Uint8Array(0)),
      { role: 'responder', psk, staticScalar },
    );
  }

  #sendReply(input: string, signature: Uint8Array | undefined): readonly ResponderEffect[] {
    this.#reply = (this.#schedule as HandshakeSchedule).sealReply(this.#replyCore as Uint8Array, signature);
    const { step } = this.#cell.take(input);
    return [{ type: 'send', frame: this.#reply, step: this.#step(step) }];
  }

  /** M3: mac3 first, then the session id, then the record. */
  #finished(frame: Frame, nowMs: number): readonly ResponderEffect[] {
    const { crypto, entropy } = this.#options;
    const finish = handshakeFinish.decode(frame);
    requireFinishFields(this.#instance, finish);
    const schedule = this.#schedule as HandshakeSchedule;
    // check: HC mac3
    schedule.openFinish(frame.core, frame.trailer);
    // check: HC session id of M3
    if (!sameBytes(finish.sessionId, this.#sessionId as Uint8Array)) throw new ProtocolError('ERR_PEER_MISMATCH', 'M3 is for another session');
    const keys = schedule.takeKeys();
    const records = sessionRecords(crypto, entropy, this.#instance, 'responder', keys, nowMs);
    let finishContent: Uint8Array | undefined;
    try {
      if (records.kind === 'cbc' && finish.record !== undefined) finishContent = records.opener.open(finish.record, nowMs);
    } catch (error) {
      wipe(keys.exporter);
      wipeRecords(records);
      throw error;
    }
    schedule.wipe();
    this.#cell.take('M3');
    const { message } = this.#start as ReceivedStart;
    const session = makeSession({
      name: this.#instance.name,
      sessionId: finish.sessionId.slice(),
      records,
      exporter: keys.exporter,
      start: message,
      finishContent,
    });
    return [
      { type: 'cancel-timer', timer: HANDSHAKE_TIMER },
      { type: 'done', output: session },
    ];
  }

  /** Wrong mac1 and mac3 are counted by the owner (crypto design 14.4). */
  #proofFailed(error: ProtocolError): readonly ResponderEffect[] {
    if (error.code !== 'ERR_CRYPTO_KEY_CONFIRMATION') return [];
    return [{ type: 'emit', event: { type: 'proofFailed', message: this.state === 'awaitingFinish' ? 'M3' : 'M1' } }];
  }

  #fail(error: ProtocolError): readonly ResponderEffect[] {
    this.#schedule?.wipe();
    const { step } = this.#cell.take('failure');
    return [
      { type: 'cancel-timer', timer: HANDSHAKE_TIMER },
      { type: 'fail', error: error.at(this.#step(step)) },
    ];
  }

  #step(message: string): string {
    return flowStep(this.#instance.name, message);
  }
}
