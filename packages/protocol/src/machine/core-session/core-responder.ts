import { wipe } from '../../bytes/secret.ts';
import { isProtocolError, ProtocolError } from '../../errors/protocol-error.ts';
import { type AccessKeyResponse, accessKeyForward, accessKeyResponse } from '../../wire/access-key.ts';
import { ALERT_CODES } from '../../wire/alert.ts';
import { type AppReport, type AppUpdate, appUpdate, appUpdateAck, appUpdateRequest } from '../../wire/app-update.ts';
import type { FrameName } from '../../wire/frame-types.ts';
import { LIMITS } from '../../wire/limits.ts';
import { APP_UPDATE_RESPONDER_TRANSITIONS, type AppUpdateResponderState } from '../app-update/transitions.ts';
import { arm, cancel } from '../effects.ts';
import { alertFor } from '../handshake/handshake-fields.ts';
import { type HandshakeResponder, handshakeResponder } from '../handshake/handshake-responder.ts';
import type { HandshakeRequestResult } from '../handshake/handshake-types.ts';
import { KEY_FORWARD_RESPONDER_TRANSITIONS, type KeyForwardResponderState } from '../key-forward/transitions.ts';
import type { Effect, Input, Machine } from '../machine.ts';
import { StateCell } from '../table.ts';
import { CORE_SESSION_TIMER, coreEffects, coreRecords, type GcmSession } from './core-records.ts';
import type { CoreOutput, CoreRequest, CoreResponderOptions, CoreResult } from './core-types.ts';

type State = KeyForwardResponderState | AppUpdateResponderState;

/** UEM towards one activated app that asks for the access key of another one, or for what has changed. */
export type CoreResponder = Machine<CoreRequest, CoreResult, never, CoreOutput>;

type CoreEffect = Effect<CoreRequest, never, CoreOutput>;

const TRANSITIONS = [...KEY_FORWARD_RESPONDER_TRANSITIONS, ...APP_UPDATE_RESPONDER_TRANSITIONS];

/** What the app may send in each state. */
const EXPECTED: Readonly<Partial<Record<State, readonly FrameName[]>>> = {
  awaitingRequest: ['accessKeyForward', 'appUpdateRequest'],
  awaitingAck: ['appUpdateAck'],
};

/** Step of the state in which something went wrong. */
const STEPS: Readonly<Partial<Record<State, string>>> = { granting: 'F3.5', comparing: 'F5.4', awaitingAck: 'F5.5', noting: 'F5.5' };

/**
 * UEM as the far end of `px`: one 0x51 and one 0x52 (F3.4, F3.5), or 0x43, 0x44 and 0x45 (F5.3 to F5.5). Alerts are frames until mac3 is right, and close the session by a
 * record after that. Which of the two it is shows with the first record.
 */
export function coreResponder(options: CoreResponderOptions): CoreResponder {
  return new ResponderRole(options);
}

class ResponderRole implements CoreResponder {
  readonly #runMs: number;
  readonly #cell: StateCell<State>;
  readonly #handshake: HandshakeResponder;
  readonly #frames = coreRecords(LIMITS.unauthenticatedBodyBytes, (name) => EXPECTED[this.state]?.includes(name) === true);
  #session: GcmSession | undefined;
  /** Of 0x45. */
  #report: AppReport | undefined;

  constructor({ crypto, entropy, limits, onTransition }: CoreResponderOptions) {
    this.#runMs = limits?.runMs ?? LIMITS.handshakeMs;
    this.#cell = new StateCell<State>(TRANSITIONS, 'coreResponder', 'new', onTransition);
    this.#handshake = handshakeResponder({ crypto, entropy, name: 'px', onTransition });
  }

  get state(): State {
    return this.#cell.state;
  }

