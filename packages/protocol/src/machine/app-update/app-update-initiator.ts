import { isProtocolError, ProtocolError } from '../../errors/protocol-error.ts';
import { requireAccessKey } from '../../key-schedule/access-key.ts';
import { type AppReport, appUpdate, appUpdateAck, appUpdateRequest } from '../../wire/app-update.ts';
import { LIMITS } from '../../wire/limits.ts';
import { CORE_SESSION_TIMER, type CoreRecords, coreEffects, coreRecords, type GcmSession } from '../core-session/core-records.ts';
import { arm, cancel } from '../effects.ts';
import { type HandshakeInitiator, handshakeInitiator } from '../handshake/handshake-initiator.ts';
import { takeSecret } from '../handshake/inner-handshake.ts';
import type { Effect, Input, Machine } from '../machine.ts';
import { StateCell } from '../table.ts';
import { APP_UPDATE_INITIATOR_TRANSITIONS, type AppUpdateInitiatorState } from './transitions.ts';
import type { AppUpdateApplied, AppUpdateInitiatorOptions, AppUpdateOutput, AppUpdateToApply } from './update-types.ts';

/** An activated app that asks UEM what has changed since. */
export type AppUpdateInitiator = Machine<AppUpdateToApply, AppUpdateApplied, never, AppUpdateOutput>;

type AppEffect = Effect<AppUpdateToApply, never, AppUpdateOutput>;

/**
 * An activated app in F5.3 to F5.5: `px` with UEM, whose proxy id is the core id, then 0x43, 0x44 and 0x45 in GCM records. Nothing but 0x44, in a record that opens, says
 * anything about the app. 0x45 leaves only after the owner has made durable what 0x44 brought.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT`, `ERR_WIRE_*` when keys, ids or the request do not fit their fields
 */
export function appUpdateInitiator(options: AppUpdateInitiatorOptions): AppUpdateInitiator {
  return new InitiatorRole(options);
}

class InitiatorRole implements AppUpdateInitiator {
  readonly #runMs: number;
  readonly #request: Uint8Array;
  readonly #cell: StateCell<AppUpdateInitiatorState>;
  readonly #handshake: HandshakeInitiator;
  readonly #frames: CoreRecords = coreRecords(LIMITS.bodyBytes, (name) => name === 'appUpdate');
  #session: GcmSession | undefined;
  #more = false;

  constructor({ crypto, entropy, prologue, sessionKeyId, psk, request, limits, onTransition }: AppUpdateInitiatorOptions) {
    const { instanceId, keyExchangeKey } = prologue;
    this.#runMs = limits?.runMs ?? LIMITS.handshakeMs;
    this.#request = appUpdateRequest.encode(request);
    this.#cell = new StateCell(APP_UPDATE_INITIATOR_TRANSITIONS, 'appUpdateInitiator', 'new', onTransition);
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

  get state(): AppUpdateInitiatorState {
    return this.#cell.state;
  }

  handle(input: Input<AppUpdateApplied>, nowMs: number): readonly AppEffect[] {
    if (this.state === 'finished' || this.state === 'failed') return [];
    try {
      switch (input.type) {
        case 'start':
          return this.#begin(nowMs);
        case 'received':
          return this.#received(input.frame, nowMs);
        case 'result':
          return this.state === 'applying' ? this.#applied(input.result.report, nowMs) : [];
        case 'failed':
          throw input.error;
        case 'timer':
          // check: F5.4 deadline of the app
          throw new ProtocolError('ERR_PEER_TIMEOUT', 'UEM does not answer');
        case 'closed':
          throw input.error ?? new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection closed before the end of the update');
        default:
          return [];
      }
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return this.state === 'awaitingEnd' ? this.#end('no word') : this.#fail(error);
    }
  }

  #begin(nowMs: number): readonly AppEffect[] {
    const { sent } = coreEffects('F5.3', this.#handshake.handle({ type: 'start' }, nowMs));
    this.#cell.take('start');
    return [arm(CORE_SESSION_TIMER, this.#runMs), ...sent];
  }

  #received(bytes: Uint8Array, nowMs: number): readonly AppEffect[] {
    if (this.state === 'awaitingReply') return this.#replied(bytes, nowMs);
    if (this.state === 'awaitingUpdate') return this.#answered(bytes, nowMs);
    return this.state === 'awaitingEnd' ? this.#last(bytes, nowMs) : [];
  }

  /** M3 and 0x43 (F5.3). */
  #replied(bytes: Uint8Array, nowMs: number): readonly AppEffect[] {
    const { sent, session, error } = coreEffects('F5.3', this.#handshake.handle({ type: 'received', frame: bytes }, nowMs));
    if (error !== undefined) return [...sent, ...this.#fail(error)];
    this.#session = session as GcmSession;
    const frame = this.#session.records.sealer.sealData(this.#request, nowMs);
    const { step } = this.#cell.take('M2');
    return [...sent, { type: 'send', frame, step }];
  }

  /** 0x44 (F5.4). */
  #answered(record: Uint8Array, nowMs: number): readonly AppEffect[] {
    const frame = this.#frames.read((this.#session as GcmSession).records.opener, record, nowMs);
    if (frame === undefined) return [];
    const update = takeSecret(appUpdate, frame);
    // check: F5.4 form of the unlock key
    if (update.console !== undefined) requireAccessKey(update.console.unlockKey.key);
    this.#more = update.more;
    const { step } = this.#cell.take('0x44');
    return [{ type: 'request', request: { type: 'apply', update }, step }];
  }

  /** 0x45 (F5.5). */
  #applied(report: AppReport, nowMs: number): readonly AppEffect[] {
    const { sealer } = (this.#session as GcmSession).records;
    const frame = sealer.sealData(appUpdateAck.encode({ report }), nowMs);
    const { step } = this.#cell.take('applied');
    return [{ type: 'send', frame, step }];
  }

  /** The close with which UEM has noted it. */
  #last(record: Uint8Array, nowMs: number): readonly AppEffect[] {
    const opened = (this.#session as GcmSession).records.opener.open(record, nowMs);
    if (opened.type === 'key-updated') return [];
    return this.#end(opened.type === 'closed' && opened.alert === 0 ? 'close' : 'no word');
  }

  #end(how: 'close' | 'no word'): readonly AppEffect[] {
    this.#session?.wipe();
    this.#cell.take(how);
    return [cancel(CORE_SESSION_TIMER), { type: 'done', output: { isConfirmed: how === 'close', more: this.#more } }];
  }

  #fail(error: ProtocolError): readonly AppEffect[] {
    // check: F5.3 secrets of an unfinished handshake of the app
    this.#handshake.handle({ type: 'closed' }, 0);
    this.#session?.wipe();
    const { step } = this.#cell.take('failure');
    return [cancel(CORE_SESSION_TIMER), { type: 'fail', error: error.at(step) }];
  }
}
