import { sameBytes } from '../../bytes/bytes.ts';
import { type SecretBytes, secret, wipe } from '../../bytes/secret.ts';
import { isProtocolError, ProtocolError } from '../../errors/protocol-error.ts';
import { assistedAccessKey, nocHash, setUpPsk, typedAccessKeyStretch } from '../../key-schedule/access-key.ts';
import { createCbcOpener } from '../../record/cbc-record.ts';
import { type AlertCode, alert } from '../../wire/alert.ts';
import { type Frame, parseFrame, peekFrameName } from '../../wire/frame.ts';
import { LIMITS } from '../../wire/limits.ts';
import { type NocProvision, nocEnvelope, nocProvision, nocVerify } from '../../wire/noc.ts';
import { type ProvisioningData, provisioningAck, provisioningData, provisioningDone, provisioningRequest } from '../../wire/provisioning.ts';
import { errorOfEarlyAlert } from '../activation/activation-refusals.ts';
import { arm, cancel, persist } from '../effects.ts';
import { type HandshakeInitiator, handshakeInitiator } from '../handshake/handshake-initiator.ts';
import { type CbcSession, handshakeEffects, innerFrame, takeSecret } from '../handshake/inner-handshake.ts';
import type { Effect, Input, Machine } from '../machine.ts';
import { StateCell } from '../table.ts';
import { type AppActivationRecord, type HeldAccessKey, type UnansweredSession, writeAppActivation } from './app-activation-record.ts';
import type {
  AppActivationEvent,
  AppActivationInitiatorOptions,
  AppActivationOutput,
  AppActivationRequest,
  AppActivationRequestResult,
} from './initiator-types.ts';
import { requireOwnDevice } from './same-device.ts';
import { APP_ACTIVATION_INITIATOR_TRANSITIONS, type AppActivationInitiatorState } from './transitions.ts';

/** The app in F3.7 to F3.11. */
export type AppActivationInitiator = Machine<AppActivationRequest, AppActivationRequestResult, AppActivationEvent, AppActivationOutput>;

type AppEffect = Effect<AppActivationRequest, AppActivationEvent, AppActivationOutput>;

/** Timer of the app: each wait for an answer. */
export const APP_ACTIVATION_TIMERS = { answer: 'answer' } as const;

const WAITING: readonly AppActivationInitiatorState[] = ['verifying', 'awaitingReply', 'awaitingData', 'confirming'];

/** Secrets of one run, wiped at its end. */
interface RunSecrets {
  psk?: SecretBytes<'psk'>;
  nocHash?: SecretBytes<'noc-hash'>;
  /** The typed key on its way to scrypt. */
  stretchInput?: Uint8Array;
}

/**
 * The app's side of its activation, over one connection to the NOC: 0x30, 0x31, M1 to M3 of `sc`, 0x40, 0x41, 0x42. What the record has is not asked for again: with a
 * token the connection begins with M1, with provisioning data with the same 0x41. Frames are whole: bare ones (0x30, 0x31, M1, M2, alerts) and 0x33 around the others.
 * One object is one run; after a failure the owner makes another one from the record in the store. Every error names its step.
 *
 * `ERR_PEER_OTHER_DEVICE` means: somebody else's UEM Client handed the key over, or another device's data came; wipe the app and report it.
 *
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` when the app is activated already, or its version or platform does not fit the request.
 */
export function appActivationInitiator(options: AppActivationInitiatorOptions): AppActivationInitiator {
  const { record, app } = options;
  if (record.phase === 'activated') throw new ProtocolError('ERR_USAGE_ARGUMENT', 'the app is activated already');
  const { appId, instanceId, device } = record;
  try {
    return new InitiatorRole(options, provisioningRequest.encodeBody({ appId, instanceId, ...app, ...device }));
  } catch (cause) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'these values do not fit the provisioning request', { cause });
  }
}

class InitiatorRole implements AppActivationInitiator {
  readonly #options: AppActivationInitiatorOptions;
  /** Plaintext of the record in M3. */
  readonly #provisioningRequest: Uint8Array;
  readonly #cell: StateCell<AppActivationInitiatorState>;
  readonly #secrets: RunSecrets = {};
  #record: AppActivationRecord;
  /** Whose token M1 shows in this run. */
  #link: NocProvision | undefined;
  #handshake: HandshakeInitiator | undefined;
  #session: CbcSession | undefined;
  #bornMs = 0;

