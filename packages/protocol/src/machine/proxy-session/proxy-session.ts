import { isProtocolError, ProtocolError } from '../../errors/protocol-error.ts';
import { writeStreamData } from '../../wire/data-codec.ts';
import * as data from '../../wire/data-stream.ts';
import { type Frame, parseFrame } from '../../wire/frame.ts';
import type { FrameName } from '../../wire/frame-types.ts';
import { LIMITS } from '../../wire/limits.ts';
import { frameParser } from '../../wire/stream.ts';
import { type HandshakeInitiator, handshakeInitiator } from '../handshake/handshake-initiator.ts';
import { type HandshakeResponder, handshakeResponder } from '../handshake/handshake-responder.ts';
import type { HandshakeEvent, HandshakeRequest, HandshakeRequestResult, HandshakeSession, SessionRecords } from '../handshake/handshake-types.ts';
import type { Effect, Input, Machine } from '../machine.ts';
import type { ProxySessionInitiatorOptions, ProxySessionResponderOptions, SessionCall, SessionEvent } from './session-types.ts';
import { Streams } from './streams.ts';

type Request = HandshakeRequest;
type Event = SessionEvent | HandshakeEvent;
type SessionEffect = Effect<Request, Event, undefined>;

/**
 * One session of `px`, or of `dc` inside of TLS, with its streams (docs/protocol/12-data-path.md). `received` takes one handshake frame, one whole record, or in `dc` one
 * frame, as `handshakeStream` cuts them;
 * `done` when one of the ends has closed it in good order.
 */
export interface ProxySession extends Machine<Request, HandshakeRequestResult, Event, undefined, SessionCall> {
  readonly name: 'px' | 'dc';
  readonly state: 'handshake' | 'established' | 'ended';
  /** Streams that are open or being opened. */
  readonly openStreams: number;
  /** Bytes that may be written on a stream now. */
  credit(streamId: number): number;
}

/** Timer that asks a quiet session whether it lives, and waits for the answer. */
export const SESSION_TIMER = 'quiet';

/** The app's end. @throws ProtocolError `ERR_USAGE_ARGUMENT` when keys or ids do not fit */
export function proxySessionInitiator(options: ProxySessionInitiatorOptions): ProxySession {
  const { binding, sessionKeyId, psk, responderStaticKey, crypto, entropy, onTransition } = options;
  const start = { pskId: sessionKeyId, instanceId: binding.prologue.instanceId };
  return new Session('app', binding.name, handshakeInitiator({ crypto, entropy, binding, start, psk, responderStaticKey, onTransition }), options);
}

/** The Proxy's end. */
export function proxySessionResponder(options: ProxySessionResponderOptions): ProxySession {
  const { name = 'px', crypto, entropy, onTransition } = options;
  return new Session('proxy', name, handshakeResponder({ name, crypto, entropy, onTransition }), options);
}

type Handshake = HandshakeInitiator | HandshakeResponder;
type GcmRecords = Extract<SessionRecords, { readonly kind: 'gcm' }>;

/** Steps of what a session carries. */
const STEPS = { px: 'F10.4', dc: 'F11.4' } as const;
class Session implements ProxySession {
  readonly name: 'px' | 'dc';
  /** Until the session stands. */
  #handshake: Handshake | undefined;
  readonly #quietMs: number;
  readonly #pongMs: number;
  readonly #streams: Streams;
  readonly #frames = frameParser({ maxBodyBytes: LIMITS.gcmPlaintextBytes, trailerBytes: noTrailer, views: true });
  #session: HandshakeSession | undefined;
  #state: ProxySession['state'] = 'handshake';
  #effects: SessionEffect[] = [];
  #nowMs = 0;
  #heardMs = 0;
  #pinged: number | undefined;
  #pings = 0;

