import { isProtocolError, ProtocolError } from '../../errors/protocol-error.ts';
import { ALERT_CODES } from '../../wire/alert.ts';
import type { Frame } from '../../wire/frame.ts';
import type { FrameName } from '../../wire/frame-types.ts';
import { LIMITS } from '../../wire/limits.ts';
import { type ServiceReply, serviceError, serviceReply, serviceRequest } from '../../wire/service.ts';
import { arm, cancel } from '../effects.ts';
import { alertFor } from '../handshake/handshake-fields.ts';
import { type HandshakeInitiator, handshakeInitiator } from '../handshake/handshake-initiator.ts';
import { handshakeEffects } from '../handshake/inner-handshake.ts';
import type { Effect, Input, Machine } from '../machine.ts';
import { StateCell } from '../table.ts';
import { FileCollector, headsOf, SERVICE_TIMER, type ServiceSession, sealedFiles, sealedFrame, serviceFrame, serviceReader } from './service-records.ts';
import type { ServiceAnswer, ServiceCall, ServiceInitiatorOptions } from './service-types.ts';
import { SERVICE_INITIATOR_TRANSITIONS, type ServiceInitiatorState } from './transitions.ts';

/** An app that asks another one for a service. It asks its driver for nothing. */
export type ServiceInitiator = Machine<never, never, never, ServiceAnswer>;

type AskingEffect = Effect<never, never, ServiceAnswer>;

const EXPECTED: Readonly<Partial<Record<ServiceInitiatorState, readonly FrameName[]>>> = {
  awaitingAnswer: ['serviceReply', 'serviceError'],
  receiving: ['serviceAttachment'],
};

/**
 * The app that asks (S.1 to S.3): `svc` as initiator, one request, one answer. A session carries one of them, so that nothing that was said can be said again.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT`, `ERR_WIRE_*` when keys, ids or the request do not fit their fields
 */
export function serviceInitiator(options: ServiceInitiatorOptions): ServiceInitiator {
  return new InitiatorRole(options);
}

class InitiatorRole implements ServiceInitiator {
  readonly #runMs: number;
  readonly #call: ServiceCall;
  readonly #request: Uint8Array;
  readonly #cell: StateCell<ServiceInitiatorState>;
  readonly #handshake: HandshakeInitiator;
  readonly #read = serviceReader();
  #session: ServiceSession | undefined;
  #reply: ServiceReply | undefined;
  #files: FileCollector | undefined;

  constructor({ crypto, entropy, prologue, psk, call, runMs = LIMITS.serviceMs, onTransition }: ServiceInitiatorOptions) {
    this.#runMs = Math.min(runMs, LIMITS.serviceMs);
    this.#call = call;
    const { attachments, ...rest } = call;
    this.#request = serviceRequest.encode({ ...rest, attachments: headsOf(attachments) });
    this.#cell = new StateCell(SERVICE_INITIATOR_TRANSITIONS, 'serviceInitiator', 'new', onTransition);
    const start = { pskId: prologue.responderInstanceId, instanceId: prologue.instanceId };
    this.#handshake = handshakeInitiator({ crypto, entropy, binding: { name: 'svc', prologue }, start, psk, onTransition });
  }

  get state(): ServiceInitiatorState {
    return this.#cell.state;
  }

  handle(input: Input<never>, nowMs: number): readonly AskingEffect[] {
    if (this.state === 'finished' || this.state === 'failed') return [];
    try {
      switch (input.type) {
        case 'start':
          return this.#begin(nowMs);
        case 'received':
          return this.#received(input.frame, nowMs);
        case 'timer':
          // check: S deadline of the app that asks
          throw new ProtocolError('ERR_PEER_TIMEOUT', 'the other app does not answer');
        case 'closed':
          return this.#fail(input.error ?? new ProtocolError('ERR_TRANSPORT_CLOSED', 'the other app closed the connection without an answer'));
        default:
          return [];
      }
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return this.#refuse(error);
    }
  }

  #begin(nowMs: number): readonly AskingEffect[] {
    const { sent } = handshakeEffects(this.#handshake.handle({ type: 'start' }, nowMs));
    this.#cell.take('start');
    return [arm(SERVICE_TIMER, this.#runMs), ...sent];
  }

  /** M3, the request and its attachments. */
  #replied(bytes: Uint8Array, nowMs: number): readonly AskingEffect[] {
    if (this.state !== 'awaitingReply') return [];
    const { sent, session, error } = handshakeEffects(this.#handshake.handle({ type: 'received', frame: bytes }, nowMs));
    if (error !== undefined) return [...sent, ...this.#fail(error)];
    this.#session = session as ServiceSession;
    const { sealer } = this.#session.records;
    const records = [...sealedFrame(sealer, this.#request, nowMs), ...sealedFiles(sealer, this.#call.attachments, nowMs)];
    const { step } = this.#cell.take('M2');
    return [...sent, ...records.map((frame) => ({ type: 'send', frame, step }) as const)];
  }

  #received(bytes: Uint8Array, nowMs: number): readonly AskingEffect[] {
    if (this.#session === undefined) return this.#replied(bytes, nowMs);
    const effects: AskingEffect[] = [];
    for (const frame of this.#read(this.#session.records.opener, bytes, nowMs)) {
      effects.push(...this.#frame(serviceFrame(frame, EXPECTED[this.state])));
      // Nothing is looked at behind the answer.
      if (this.#cell.state === 'finished') break;
    }
    return effects;
  }

  #frame(frame: Frame): readonly AskingEffect[] {
    if (frame.name === 'serviceError') return this.#finish('0xb2', { type: 'error', error: serviceError.decode(frame) });
    if (this.#files === undefined) {
      this.#reply = serviceReply.decode(frame);
      this.#files = new FileCollector(this.#reply.attachments);
      return this.#files.isWhole ? this.#finish('0xb1, whole', this.#whole()) : this.#more('0xb1');
    }
    this.#files.take(frame);
    return this.#files.isWhole ? this.#finish('0xb3, last', this.#whole()) : this.#more('0xb3');
  }

  #more(input: string): readonly AskingEffect[] {
    this.#cell.take(input);
    return [];
  }

  #whole(): ServiceAnswer {
    const { params, foreground } = this.#reply as ServiceReply;
    return { type: 'reply', content: { params, foreground, attachments: (this.#files as FileCollector).files } };
  }

  #finish(input: string, answer: ServiceAnswer): readonly AskingEffect[] {
    this.#session?.wipe();
    this.#cell.take(input);
    return [cancel(SERVICE_TIMER), { type: 'done', output: answer }];
  }

  /** The other app hears that it is over once it can believe it, and not why. */
  #refuse(error: ProtocolError): readonly AskingEffect[] {
    const frame = this.#session?.records.sealer.close(ALERT_CODES[alertFor(error)]);
    return [...(frame === undefined ? [] : [{ type: 'send', frame, step: 'S.3' } as const]), ...this.#fail(error)];
  }

  #fail(error: ProtocolError): readonly AskingEffect[] {
    // check: S secrets of an unfinished handshake of the app that asks
    this.#handshake.handle({ type: 'closed' }, 0);
    this.#session?.wipe();
    const { step } = this.#cell.take('failure');
    return [cancel(SERVICE_TIMER), { type: 'fail', error: error.at(step) }];
  }
}
