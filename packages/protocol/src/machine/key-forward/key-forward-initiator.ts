import { isProtocolError, ProtocolError } from '../../errors/protocol-error.ts';
import { type AccessKeyResponse, accessKeyForward, accessKeyResponse } from '../../wire/access-key.ts';
import { LIMITS } from '../../wire/limits.ts';
import { CORE_SESSION_TIMER, coreEffects, coreRecords, type GcmSession } from '../core-session/core-records.ts';
import { arm, cancel } from '../effects.ts';
import { type HandshakeInitiator, handshakeInitiator } from '../handshake/handshake-initiator.ts';
import { takeSecret } from '../handshake/inner-handshake.ts';
import type { Effect, Input, Machine } from '../machine.ts';
import { StateCell } from '../table.ts';
import type { KeyForwardInitiatorOptions } from './forward-types.ts';
import { KEY_FORWARD_INITIATOR_TRANSITIONS, type KeyForwardInitiatorState } from './transitions.ts';

/** The sibling app that asks UEM for the access key of another app. It asks its driver for nothing. */
export type KeyForwardInitiator = Machine<never, never, never, AccessKeyResponse>;

type SiblingEffect = Effect<never, never, AccessKeyResponse>;

/**
 * An activated app in F3.4 and F3.5: `px` with UEM, whose proxy id is the core id, then 0x51 and 0x52 in GCM records. Frames and records as `handshakeStream` cuts them.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` when keys or ids do not fit their fields
 */
export function keyForwardInitiator(options: KeyForwardInitiatorOptions): KeyForwardInitiator {
  return new InitiatorRole(options);
}

class InitiatorRole implements KeyForwardInitiator {
  readonly #runMs: number;
  readonly #request: Uint8Array;
  readonly #cell: StateCell<KeyForwardInitiatorState>;
  readonly #handshake: HandshakeInitiator;
  readonly #frames = coreRecords(LIMITS.unauthenticatedBodyBytes, (name) => name === 'accessKeyResponse');
  #session: GcmSession | undefined;

  constructor({ crypto, entropy, prologue, sessionKeyId, psk, request, limits, onTransition }: KeyForwardInitiatorOptions) {
    const { instanceId, keyExchangeKey } = prologue;
    this.#runMs = limits?.runMs ?? LIMITS.handshakeMs;
    this.#request = accessKeyForward.encode(request);
    this.#cell = new StateCell(KEY_FORWARD_INITIATOR_TRANSITIONS, 'keyForwardInitiator', 'new', onTransition);
    this.#handshake = handshakeInitiator({
      crypto,
      entropy,
      binding: { name: 'px', prologue },
      start: { pskId: sessionKeyId, instanceId },
      psk,
      responderStaticKey: keyExchangeKey,
      onTransition,
    });
  }

  get state(): KeyForwardInitiatorState {
    return this.#cell.state;
  }

  handle(input: Input<never>, nowMs: number): readonly SiblingEffect[] {
    if (this.state === 'finished' || this.state === 'failed') return [];
    try {
      switch (input.type) {
        case 'start':
          return this.#begin(nowMs);
        case 'received':
          if (this.state === 'awaitingReply') return this.#replied(input.frame, nowMs);
          return this.state === 'awaitingKey' ? this.#answered(input.frame, nowMs) : [];
        case 'timer':
          // check: F3.4 deadline of the sibling
          throw new ProtocolError('ERR_PEER_TIMEOUT', 'UEM does not answer');
        case 'closed':
          throw input.error ?? new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection closed before UEM answered');
        default:
          return [];
      }
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return this.#fail(error);
    }
  }

  #begin(nowMs: number): readonly SiblingEffect[] {
    const { sent } = coreEffects('F3.4', this.#handshake.handle({ type: 'start' }, nowMs));
    this.#cell.take('start');
    return [arm(CORE_SESSION_TIMER, this.#runMs), ...sent];
  }

  /** M3 and 0x51 (F3.4). */
  #replied(bytes: Uint8Array, nowMs: number): readonly SiblingEffect[] {
    const { sent, session, error } = coreEffects('F3.4', this.#handshake.handle({ type: 'received', frame: bytes }, nowMs));
    if (error !== undefined) return [...sent, ...this.#fail(error)];
    this.#session = session as GcmSession;
    const frame = this.#session.records.sealer.sealData(this.#request, nowMs);
    const { step } = this.#cell.take('M2');
    return [...sent, { type: 'send', frame, step }];
  }

  /** 0x52 (F3.5). */
  #answered(record: Uint8Array, nowMs: number): readonly SiblingEffect[] {
    const session = this.#session as GcmSession;
    const frame = this.#frames.read(session.records.opener, record, nowMs);
    if (frame === undefined) return [];
    const output = takeSecret(accessKeyResponse, frame);
    session.wipe();
    this.#cell.take('0x52');
    return [cancel(CORE_SESSION_TIMER), { type: 'done', output }];
  }

  #fail(error: ProtocolError): readonly SiblingEffect[] {
    // check: F3.4 secrets of an unfinished handshake of the sibling
    this.#handshake.handle({ type: 'closed' }, 0);
    this.#session?.wipe();
    const { step } = this.#cell.take('failure');
    return [cancel(CORE_SESSION_TIMER), { type: 'fail', error: error.at(step) }];
  }
}
