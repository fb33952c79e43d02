import { isProtocolError, ProtocolError } from '../../errors/protocol-error.ts';
import { ALERT_CODES } from '../../wire/alert.ts';
import type { Frame } from '../../wire/frame.ts';
import type { FrameName } from '../../wire/frame-types.ts';
import { LIMITS } from '../../wire/limits.ts';
import { type ServiceRequest, serviceError, serviceReply, serviceRequest } from '../../wire/service.ts';
import { arm, cancel } from '../effects.ts';
import { alertFor } from '../handshake/handshake-fields.ts';
import { type HandshakeResponder, handshakeResponder } from '../handshake/handshake-responder.ts';
import type { HandshakeRequestResult } from '../handshake/handshake-types.ts';
import { handshakeEffects } from '../handshake/inner-handshake.ts';
import type { Effect, Input, Machine } from '../machine.ts';
import { StateCell } from '../table.ts';
import { FileCollector, headsOf, SERVICE_TIMER, type ServiceSession, sealedFiles, sealedFrame, serviceFrame, serviceReader } from './service-records.ts';
import type { ServiceAnswer, ServiceCall, ServiceDone, ServiceResponderOptions, ServiceToDo } from './service-types.ts';
import { SERVICE_RESPONDER_TRANSITIONS, type ServiceResponderState } from './transitions.ts';

/** An app that offers services, towards one app that asks. Done with what it was asked for. */
export type ServiceResponder = Machine<ServiceToDo, ServiceDone, never, ServiceCall>;

type OfferingEffect = Effect<ServiceToDo, never, ServiceCall>;

const EXPECTED: Readonly<Partial<Record<ServiceResponderState, readonly FrameName[]>>> = {
  awaitingRequest: ['serviceRequest'],
  receiving: ['serviceAttachment'],
};

/**
 * The app that offers the service (S.1 to S.3): `svc` as responder, one request, one answer. Nothing but the handshake is done for an app before mac3 is right. Alerts are
 * frames until then, and close the session by a record after that.
 */
export function serviceResponder(options: ServiceResponderOptions): ServiceResponder {
  return new ResponderRole(options);
}

class ResponderRole implements ServiceResponder {
  readonly #cell: StateCell<ServiceResponderState>;
  readonly #handshake: HandshakeResponder;
  readonly #read = serviceReader();
  #session: ServiceSession | undefined;
  #request: ServiceRequest | undefined;
  #files: FileCollector | undefined;
  #call: ServiceCall | undefined;

  constructor({ crypto, entropy, onTransition }: ServiceResponderOptions) {
    this.#cell = new StateCell(SERVICE_RESPONDER_TRANSITIONS, 'serviceResponder', 'new', onTransition);
    this.#handshake = handshakeResponder({ crypto, entropy, name: 'svc', onTransition });
  }

  get state(): ServiceResponderState {
    return this.#cell.state;
  }

  handle(input: Input<ServiceDone>, nowMs: number): readonly OfferingEffect[] {
    if (this.state === 'finished' || this.state === 'failed') return [];
    try {
      switch (input.type) {
        case 'start':
          return [arm(SERVICE_TIMER, LIMITS.serviceRequestMs)];
        case 'received':
          return this.#received(input.frame, nowMs);
        case 'result':
          return this.#result(input.result, nowMs);
        case 'failed':
          return this.#session === undefined ? this.#shake(input, nowMs) : this.#refuse(input.error);
        case 'timer':
          // check: S deadline of the app that offers
          return this.#end(new ProtocolError('ERR_PEER_TIMEOUT', 'the exchange takes too long'));
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

  #received(bytes: Uint8Array, nowMs: number): readonly OfferingEffect[] {
    if (this.#session === undefined) return this.#shake({ type: 'received', frame: bytes }, nowMs);
    return this.#read(this.#session.records.opener, bytes, nowMs).flatMap((frame) => this.#frame(serviceFrame(frame, EXPECTED[this.state])));
  }

  #result(result: ServiceDone, nowMs: number): readonly OfferingEffect[] {
    if (result.type === 'identified' && this.state === 'identifying') return this.#shake({ type: 'result', result }, nowMs);
    return result.type === 'served' && this.state === 'serving' ? this.#served(result.answer, nowMs) : [];
  }

  /** One input for the handshake inside. */
  #shake(input: Input<HandshakeRequestResult>, nowMs: number): readonly OfferingEffect[] {
    const { sent, request, session, error } = handshakeEffects(this.#handshake.handle(input, nowMs));
    if (error !== undefined) return [...sent, ...this.#end(error)];
    if (request?.type === 'identify') return [{ type: 'request', request, step: this.#cell.take('M1').step }];
    if (session !== undefined) {
      this.#session = session as ServiceSession;
      this.#cell.take('M3');
      return [];
    }
    if (sent.length === 0) return [];
    this.#cell.take(this.state === 'identifying' ? 'identified' : 'same M1');
    return sent;
  }

  #frame(frame: Frame): readonly OfferingEffect[] {
    if (this.#files === undefined) {
      this.#request = serviceRequest.decode(frame);
      this.#files = new FileCollector(this.#request.attachments);
      return this.#files.isWhole ? this.#serve('0xb0, whole') : this.#more('0xb0');
    }
    this.#files.take(frame);
    return this.#files.isWhole ? this.#serve('0xb3, last') : this.#more('0xb3');
  }

  #more(input: string): readonly OfferingEffect[] {
    this.#cell.take(input);
    return [];
  }

  #serve(input: string): readonly OfferingEffect[] {
    const { attachments: _heads, ...rest } = this.#request as ServiceRequest;
    const call: ServiceCall = { ...rest, attachments: (this.#files as FileCollector).files };
    this.#call = call;
    return [arm(SERVICE_TIMER, LIMITS.serviceMs), { type: 'request', request: { type: 'serve', call }, step: this.#cell.take(input).step }];
  }

  /** The answer, and the end of the session. An answer that does not fit its fields is a mistake of the owner, and ends it like any other one. */
  #served(answer: ServiceAnswer, nowMs: number): readonly OfferingEffect[] {
    const { sealer } = (this.#session as ServiceSession).records;
    const files = answer.type === 'reply' ? answer.content.attachments : [];
    const message = answer.type === 'reply' ? serviceReply.encode({ ...answer.content, attachments: headsOf(files) }) : serviceError.encode(answer.error);
    const records = [...sealedFrame(sealer, message, nowMs), ...sealedFiles(sealer, files, nowMs), sealer.close()];
    this.#session?.wipe();
    const { step } = this.#cell.take('served');
    const sent = records.map((frame) => ({ type: 'send', frame, step }) as const);
    return [cancel(SERVICE_TIMER), ...sent, { type: 'done', output: this.#call as ServiceCall }];
  }

  #refuse(error: ProtocolError): readonly OfferingEffect[] {
    // What goes wrong before the session stands the handshake has said already.
    const frame = (this.#session as ServiceSession).records.sealer.close(ALERT_CODES[alertFor(error)]);
    return [{ type: 'send', frame, step: 'S.3' }, ...this.#end(error)];
  }

  #end(error: ProtocolError): readonly OfferingEffect[] {
    // check: S secrets of an unfinished handshake of the app that offers
    this.#handshake.handle({ type: 'closed' }, 0);
    this.#session?.wipe();
    const { step } = this.#cell.take('failure');
    return [cancel(SERVICE_TIMER), { type: 'fail', error: error.at(step) }];
  }
}