  constructor(options: AppActivationInitiatorOptions, request: Uint8Array) {
    this.#options = options;
    this.#provisioningRequest = request;
    this.#record = options.record;
    this.#cell = new StateCell(APP_ACTIVATION_INITIATOR_TRANSITIONS, 'appActivationInitiator', 'stopped', options.onTransition);
  }

  get state(): AppActivationInitiatorState {
    return this.#cell.state;
  }

  handle(input: Input<AppActivationRequestResult>, nowMs: number): readonly AppEffect[] {
    if (this.state === 'activated' || this.state === 'failed') return [];
    try {
      switch (input.type) {
        case 'start':
          return this.#begin(nowMs);
        case 'received':
          return this.#received(input.frame, nowMs);
        case 'timer':
          // check: F3.7 deadline
          if (WAITING.includes(this.state)) throw new ProtocolError('ERR_PEER_TIMEOUT', 'the activation of the app takes too long');
          return [];
        case 'closed':
          return WAITING.includes(this.state)
            ? this.#fail(input.error ?? new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection closed before the answer'))
            : [];
        case 'result':
          return this.#result(input.result, nowMs);
        case 'failed':
          return this.#fail(input.error);
        case 'call':
          return [];
      }
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return this.#fail(error);
    }
  }

  #begin(nowMs: number): readonly AppEffect[] {
    const { crypto } = this.#options;
    const { session, userId } = this.#record;
    this.#link = this.#usableLink(nowMs);
    if (session !== undefined && (this.#record.refused !== true || this.#link === undefined)) {
      // check: F3.11 age of the session
      if (nowMs - session.bornMs >= LIMITS.cbcKeyAgeMs)
        throw new ProtocolError('ERR_REJECTED_EXPIRED', 'the provisioning data was not confirmed in time', { step: 'F3.11' });
      return this.#acknowledge(session, this.#cell.take('start with 0x41').step);
    }
    const saved = persist(writeAppActivation(this.#record));
    const key = this.#record.key as HeldAccessKey;
    if (key.kind === 'typed') {
      const stretch = typedAccessKeyStretch(crypto, key.accessKey, userId);
      this.#secrets.stretchInput = stretch.password;
      return [saved, { type: 'request', request: { type: 'stretch', stretch }, step: this.#cell.take('start, typed key').step }];
    }
    const derived = assistedAccessKey(crypto, key.accessKey, userId, key.nonce);
    return [saved, ...this.#withKey(derived, { verify: 'start', review: 'start with token' })];
  }

  /** The link whose token M1 can show. */
  #usableLink(nowMs: number): NocProvision | undefined {
    const { phase, link, refused, requested } = this.#record;
    const isDoubted = phase === 'linked' && refused === true && requested !== true;
    return link === undefined || isDoubted || nowMs / 1000 >= link.tokenExpiryEpochS ? undefined : link;
  }

  #result(result: AppActivationRequestResult, nowMs: number): readonly AppEffect[] {
    if (result.type === 'stretched' && this.state === 'stretching')
      return this.#withKey(secret(result.bytes), { verify: 'stretched', review: 'stretched, with token' });
    if (result.type === 'stretched') wipe(result.bytes);
    if (result.type === 'reviewed' && this.state === 'reviewing') return this.#setUp(nowMs);
    return [];
  }

  /** The two branches of the access key; then 0x30 (F3.7), or what follows it when there is a token. */
  #withKey(accessKey: SecretBytes<'access-key'>, inputs: { readonly verify: string; readonly review: string }): readonly AppEffect[] {
    const { crypto } = this.#options;
    this.#secrets.psk = setUpPsk(crypto, accessKey);
    this.#secrets.nocHash = nocHash(crypto, accessKey);
    wipe(accessKey);
    if (this.#link !== undefined) return [this.#review(this.#link, inputs.review)];
    const { userId, appId, instanceId } = this.#record;
    const frame = nocVerify.encode({ userId, accessKeyHash: this.#secrets.nocHash, appId, instanceId });
    const { step } = this.#cell.take(inputs.verify);
    return [this.#arm(), { type: 'send', frame, step }];
  }

  #review({ tenantId, coreId }: NocProvision, input: string): AppEffect {
    const { step } = this.#cell.take(input);
    return { type: 'request', request: { type: 'review', userId: this.#record.userId, tenantId, coreId }, step };
  }

  /** A frame that nothing asked for is dropped; an answer that does not fit ends the run. */
  #received(bytes: Uint8Array, nowMs: number): readonly AppEffect[] {
    if (!WAITING.includes(this.state)) return [];
    if (peekFrameName(bytes) === 'alert') return this.#refusedBy(parseFrame(bytes), 'bare');
    switch (this.state) {
      case 'verifying':
        return this.#linked(nocProvision.decode(parseFrame(bytes)));
      case 'awaitingReply':
        return this.#replied(bytes, nowMs);
      case 'awaitingData':
        return this.#provisioned(bytes, nowMs);
      default:
        return this.#answered(bytes, nowMs);
    }
  }

  /** 0x31 (F3.8). */
  #linked(link: NocProvision): readonly AppEffect[] {
    this.#link = link;
    this.#record = { ...this.#record, phase: 'linked', link, refused: undefined, requested: undefined };
    return [
      cancel(APP_ACTIVATION_TIMERS.answer),
      persist(writeAppActivation(this.#record)),
      { type: 'emit', event: { type: 'linked', link } },
      this.#review(link, '0x31'),
    ];
  }

  /** M1, the set-up message (F3.9). */
  #setUp(nowMs: number): readonly AppEffect[] {
    const { crypto, entropy, onTransition } = this.#options;
    const { tenantId, coreId, token } = this.#link as NocProvision;
    this.#handshake = handshakeInitiator({
      crypto,
      entropy,
      binding: { name: 'sc', prologue: { tenantId, coreId } },
      start: { pskId: token, userId: this.#record.userId },
      psk: this.#secrets.psk,
      finishContent: this.#provisioningRequest,
      onTransition,
    });
    const { sent } = handshakeEffects(this.#handshake.handle({ type: 'start' }, nowMs));
    this.#cell.take('reviewed');
    return [this.#arm(), ...sent];
  }

  /** M2 (F3.10) gets M3 with the provisioning request (F3.11). That it has left is saved first: from then on the key may be bound to this token. */
  #replied(bytes: Uint8Array, nowMs: number): readonly AppEffect[] {
    const { sent, session, error } = handshakeEffects((this.#handshake as HandshakeInitiator).handle({ type: 'received', frame: bytes }, nowMs));
    if (error !== undefined) return [...sent, ...this.#fail(error)];
    this.#session = session as CbcSession;
    this.#bornMs = nowMs;
    const { sessionId } = this.#session;
    const { step } = this.#cell.take('M2');
    const saved: AppEffect[] = [];
    if (this.#record.requested !== true) {
      this.#record = { ...this.#record, requested: true };
      saved.push(persist(writeAppActivation(this.#record)));
    }
    const wrapped = sent.map(({ frame }): AppEffect => ({ type: 'send', frame: nocEnvelope.encode({ sessionId, frame }), step }));
    return [...saved, { type: 'emit', event: { type: 'coreAuthenticated' } }, this.#arm(), ...wrapped];
  }

  /** 0x40 (F3.11) is saved, together with the 0x41 that answers it, before 0x41 leaves. */
  #provisioned(bytes: Uint8Array, nowMs: number): readonly AppEffect[] {
    const { sessionId, records, answerTraffic } = this.#session as CbcSession;
    const frame = innerFrame(records.opener, recordOf(bytes, sessionId), nowMs);
    if (frame.name === 'alert') return this.#refusedBy(frame, 'sealed');
    const data = takeSecret(provisioningData, frame);
    // check: F3.11 provisioning data is for this device
    requireOwnDevice(this.#record.device, data);
    const acknowledgement = records.sealer.seal(provisioningAck.encode({ status: 0 }), nowMs);
    const session: UnansweredSession = { sessionId, acknowledgement, traffic: secret((answerTraffic as Uint8Array).slice()), bornMs: this.#bornMs };
    this.#record = { ...this.#record, phase: 'provisioned', data, session, refused: undefined };
    this.#forget();
    const { step } = this.#cell.take('0x40');
    return [persist(writeAppActivation(this.#record)), { type: 'emit', event: { type: 'provisioned', data } }, ...this.#acknowledge(session, step)];
  }

  /** 0x41, the same bytes each time (4.7, rule 7). */
  #acknowledge({ sessionId, acknowledgement }: UnansweredSession, step: string): readonly AppEffect[] {
    return [this.#arm(), { type: 'send', frame: nocEnvelope.encode({ sessionId, frame: acknowledgement }), step }];
  }

  /** 0x42: the key is used up, and goes (F3.11). */
  #answered(bytes: Uint8Array, nowMs: number): readonly AppEffect[] {
    const { sessionId, traffic, bornMs } = this.#record.session as UnansweredSession;
    const record = recordOf(bytes, sessionId);
    const opener = createCbcOpener(this.#options.crypto, { traffic, direction: 'responder-to-initiator', bornMs, sequence: 1 });
    let frame: Frame;
    try {
      frame = innerFrame(opener, record, nowMs);
    } finally {
      opener.wipe();
    }
    if (frame.name === 'alert') return this.#refusedBy(frame, 'sealed');
    // check: F3.11 status of 0x42
    if (provisioningDone.decode(frame).status !== 0) throw new ProtocolError('ERR_PEER_MISMATCH', 'UEM did not take the confirmation');
    wipe(traffic);
    this.#record = { ...this.#record, phase: 'activated', key: undefined, session: undefined, refused: undefined, requested: undefined };
    this.#cell.take('0x42');
    const { link, data } = this.#record;
    return [
      cancel(APP_ACTIVATION_TIMERS.answer),
      persist(writeAppActivation(this.#record)),
      { type: 'done', output: { record: this.#record, link: link as NocProvision, data: data as ProvisioningData } },
    ];
  }

  /** An alert deletes no key: it only lets the next run begin elsewhere. Load says nothing about the key at all. */
  #refusedBy(frame: Frame, how: 'bare' | 'sealed'): readonly AppEffect[] {
    const { code } = alert.decode(frame);
    const { phase, refused, requested } = this.#record;
    const saved: AppEffect[] = [];
    if (code === 'authFailed' && phase !== 'started') {
      this.#record = { ...this.#record, refused: phase === 'linked' || refused !== true };
      saved.push(persist(writeAppActivation(this.#record)));
    }
    // check: F3.11 who says it. UEM has proved that it has the key, and seals what it refuses: what is bare may be of the NOC, or of a UEM that has lost the session. (0x30 the NOC refuses itself.)
    const isUnproven = how === 'bare' && requested === true && this.state !== 'verifying' && code !== 'busy';
    return [...saved, ...this.#fail(isUnproven ? lostSession(code) : errorOfEarlyAlert(code))];
  }

  #arm(): AppEffect {
    return arm(APP_ACTIVATION_TIMERS.answer, this.#options.limits?.answerMs ?? LIMITS.answerMs);
  }

  #fail(error: ProtocolError): readonly AppEffect[] {
    this.#forget();
    const { session } = this.#record;
    // That of the record that the run began with belongs to the owner, who may begin with it again.
    if (session !== this.#options.record.session) wipe(session?.traffic);
    const { step } = this.#cell.take('failure');
    return [cancel(APP_ACTIVATION_TIMERS.answer), { type: 'fail', error: error.at(step) }];
  }

  #forget(): void {
    const { psk, nocHash: hash, stretchInput } = this.#secrets;
    wipe(psk, hash, stretchInput);
    // check: F3.9 secrets of an unfinished handshake
    this.#handshake?.handle({ type: 'closed' }, 0);
    this.#session?.wipe();
  }
}

/** Says nothing about the key: the next run goes on with it. */
function lostSession(code: AlertCode): ProtocolError {
  return new ProtocolError(
    'ERR_TRANSPORT_CLOSED',
    'an alert that nobody has sealed came in place of the answer: UEM has lost the session, or somebody on the way ends it',
    {
      details: { alert: code },
    },
  );
}

/** What 0x33 carries. @throws ProtocolError `ERR_WIRE_*`, `ERR_PEER_MISMATCH` */
function recordOf(bytes: Uint8Array, sessionId: Uint8Array): Uint8Array {
  const envelope = nocEnvelope.decode(parseFrame(bytes));
  // check: F3.11 session id of the envelope
  if (!sameBytes(envelope.sessionId, sessionId)) throw new ProtocolError('ERR_PEER_MISMATCH', 'the answer is for another session');
  return envelope.frame;
}