  handle(input: Input<CoreResult>, nowMs: number): readonly CoreEffect[] {
    if (this.state === 'finished' || this.state === 'failed') return [];
    try {
      switch (input.type) {
        case 'start':
          return [arm(CORE_SESSION_TIMER, this.#runMs)];
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
    return EXPECTED[this.state] === undefined ? [] : this.#record(this.#session, bytes, nowMs);
  }

  #result(result: CoreResult, nowMs: number): readonly CoreEffect[] {
    if (result.type === 'identified' && this.state === 'identifying') return this.#shake({ type: 'result', result }, nowMs);
    if (result.type === 'granted' && this.state === 'granting') return this.#granted(result.response, nowMs);
    if (result.type === 'compared' && this.state === 'comparing') return this.#compared(result.update, nowMs);
    return result.type === 'noted' && this.state === 'noting' ? this.#noted() : [];
  }

  /** One input for the handshake inside. */
  #shake(input: Input<HandshakeRequestResult>, nowMs: number): readonly CoreEffect[] {
    const { sent, request, session, error } = coreEffects('F3.4', this.#handshake.handle(input, nowMs));
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

  /** 0x51, 0x43 or 0x45. */
  #record({ records }: GcmSession, record: Uint8Array, nowMs: number): readonly CoreEffect[] {
    const frame = this.#frames.read(records.opener, record, nowMs);
    if (frame === undefined) return [];
    switch (frame.name) {
      case 'accessKeyForward':
        return this.#ask('0x51', { type: 'grant', request: accessKeyForward.decode(frame) });
      case 'appUpdateRequest':
        return this.#ask('0x43', { type: 'compare', request: appUpdateRequest.decode(frame) });
      default: {
        const { report } = appUpdateAck.decode(frame);
        this.#report = report;
        return this.#ask('0x45', { type: 'note', report });
      }
    }
  }

  #ask(input: string, request: CoreRequest): readonly CoreEffect[] {
    return [{ type: 'request', request, step: this.#cell.take(input).step }];
  }

  /** 0x52, and the end of the session. */
  #granted(response: AccessKeyResponse, nowMs: number): readonly CoreEffect[] {
    const sent = this.#sealed(accessKeyResponse.encode(response), nowMs);
    return this.#finish('granted', sent, { keyId: response.keyId });
  }

  /** 0x44. */
  #compared(update: AppUpdate, nowMs: number): readonly CoreEffect[] {
    const sent = this.#sealed(appUpdate.encode(update), nowMs);
    const { step } = this.#cell.take('compared');
    return sent.map((frame) => ({ type: 'send', frame, step }));
  }

  #noted(): readonly CoreEffect[] {
    return this.#finish('noted', [], { report: this.#report as AppReport });
  }

  /** Records of one message; what it says is wiped. */
  #sealed(plaintext: Uint8Array, nowMs: number): readonly Uint8Array[] {
    const { sealer } = (this.#session as GcmSession).records;
    const records: Uint8Array[] = [];
    for (let at = 0; at < plaintext.length; at += LIMITS.gcmPlaintextBytes) {
      records.push(sealer.sealData(plaintext.subarray(at, at + LIMITS.gcmPlaintextBytes), nowMs));
    }
    wipe(plaintext);
    return records;
  }

  #finish(input: string, sent: readonly Uint8Array[], output: CoreOutput): readonly CoreEffect[] {
    const last = (this.#session as GcmSession).records.sealer.close();
    this.#session?.wipe();
    const { step } = this.#cell.take(input);
    return [cancel(CORE_SESSION_TIMER), ...[...sent, last].map((frame) => ({ type: 'send', frame, step }) as const), { type: 'done', output }];
  }

  #refuse(error: ProtocolError): readonly CoreEffect[] {
    const frame = (this.#session as GcmSession).records.sealer.close(ALERT_CODES[alertFor(error)]);
    return [{ type: 'send', frame, step: STEPS[this.state] ?? 'F3.4' }, ...this.#end(error)];
  }

  #end(error: ProtocolError): readonly CoreEffect[] {
    // check: F3.4 secrets of an unfinished handshake of UEM
    this.#handshake.handle({ type: 'closed' }, 0);
    this.#session?.wipe();
    const { step } = this.#cell.take('failure');
    return [cancel(CORE_SESSION_TIMER), { type: 'fail', error: error.at(step) }];
  }
}
