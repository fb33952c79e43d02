import type { SecretBytes } from '../../bytes/secret.ts';
import { secret, wipe } from '../../bytes/secret.ts';
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
import { alertFor, handshakeAlertError, isConsistent, parseHandshakeFrame, requireReplyFields, requireStartFields } from './handshake-fields.ts';
import { makeSession, sessionRecords } from './handshake-session.ts';
import type { HandshakeInitiatorOptions, HandshakeSession } from './handshake-types.ts';
import { flowStep, HANDSHAKE_INITIATOR_TRANSITIONS, type HandshakeInitiatorState } from './transitions.ts';

/** The side of the handshake core that begins. It asks its driver for nothing. */
export type HandshakeInitiator = Machine<never, never, never, HandshakeSession>;

type InitiatorEffect = Effect<never, never, HandshakeSession>;

/** Timer of both roles: the whole run. */
export const HANDSHAKE_TIMER = 'deadline';

const VERSIONS: readonly number[] = [PROTOCOL_VERSION];
const SUITES: readonly number[] = [SUITE_P256];

/**
 * The initiator of any of the seven instances: sends M1, checks M2, sends M3, and has a session then.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` when keys, fields or ids do not fit the instance.
 */
export function handshakeInitiator(options: HandshakeInitiatorOptions): HandshakeInitiator {
  return new InitiatorRole(options);
}

class InitiatorRole implements HandshakeInitiator {
  readonly #options: HandshakeInitiatorOptions;
  readonly #instance: HandshakeInstance;
  readonly #cell: StateCell<HandshakeInitiatorState>;
  readonly #schedule: HandshakeSchedule;
  readonly #scalar: SecretBytes<'ephemeral-scalar'>;
  readonly #start: HandshakeStart;

