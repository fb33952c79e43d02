import { concatBytes, sameBytes } from '../../bytes/bytes.ts';
import { wipe } from '../../bytes/secret.ts';
import { isProtocolError, ProtocolError } from '../../errors/protocol-error.ts';
import { MAC_BYTES } from '../../key-schedule/handshake-instances.ts';
import { alert } from '../../wire/alert.ts';
import { parseFrame } from '../../wire/frame.ts';
import { type HandshakeStart, handshakeReply } from '../../wire/handshake.ts';
import { LIMITS } from '../../wire/limits.ts';
import { type ProvisioningRequest, provisioningAck, provisioningData, provisioningDone, provisioningRequest } from '../../wire/provisioning.ts';
import { arm, cancel } from '../effects.ts';
import { alertFor } from '../handshake/handshake-fields.ts';
import { type HandshakeResponder, handshakeResponder } from '../handshake/handshake-responder.ts';
import type { HandshakePeer, HandshakeRequestResult } from '../handshake/handshake-types.ts';
import { type CbcSession, handshakeEffects, type InnerEffects, innerFrame, sealedAlert } from '../handshake/inner-handshake.ts';
import type { Effect, Input, Machine } from '../machine.ts';
import { StateCell } from '../table.ts';
import type {
  AccessKeyFacts,
  AppActivationCoreEvent,
  AppActivationCoreOutput,
  AppActivationCoreRequest,
  AppActivationCoreResult,
  AppActivationResponderOptions,
  AppProvisioning,
} from './responder-types.ts';
import { isSameDevice } from './same-device.ts';
import { APP_ACTIVATION_RESPONDER_TRANSITIONS, type AppActivationResponderState } from './transitions.ts';

/** UEM in one session of `sc`. */
export type AppActivationResponder = Machine<AppActivationCoreRequest, AppActivationCoreResult, AppActivationCoreEvent, AppActivationCoreOutput>;

type UemEffect = Effect<AppActivationCoreRequest, AppActivationCoreEvent, AppActivationCoreOutput>;

/** Timer of UEM: the whole session. */
export const APP_ACTIVATION_CORE_TIMER = 'deadline';

const TOKEN_HEAD_BYTES = 32;

/**
 * UEM's side of one session of `sc` (F3.10, F3.11). It takes and gives bare frames and records: the owner has taken M1 out of 0x32 and the others out of 0x33, and wraps the
 * answers. Alerts are frames until mac3 is right, and sealed in a record after that; whatever was wrong, they look the same. Once the machine has ended, the owner
 * answers a repeated 0x41 with the 0x42 that it keeps.
 */
export function appActivationResponder(options: AppActivationResponderOptions): AppActivationResponder {
  return new ResponderRole(options);
}

class ResponderRole implements AppActivationResponder {
  readonly #options: AppActivationResponderOptions;
  readonly #cell: StateCell<AppActivationResponderState>;
  readonly #handshake: HandshakeResponder;
  /** M1 and M2 as they went over the wire. */
  #start: Uint8Array | undefined;
  #startedMs: number | undefined;
  #claimed: Claimed | undefined;
  #reply: Uint8Array | undefined;
  #key: AccessKeyFacts | undefined;
  #session: CbcSession | undefined;
  #request: ProvisioningRequest | undefined;
  /** 0x42, which leaves when the key is consumed. */
  #done: Uint8Array | undefined;

  constructor(options: AppActivationResponderOptions) {
    const { crypto, entropy, onTransition } = options;
    this.#options = options;
    this.#cell = new StateCell(APP_ACTIVATION_RESPONDER_TRANSITIONS, 'appActivationResponder', 'new', onTransition);
    this.#handshake = handshakeResponder({ crypto, entropy, name: 'sc', onTransition });
  }

  get state(): AppActivationResponderState {
    return this.#cell.state;
  }