  constructor(
    role: 'app' | 'proxy',
    name: 'px' | 'dc',
    handshake: Handshake,
    { limits = {}, onTransition }: Pick<ProxySessionResponderOptions, 'limits' | 'onTransition'>,
  ) {
    this.name = name;
    this.#handshake = handshake;
    this.#quietMs = Math.min(limits.quietMs ?? LIMITS.streamQuietMs, LIMITS.streamQuietMs);
    this.#pongMs = Math.min(limits.pongMs ?? LIMITS.streamPongMs, LIMITS.streamPongMs);
    this.#streams = new Streams({
      role,
      openStreams: Math.min(limits.openStreams ?? LIMITS.openStreams, LIMITS.openStreams),
      // Both ends begin with the same window; it is not negotiated.
      windowBytes: LIMITS.streamWindowBytes,
      // Where TLS is all there is, a frame for each of its records; the chunks of an app have lengths of their own, which no number of records fits.
      dataBytes: role === 'proxy' && name === 'dc' ? data.dataBytesOfTlsRecord : () => LIMITS.streamDataBytes,
      onTransition,
      send: (frame) => this.#seal(frame),
      sendData: (message) => this.#sealData(message),
      emit: (event) => void this.#effects.push({ type: 'emit', event }),
    });
  }

  get state(): ProxySession['state'] {
    return this.#state;
  }

  get openStreams(): number {
    return this.#streams.open;
  }

  credit(streamId: number): number {
    return this.#streams.credit(streamId);
  }

  handle(input: Input<HandshakeRequestResult, SessionCall>, nowMs: number): readonly SessionEffect[] {
    if (this.#state === 'ended') return [];
    this.#nowMs = nowMs;
    this.#effects = [];
    if (input.type === 'call') this.#call(input.call);
    else if (this.#state === 'handshake') this.#handshaking(input);
    else this.#guarded(() => this.#established(input));
    return this.#effects;
  }

  /** Errors of a call are the caller's, and change nothing. */
  #call(call: SessionCall): void {
    if (call.type === 'close') return this.#close();
    if (this.#state !== 'established') throw new ProtocolError('ERR_USAGE_STATE', 'the session does not stand yet');
    this.#streams.call(call);
  }

  #handshaking(input: Exclude<Input<HandshakeRequestResult, SessionCall>, { readonly type: 'call' }>): void {
    for (const effect of (this.#handshake as Handshake).handle(input as Input<never>, this.#nowMs)) {
      if (effect.type === 'done') this.#begin(effect.output);
      else {
        if (effect.type === 'fail') this.#state = 'ended';
        this.#effects.push(effect as SessionEffect);
      }
    }
  }

  #begin(session: HandshakeSession): void {
    this.#session = session;
    this.#handshake = undefined;
    this.#state = 'established';
    this.#heardMs = this.#nowMs;
    this.#effects.push({ type: 'emit', event: { type: 'established' } }, { type: 'arm-timer', timer: SESSION_TIMER, afterMs: this.#quietMs });
  }

  #established(input: Exclude<Input<HandshakeRequestResult, SessionCall>, { readonly type: 'call' }>): void {
    switch (input.type) {
      case 'received':
        return this.#received(input.frame);
      case 'timer':
        return this.#quiet();
      case 'closed':
        // check: PX the end is authenticated
        throw input.error ?? new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection ended before the session was closed: data may be cut off');
      default:
    }
  }

  #received(record: Uint8Array): void {
    this.#heardMs = this.#nowMs;
    const records = this.#records();
    if (records === undefined) return this.#frame(parseFrame(record));
    const opened = records.opener.open(record, this.#nowMs);
    if (opened.type === 'data') for (const bytes of this.#frames.push(opened.plaintext)) this.#frame(parseFrame(bytes));
    if (opened.type !== 'closed') return;
    // check: PX close without fault
    if (opened.alert !== 0) throw new ProtocolError('ERR_PEER_ALERT', 'the other end has broken the session off', { details: { alert: opened.alert } });
    this.#frames.end();
    this.#end({ type: 'done', output: undefined });
  }

  #frame(frame: Frame): void {
    if (frame.name === 'streamPing') return this.#seal(data.streamPong.encode(data.streamPing.decode(frame)));
    if (frame.name !== 'streamPong') return this.#streams.receive(frame);
    const { number } = data.streamPong.decode(frame);
    // check: PX a pong to the ping
    if (number !== this.#pinged) throw new ProtocolError('ERR_PEER_UNEXPECTED', 'an answer that nobody asked for');
    this.#pinged = undefined;
  }

  /** Nothing has come for a while: a connection that is half open shows itself by the missing answer. */
  #quiet(): void {
    // check: PX an answer to the ping
    if (this.#pinged !== undefined && this.#nowMs - this.#heardMs >= this.#pongMs) throw new ProtocolError('ERR_PEER_TIMEOUT', 'the other end does not answer');
    const leftMs = this.#heardMs + this.#quietMs - this.#nowMs;
    if (leftMs > 0) return void this.#effects.push({ type: 'arm-timer', timer: SESSION_TIMER, afterMs: leftMs });
    this.#pinged = this.#pings++ % 2 ** 32;
    this.#seal(data.streamPing.encode({ number: this.#pinged }));
    this.#effects.push({ type: 'arm-timer', timer: SESSION_TIMER, afterMs: this.#pongMs });
  }

  #seal(frame: Uint8Array): void {
    this.#send(this.#records()?.sealer.sealData(frame, this.#nowMs) ?? frame);
  }

  /** A frame that is sealed at once needs no memory of its own. */
  #sealData(message: data.StreamData): void {
    const records = this.#records();
    this.#send(records === undefined ? data.streamData.encode(message) : records.sealer.sealData(writeStreamData(message, toSeal), this.#nowMs));
  }

  #send(frame: Uint8Array | undefined): void {
    if (frame !== undefined) this.#effects.push({ type: 'send', frame, step: STEPS[this.name] });
  }

  /** Undefined in `dc`: TLS protects what is sent, its end included. */
  #records(): GcmRecords | undefined {
    const records = this.#session?.records;
    return records?.kind === 'gcm' ? records : undefined;
  }

  #close(): void {
    if (this.#state === 'established') this.#send(this.#records()?.sealer.close());
    this.#end({ type: 'done', output: undefined });
  }

  /** Whatever breaks a rule ends the session; the other end hears that, and not why. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      if (error.kind !== 'transport') this.#send(this.#records()?.sealer.close(ALERT_BAD_MESSAGE));
      this.#end({ type: 'fail', error: error.at(STEPS[this.name]) });
    }
  }

  #end(last: SessionEffect): void {
    this.#state = 'ended';
    this.#session?.wipe();
    this.#effects.push({ type: 'cancel-timer', timer: SESSION_TIMER }, last);
  }
}

const ALERT_BAD_MESSAGE = 1;
/** What the next record is made of, in whichever session. */
const toSeal = new Uint8Array(LIMITS.gcmPlaintextBytes);

function noTrailer(name: FrameName): number {
  // check: PX frames of a session
  if (!data.STREAM_FRAMES.has(name)) throw new ProtocolError('ERR_WIRE_TYPE', `${name} does not belong into a session`);
  return 0;
}