  constructor(options: HandshakeInitiatorOptions) {
    const { binding, crypto, entropy, psk, responderStaticKey } = options;
    this.#options = options;
    this.#instance = HANDSHAKES[binding.name];
    this.#cell = new StateCell(HANDSHAKE_INITIATOR_TRANSITIONS, 'handshakeInitiator', 'new', options.onTransition);
    this.#scalar = randomScalar(entropy);
    const { pskId, userId, appId, instanceId } = options.start;
    this.#start = {
      versions: VERSIONS,
      suites: SUITES,
      ephemeralKey: crypto.p256PublicKey(this.#scalar),
      random: entropy.randomBytes(32),
      pskId,
      userId,
      appId,
      instanceId,
      instance: binding.name,
    };
    requireUsable(options, this.#instance, this.#start);
    this.#schedule = createHandshakeSchedule(crypto, binding.name, prologueParts(binding.name, binding.prologue as never), {
      role: 'initiator',
      psk,
      responderStaticKey,
    });
  }

  get state(): HandshakeInitiatorState {
    return this.#cell.state;
  }

  handle(input: Input<never>, nowMs: number): readonly InitiatorEffect[] {
    if (this.state === 'established' || this.state === 'failed') return [];
    try {
      switch (input.type) {
        case 'start':
          return this.#begin();
        case 'received':
          return this.#received(input.frame, nowMs);
        case 'timer':
          // check: HC deadline of the initiator
          return this.#fail(new ProtocolError('ERR_PEER_TIMEOUT', 'the handshake takes too long'));
        case 'closed':
          return this.#fail(input.error ?? new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection closed during the handshake'));
        default:
          return [];
      }
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return [{ type: 'send', frame: alert.encode({ code: alertFor(error) }), step: flowStep(this.#instance.name, 'M2') }, ...this.#fail(error)];
    }
  }

  #begin(): readonly InitiatorEffect[] {
    const frame = this.#schedule.sealStart(handshakeStart.encode(this.#start));
    const { step } = this.#cell.take('start');
    return [
      { type: 'arm-timer', timer: HANDSHAKE_TIMER, afterMs: this.#options.limits?.handshakeMs ?? LIMITS.handshakeMs },
      { type: 'send', frame, step: flowStep(this.#instance.name, step) },
    ];
  }

  #received(bytes: Uint8Array, nowMs: number): readonly InitiatorEffect[] {
    const { bodyBytes, trailerBytes } = this.#instance;
    const frame = parseHandshakeFrame(bytes, bodyBytes.reply, trailerBytes.reply);
    if (frame.name === 'alert') return this.#fail(handshakeAlertError(frame));
    return this.#reply(frame, nowMs);
  }

  /** M2: version and suite were offered, the point is one, mac2 and signature are right; then M3. */
  #reply(frame: Frame, nowMs: number): readonly InitiatorEffect[] {
    const { crypto, entropy, finishContent, identifyResponder } = this.#options;
    const reply = handshakeReply.decode(frame);
    requireReplyFields(this.#instance, reply);
    // check: HC version was offered
    if (!VERSIONS.includes(reply.version)) throw new ProtocolError('ERR_PEER_MISMATCH', 'the peer chose a version that was not offered');
    // check: HC suite was offered
    if (!SUITES.includes(reply.suite)) throw new ProtocolError('ERR_PEER_MISMATCH', 'the peer chose a suite that was not offered');
    const signer = reply.certificates === undefined ? undefined : identifyResponder?.(reply.certificates);
    this.#schedule.agree({ scalar: this.#scalar, own: this.#start.ephemeralKey, peer: reply.ephemeralKey });
    // check: HC mac2 and signature
    this.#schedule.openReply(frame.core, frame.trailer, signer);
    const keys = this.#schedule.takeKeys();
    const answerTraffic = this.#instance.recordInFinish ? secret<'traffic'>(keys.responderTraffic.slice()) : undefined;
    const records = sessionRecords(crypto, entropy, this.#instance, 'initiator', keys, nowMs);
    const record = records.kind === 'cbc' && finishContent !== undefined ? records.sealer.seal(finishContent, nowMs) : undefined;
    const finish = this.#schedule.sealFinish(handshakeFinish.encode({ record, sessionId: reply.sessionId }));
    this.#schedule.wipe();
    const { step } = this.#cell.take('M2');
    const { sessionId, certificates } = reply;
    const session = makeSession({ name: this.#instance.name, sessionId, records, exporter: keys.exporter, start: this.#start, certificates, answerTraffic });
    return [
      { type: 'send', frame: finish, step: flowStep(this.#instance.name, step) },
      { type: 'cancel-timer', timer: HANDSHAKE_TIMER },
      { type: 'done', output: session },
    ];
  }

  #fail(error: ProtocolError): readonly InitiatorEffect[] {
    this.#schedule.wipe();
    wipe(this.#scalar);
    const { step } = this.#cell.take('failure');
    return [
      { type: 'cancel-timer', timer: HANDSHAKE_TIMER },
      { type: 'fail', error: error.at(flowStep(this.#instance.name, step)) },
    ];
  }
}

/** Room in the body of M3 for everything but the plaintext of its record. */
const FINISH_OVERHEAD_BYTES = 256;

/** What the caller gave fits the instance. */
function requireUsable(options: HandshakeInitiatorOptions, instance: HandshakeInstance, start: HandshakeStart): void {
  const fits =
    isConsistent(options.binding, start) &&
    instance.recordInFinish === (options.finishContent !== undefined) &&
    (options.finishContent?.length ?? 0) <= instance.bodyBytes.finish - FINISH_OVERHEAD_BYTES &&
    instance.signature === (options.identifyResponder !== undefined);
  if (!fits) throw new ProtocolError('ERR_USAGE_ARGUMENT', `the options do not fit handshake ${instance.name}`);
  try {
    requireStartFields(instance, start);
  } catch (cause) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', `the fields of M1 do not fit handshake ${instance.name}`, { cause });
  }
}