  handle(input: Input<AppActivationCoreResult>, nowMs: number): readonly UemEffect[] {
    if (this.state === 'finished' || this.state === 'refused') return [];
    // check: F3.10 time of a session
    if (this.#startedMs !== undefined && Math.abs(nowMs - this.#startedMs) >= this.#runMs()) return this.#end(tooLong());
    try {
      switch (input.type) {
        case 'received':
          return this.#received(input.frame, nowMs);
        case 'result':
          return this.#result(input.result, nowMs);
        case 'failed':
          return this.#session === undefined ? this.#shake({ type: 'failed', error: input.error }, nowMs) : this.#refuse(input.error, nowMs);
        case 'timer':
          // check: F3.10 deadline
          return this.#end(tooLong());
        case 'closed':
          return this.#end(input.error ?? new ProtocolError('ERR_TRANSPORT_CLOSED', 'the session was given up'));
        default:
          return [];
      }
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return this.#refuse(error, nowMs);
    }
  }

  /** The same M1 in a live session gets the same M2 (rule 3). What comes while the owner works is dropped. */
  #received(bytes: Uint8Array, nowMs: number): readonly UemEffect[] {
    if (this.#start !== undefined && sameBytes(this.#start, bytes)) {
      if (this.#reply === undefined) return [];
      return [{ type: 'send', frame: this.#reply, step: this.#cell.take('same M1').step }];
    }
    switch (this.state) {
      case 'new':
      case 'awaitingFinish':
        return this.#shake({ type: 'received', frame: bytes }, nowMs);
      case 'awaitingAck':
        return this.#acknowledged(bytes, nowMs);
      default:
        return [];
    }
  }

  #result(result: AppActivationCoreResult, nowMs: number): readonly UemEffect[] {
    if (result.type === 'identified' && this.state === 'identifying') {
      this.#key = result.key;
      return this.#shake({ type: 'result', result: { type: 'identified', peer: this.#peer(result.key) } }, nowMs);
    }
    if (result.type === 'provisioned' && this.state === 'provisioning') return this.#provisioned(result.data, nowMs);
    if (result.type === 'consumed' && this.state === 'consuming') return this.#consumed();
    return [];
  }

  /** One input for the handshake inside. */
  #shake(input: Input<HandshakeRequestResult>, nowMs: number): readonly UemEffect[] {
    const bytes = input.type === 'received' ? input.frame.slice() : undefined;
    const { sent, request, event, session, error } = handshakeEffects(this.#handshake.handle(input, nowMs));
    if (error !== undefined) {
      const counted: UemEffect[] = event !== undefined && this.#key !== undefined ? [{ type: 'emit', event }] : [];
      return [...counted, ...sent, ...this.#end(error)];
    }
    if (request?.type === 'identify') return this.#started(bytes as Uint8Array, request.start, nowMs);
    if (session !== undefined) return this.#finished(session as CbcSession);
    return this.#replied(sent);
  }

  #started(bytes: Uint8Array, { userId, pskId }: HandshakeStart, nowMs: number): readonly UemEffect[] {
    this.#start = bytes;
    this.#startedMs = nowMs;
    this.#claimed = { userId: userId as string, token: pskId as Uint8Array };
    const { step } = this.#cell.take('M1');
    const { envelope } = this.#options;
    return [arm(APP_ACTIVATION_CORE_TIMER, this.#runMs()), { type: 'request', request: { type: 'identify', envelope, userId: this.#claimed.userId }, step }];
  }

  /** Rule 1. What does not fit fails as a wrong key does, so nobody learns which it was. */
  #peer(key: AccessKeyFacts | undefined): HandshakePeer | undefined {
    const { coreId, envelope } = this.#options;
    const { userId, token } = this.#claimed as Claimed;
    // check: F3.10 key of this user
    if (key?.userId !== userId) return undefined;
    // check: F3.10 token of this envelope
    if (!sameBytes(token.subarray(0, TOKEN_HEAD_BYTES), concatBytes(envelope.tokenId, envelope.linkId))) return undefined;
    return { binding: { name: 'sc', prologue: { tenantId: envelope.tenantId, coreId } }, psk: key.psk };
  }

  #replied(sent: InnerEffects['sent']): readonly UemEffect[] {
    const { frame } = sent[0] as InnerEffects['sent'][number];
    this.#reply = frame;
    const { sessionId } = handshakeReply.decode(parseFrame(frame, { trailerBytes: MAC_BYTES }));
    const { step } = this.#cell.take('identified');
    return [
      { type: 'emit', event: { type: 'replied', sessionId } },
      { type: 'send', frame, step },
    ];
  }

  /** M3 with the provisioning request: it is for the app and the device that asked for the key (rule 5). */
  #finished(session: CbcSession): readonly UemEffect[] {
    const { sessionId } = session;
    this.#session = session;
    const { step } = this.#cell.take('M3');
    const request = provisioningRequest.decodeBody(session.finishContent as Uint8Array);
    this.#request = request;
    const { app, device } = this.#key as AccessKeyFacts;
    // check: F3.11 app of the assisted key
    if (app !== undefined && (app.appId !== request.appId || !sameBytes(app.instanceId, request.instanceId))) throw otherThanAsked('app');
    // check: F3.11 device of the assisted key
    if (!isSameDevice(device, request)) throw otherThanAsked('device');
    return [{ type: 'request', request: { type: 'provision', envelope: this.#options.envelope, sessionId, request }, step }];
  }

  /** 0x40. */
  #provisioned(data: AppProvisioning, nowMs: number): readonly UemEffect[] {
    // check: F3.11 no Proxy has the id of UEM
    if (data.proxies.some(({ id }) => id === this.#options.coreId)) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'a Proxy has the id of UEM');
    const plaintext = provisioningData.encode({ ...data, ...this.#key?.device });
    const frame = (this.#session as CbcSession).records.sealer.seal(plaintext, nowMs);
    wipe(plaintext);
    const { step } = this.#cell.take('provisioned');
    return [{ type: 'send', frame, step }];
  }

  /** 0x41. The 0x42 that answers it is made now, so that it becomes durable together with the use of the key. */
  #acknowledged(bytes: Uint8Array, nowMs: number): readonly UemEffect[] {
    const { records, sessionId } = this.#session as CbcSession;
    const acknowledgement = bytes.slice();
    const { status } = provisioningAck.decode(innerFrame(records.opener, acknowledgement, nowMs));
    // check: F3.11 status of 0x41
    if (status !== 0) throw new ProtocolError('ERR_PEER_MISMATCH', 'the app did not take its provisioning data', { details: { status } });
    const done = records.sealer.seal(provisioningDone.encode({ status: 0 }), nowMs);
    this.#done = done;
    const { step } = this.#cell.take('0x41');
    return [{ type: 'request', request: { type: 'consume', envelope: this.#options.envelope, sessionId, acknowledgement, done }, step }];
  }

  /** 0x42. */
  #consumed(): readonly UemEffect[] {
    const { sessionId } = this.#session as CbcSession;
    const { appId, instanceId } = this.#request as ProvisioningRequest;
    this.#session?.wipe();
    const { step } = this.#cell.take('consumed');
    return [
      cancel(APP_ACTIVATION_CORE_TIMER),
      { type: 'send', frame: this.#done as Uint8Array, step },
      { type: 'done', output: { sessionId, appId, instanceId } },
    ];
  }

  /** After mac3 the app can believe a refusal, so it is sealed; but the number that the app waits for belongs to 0x42 once that is made. */
  #refuse(error: ProtocolError, nowMs: number): readonly UemEffect[] {
    const sent: InnerEffects['sent'] =
      this.#done === undefined
        ? sealedAlert(this.#session as CbcSession, error, 'F3.11', nowMs)
        : [{ type: 'send', frame: alert.encode({ code: alertFor(error) }), step: 'F3.11' }];
    return [...sent, ...this.#end(error)];
  }

  #end(error: ProtocolError): readonly UemEffect[] {
    // check: F3.10 secrets of an unfinished handshake
    this.#handshake.handle({ type: 'closed' }, 0);
    this.#session?.wipe();
    const { step } = this.#cell.take('refusal');
    return [cancel(APP_ACTIVATION_CORE_TIMER), { type: 'fail', error: error.at(step) }];
  }

  #runMs(): number {
    return this.#options.limits?.handshakeMs ?? LIMITS.handshakeMs;
  }
}

/** What M1 says about itself. */
interface Claimed {
  readonly userId: string;
  readonly token: Uint8Array;
}

function otherThanAsked(what: string): ProtocolError {
  return new ProtocolError('ERR_PEER_MISMATCH', `the ${what} is not the one that asked for the access key`);
}

function tooLong(): ProtocolError {
  return new ProtocolError('ERR_PEER_TIMEOUT', 'the session takes too long');
}
