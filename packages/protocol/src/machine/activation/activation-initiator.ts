import type { SecretBytes } from '../../bytes/secret.ts';
import { wipe } from '../../bytes/secret.ts';
import { isProtocolError, ProtocolError } from '../../errors/protocol-error.ts';
import {
  type ActivationKeys,
  activationIdentities,
  activationKeys,
  activationTranscript,
  possessionChallenge,
  wipeActivationKeys,
} from '../../key-schedule/activation-schedule.ts';
import { passwordStretch, requireScryptCost, stretchQrSecret, witnessFromStretched } from '../../key-schedule/activation-secret.ts';
import { randomScalar } from '../../key-schedule/scalar.ts';
import { proverSecrets, proverShare, type Spake2Witness } from '../../key-schedule/spake2plus.ts';
import type { StoreWrite } from '../../ports/store.ts';
import { createCbcOpener, createCbcSealer } from '../../record/cbc-record.ts';
import {
  type ActivationDetails,
  type ActivationParameters,
  activationDone,
  activationParameters,
  activationRequest,
  activationRequestContent,
  activationResult,
  activationShare,
  activationShareReply,
  activationStart,
  decodeActivationOutcome,
  isActivationRefused,
} from '../../wire/activation.ts';
import { alert } from '../../wire/alert.ts';
import { PROTOCOL_VERSION, SUITE_P256 } from '../../wire/common.ts';
import { acknowledgement } from '../../wire/discovery.ts';
import { type Frame, parseFrame } from '../../wire/frame.ts';
import { LIMITS } from '../../wire/limits.ts';
import { arm, cancel, persist } from '../effects.ts';
import { errorOfAlert } from '../exchange/alerts.ts';
import type { Effect, Input, Machine } from '../machine.ts';
import { fittingMessage } from '../message-text.ts';
import { StateCell } from '../table.ts';
import { type ActivationRecord, type ConfigurationOutcome, writeActivation } from './activation-record.ts';
import { errorOfEarlyAlert, refusedActivation, refusedCredentials } from './activation-refusals.ts';
import type {
  ActivationEvent,
  ActivationInitiatorOptions,
  ActivationOutput,
  ActivationRequestResult,
  ActivationRequestToDriver,
  ActivationSecret,
} from './initiator-types.ts';
import { slotOf, userIdOf } from './secret-of-user.ts';
import { ACTIVATION_INITIATOR_TRANSITIONS, type ActivationInitiatorState } from './transitions.ts';

/** Device role of F1. */
export type ActivationInitiator = Machine<ActivationRequestToDriver, ActivationRequestResult, ActivationEvent, ActivationOutput>;

type InitiatorEffect = Effect<ActivationRequestToDriver, ActivationEvent, ActivationOutput>;

/** Timers of the device role: the whole run up to A6, and the wait for the acknowledgement of A7. */
export const ACTIVATION_TIMERS = { deadline: 'deadline', answer: 'answer' } as const;

const VERSIONS: readonly number[] = [PROTOCOL_VERSION];
const SUITES: readonly number[] = [SUITE_P256];
/** The deadline of the run does not hold any more: the user reads, or the device is being configured. */
const AFTER_RESULT: readonly ActivationInitiatorState[] = ['consenting', 'configuring', 'confirming'];
const NOTHING: Uint8Array = new Uint8Array(0);

/** What one run has agreed on so far; wiped at its end. */
interface RunSecrets {
  witness?: Spake2Witness;
  scalar?: SecretBytes<'spake2-scalar'>;
  keys?: ActivationKeys;
  confirmP?: SecretBytes<'confirmation'>;
  /** The password on its way to scrypt. */
  stretchInput?: Uint8Array;
}

/**
 * The device role of F1: A1 to A6 with the server that the secret proves, the configuration, and A7.
 * One object is one run; after a failure the owner makes another one from the record in the store. Every error names its step.
 *
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` when a record in phase `started` comes without a secret, or with that of another user.
 */
export function activationInitiator(options: ActivationInitiatorOptions): ActivationInitiator {
  const { record, secret } = options;
  if (record.phase === 'activated') throw new ProtocolError('ERR_USAGE_ARGUMENT', 'the device is activated already');
  if (record.phase === 'started' && (secret === undefined || userIdOf(secret) !== record.userId)) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'a new activation needs the secret of the user in its record');
  }
  return new InitiatorRole(options);
}

class InitiatorRole implements ActivationInitiator {
  readonly #options: ActivationInitiatorOptions;
  readonly #cell: StateCell<ActivationInitiatorState>;
  readonly #secrets: RunSecrets = {};
  #record: ActivationRecord;
  #publicKey: Uint8Array = NOTHING;
  /** A1 and A3 as sent, for the transcript. */
  #start: Uint8Array = NOTHING;
  #share: Uint8Array = NOTHING;
  #parameters: ActivationParameters | undefined;
  /** h2, over A1 and A2. */
  #transcript: Uint8Array = NOTHING;
  #requestInfo: Uint8Array = NOTHING;

  constructor(options: ActivationInitiatorOptions) {
    this.#options = options;
    this.#record = options.record;
    this.#cell = new StateCell(ACTIVATION_INITIATOR_TRANSITIONS, 'activationInitiator', 'stopped', options.onTransition);
  }

  get state(): ActivationInitiatorState {
    return this.#cell.state;
  }

  handle(input: Input<ActivationRequestResult>, nowMs: number): readonly InitiatorEffect[] {
    if (this.state === 'activated' || this.state === 'failed') return [];
    try {
      switch (input.type) {
        case 'start':
          return this.#begin(nowMs);
        case 'received':
          return this.#received(input.frame, nowMs);
        case 'timer':
          return this.#timeOver(input.timer);
        case 'closed':
          return this.#waiting() ? this.#fail(input.error ?? new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection closed before the answer')) : [];
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

  #waiting(): boolean {
    return this.state.startsWith('awaiting') || this.state === 'confirming';
  }

  #begin(nowMs: number): readonly InitiatorEffect[] {
    const { details, phase } = this.#record;
    if (details !== undefined) {
      if (phase === 'received') return [this.#goOn(details, { plain: 'start with details', notice: 'start with notice' })];
      return this.#confirm(this.#cell.take('start configured').step);
    }
    const secret = this.#options.secret as ActivationSecret;
    // check: F1.3 expiry of the QR code
    if (secret.kind === 'qr' && nowMs / 1000 >= secret.code.expiryEpochS) throw new ProtocolError('ERR_REJECTED_EXPIRED', 'the QR code is out of date');
    const { step } = this.#cell.take('start');
    return [persist(writeActivation(this.#record)), { type: 'request', request: { type: 'publicKey', keyId: this.#record.keyId }, step }];
  }

  #result(result: ActivationRequestResult, nowMs: number): readonly InitiatorEffect[] {
    if (result.type === 'publicKey' && this.state === 'preparingKey') return this.#keyReady(result.publicKey);
    if (result.type === 'stretched' && this.state === 'stretching') return this.#sendShare(result.bytes, 'stretched');
    if (result.type === 'signed' && this.state === 'signing') return this.#signed(result.signature, nowMs);
    if (result.type === 'consented' && this.state === 'consenting') return this.#consented(result.agreed);
    if (result.type === 'configured' && this.state === 'configuring') return this.#configured(result.outcome, result.writes);
    if (result.type === 'stretched') wipe(result.bytes);
    return [];
  }

  /** A1 (F1.3). */
  #keyReady(publicKey: Uint8Array): readonly InitiatorEffect[] {
    const { entropy, deviceInfo, secret, limits } = this.#options;
    this.#publicKey = publicKey;
    this.#start = activationStart.encode({
      versions: VERSIONS,
      suites: SUITES,
      userId: this.#record.userId,
      random: entropy.randomBytes(32),
      deviceInfo,
      secretKind: (secret as ActivationSecret).kind,
      secretSlot: slotOf(secret as ActivationSecret),
    });
    const { step } = this.#cell.take('key');
    return [
      arm(ACTIVATION_TIMERS.deadline, limits?.handshakeMs ?? LIMITS.handshakeMs),
      { type: 'send', frame: this.#start, step },
      { type: 'emit', event: { type: 'requested' } },
    ];
  }

  /** A frame that nothing asked for is dropped; an answer that does not fit ends the run. */
  #received(bytes: Uint8Array, nowMs: number): readonly InitiatorEffect[] {
    if (!this.#waiting()) return [];
    const authenticated = this.state === 'awaitingResult' || this.state === 'confirming';
    const frame = parseFrame(bytes, { maxBodyBytes: authenticated ? LIMITS.bodyBytes : LIMITS.unauthenticatedBodyBytes });
    if (frame.name === 'alert') {
      if (this.state === 'confirming' && this.#isForgotten(frame)) return this.#declinedAtServer();
      const { code } = alert.decode(frame);
      throw this.state === 'confirming' ? errorOfAlert(code) : errorOfEarlyAlert(code);
    }
    switch (this.state) {
      case 'awaitingParameters':
        return this.#parametersReceived(activationParameters.decode(frame), bytes);
      case 'awaitingShareReply':
        return this.#shareReplyReceived(frame, bytes);
      case 'awaitingResult':
        return this.#resultReceived(activationResult.decode(frame).record, nowMs);
      default:
        return this.#acknowledged(frame);
    }
  }

  /** A server that has forgotten a device whose user declined has taken its A7, and the answer was lost. */
  #isForgotten(frame: Frame): boolean {
    const { code } = alert.decode(frame);
    return this.#record.declined === true && (code === 'unknownDevice' || code === 'revoked');
  }

  /** A2: nothing of it is trusted until confirmV, but the device does not let itself be talked into another version, suite or server. */
  #parametersReceived(parameters: ActivationParameters, bytes: Uint8Array): readonly InitiatorEffect[] {
    const { crypto } = this.#options;
    const secret = this.#options.secret as ActivationSecret;
    // check: F1.4 version was offered
    if (!VERSIONS.includes(parameters.version)) throw new ProtocolError('ERR_PEER_MISMATCH', 'the server chose a version that was not offered');
    // check: F1.4 suite was offered
    if (!SUITES.includes(parameters.suite)) throw new ProtocolError('ERR_PEER_MISMATCH', 'the server chose a suite that was not offered');
    this.#parameters = parameters;
    this.#transcript = activationTranscript(crypto, this.#start, bytes);
    const identity = { userId: this.#record.userId, coreId: parameters.coreId };
    if (secret.kind === 'password') {
      const stretch = passwordStretch(secret.password, identity, parameters.salt, requireScryptCost(parameters.cost));
      this.#secrets.stretchInput = stretch.password;
      const { step } = this.#cell.take('A2, password');
      return [{ type: 'request', request: { type: 'stretch', stretch }, step }];
    }
    // check: F1.4 server of the QR code
    if (parameters.coreId !== secret.code.coreId) throw new ProtocolError('ERR_PEER_MISMATCH', 'the server is not the one that the QR code names');
    const stretched = stretchQrSecret(crypto, secret.code.secret, identity, parameters.salt);
    return this.#sendShare(stretched, 'A2, QR');
  }

  /** A3. */
  #sendShare(stretched: Uint8Array, input: string): readonly InitiatorEffect[] {
    const { crypto, entropy } = this.#options;
    const witness = witnessFromStretched(stretched);
    if (witness === undefined) throw refusedCredentials();
    const scalar = randomScalar<'spake2-scalar'>(entropy);
    this.#secrets.witness = witness;
    this.#secrets.scalar = scalar;
    const { activationId } = this.#parameters as ActivationParameters;
    this.#share = activationShare.encode({ activationId, shareP: proverShare(crypto, witness.w0, scalar) });
    const { step } = this.#cell.take(input);
    return [{ type: 'send', frame: this.#share, step }];
  }

  /** A4: the server proves that it holds the verifier before the device says anything more. */
  #shareReplyReceived(frame: Frame, bytes: Uint8Array): readonly InitiatorEffect[] {
    const { crypto, certificates } = this.#options;
    const { shareV, confirmV } = activationShareReply.decode(frame);
    const { coreId } = this.#parameters as ActivationParameters;
    const { witness, scalar } = this.#secrets as Required<RunSecrets>;
    const shareP = activationShare.decode(parseFrame(this.#share)).shareP;
    const identities = activationIdentities({ userId: this.#record.userId, coreId }, this.#transcript);
    const agreed = proverSecrets(crypto, identities, witness, scalar, { shareP, shareV });
    this.#secrets.confirmP = agreed.confirmP;
    try {
      // check: F1.4 confirmation of the server
      if (!crypto.equal(agreed.confirmV, confirmV)) throw refusedCredentials();
      this.#secrets.keys = activationKeys(crypto, this.#transcript, this.#share, bytes, agreed.sharedKey);
    } finally {
      wipe(agreed.sharedKey, agreed.confirmV, witness.w0, witness.w1);
    }
    this.#requestInfo = certificates.requestInfo(this.#publicKey, possessionChallenge(this.#secrets.keys.possession));
    const { step } = this.#cell.take('A4');
    return [
      { type: 'emit', event: { type: 'serverAuthenticated' } },
      { type: 'request', request: { type: 'sign', keyId: this.#record.keyId, message: this.#requestInfo }, step },
    ];
  }

  /** A5. */
  #signed(signature: Uint8Array, nowMs: number): readonly InitiatorEffect[] {
    const { crypto, entropy, certificates } = this.#options;
    const { keys, confirmP } = this.#secrets as Required<RunSecrets>;
    const csr = certificates.request(this.#requestInfo, signature);
    const sealer = createCbcSealer(crypto, entropy, { traffic: keys.initiatorTraffic, direction: 'initiator-to-responder', bornMs: nowMs });
    const { activationTypes } = this.#options;
    const record = sealer.seal(activationRequestContent.encodeBody({ csr, activationTypes }), nowMs);
    sealer.wipe();
    const { activationId } = this.#parameters as ActivationParameters;
    const { step } = this.#cell.take('signed');
    return [{ type: 'send', frame: activationRequest.encode({ activationId, confirmP, record }), step }];
  }

  /** A6: certificate, roots and configuration, saved before anything is done with them. */
  #resultReceived(record: Uint8Array, nowMs: number): readonly InitiatorEffect[] {
    const { crypto, certificates } = this.#options;
    const { keys } = this.#secrets as Required<RunSecrets>;
    const opener = createCbcOpener(crypto, { traffic: keys.responderTraffic, direction: 'responder-to-initiator', bornMs: nowMs });
    let details: ReturnType<typeof decodeActivationOutcome>;
    try {
      details = decodeActivationOutcome(opener.open(record, nowMs));
    } finally {
      opener.wipe();
    }
    // check: F1.4 refusal of an authenticated device
    if (isActivationRefused(details)) throw refusedActivation(details.refusal, details.message);
    // check: F1.4 issued certificate
    certificates.checkIssued({
      certificates: details.certificates,
      tenantRoots: details.tenantRoots,
      publicKey: this.#publicKey,
      deviceId: details.deviceId,
      nowMs,
    });
    this.#forget();
    this.#record = { ...this.#record, phase: 'received', details };
    return [
      cancel(ACTIVATION_TIMERS.deadline),
      persist(writeActivation(this.#record)),
      { type: 'emit', event: { type: 'certificateReceived', details } },
      this.#goOn(details, { plain: 'A6', notice: 'A6 with notice' }),
    ];
  }

  /** The notice of the organisation comes before anything on the device is changed. */
  #goOn({ configuration }: ActivationDetails, inputs: { readonly plain: string; readonly notice: string }): InitiatorEffect {
    const { organizationNotice: notice } = configuration;
    if (notice === undefined) return { type: 'request', request: { type: 'configure', configuration }, step: this.#cell.take(inputs.plain).step };
    return { type: 'request', request: { type: 'consent', notice }, step: this.#cell.take(inputs.notice).step };
  }

  /** Who declines tells the server, so that nothing of the device is left there. */
  #consented(agreed: boolean): readonly InitiatorEffect[] {
    const told: InitiatorEffect = { type: 'emit', event: { type: 'consented', agreed } };
    const { configuration } = this.#record.details as ActivationDetails;
    if (agreed) return [told, { type: 'request', request: { type: 'configure', configuration }, step: this.#cell.take('agreed').step }];
    this.#record = { ...this.#record, phase: 'configured', declined: true };
    const { step } = this.#cell.take('declined');
    return [persist(writeActivation(this.#record)), told, ...this.#confirm(step)];
  }

  #configured(outcome: ConfigurationOutcome, writes: readonly StoreWrite[]): readonly InitiatorEffect[] {
    const failure = outcome.status === 'failed' ? fittingMessage(outcome.message, 'the configuration failed') : undefined;
    this.#record = { ...this.#record, phase: 'configured', failure };
    const { step } = this.#cell.take('configured');
    return [persist(writeActivation(this.#record), ...writes), { type: 'emit', event: { type: 'configured', outcome } }, ...this.#confirm(step)];
  }

  /** A7 (F1.5). */
  #confirm(step: string): readonly InitiatorEffect[] {
    const { details, failure, declined } = this.#record;
    const { deviceId } = details as ActivationDetails;
    const status = declined === true ? 'declined' : failure === undefined ? 'completed' : 'failed';
    const frame = activationDone.encode({ deviceId, status, message: failure });
    return [arm(ACTIVATION_TIMERS.answer, this.#options.limits?.answerMs ?? LIMITS.answerMs), { type: 'send', frame, step }];
  }

  #acknowledged(frame: Frame): readonly InitiatorEffect[] {
    const { ok, refusal } = acknowledgement.decode(frame);
    if (!ok && refusal !== undefined) return this.#over({ status: 'refused', reason: refusal });
    // check: F1.5 acknowledgement
    if (!ok) throw new ProtocolError('ERR_PEER_MISMATCH', 'the server did not take the confirmation');
    const { failure, declined } = this.#record;
    if (declined === true) return this.#declinedAtServer();
    if (failure !== undefined) return this.#over({ status: 'configurationFailed', message: failure });
    this.#cell.take('acknowledged');
    this.#record = { ...this.#record, phase: 'activated' };
    return [cancel(ACTIVATION_TIMERS.answer), persist(writeActivation(this.#record)), { type: 'done', output: { status: 'activated', record: this.#record } }];
  }

  #declinedAtServer(): readonly InitiatorEffect[] {
    return this.#over({ status: 'declined' });
  }

  /** There is no device at the server: the record goes. */
  #over(output: ActivationOutput): readonly InitiatorEffect[] {
    this.#cell.take('acknowledged');
    const forget: StoreWrite = { ...writeActivation(this.#record), value: null };
    return [cancel(ACTIVATION_TIMERS.answer), persist(forget), { type: 'done', output }];
  }

  #timeOver(timer: string): readonly InitiatorEffect[] {
    const late = timer === ACTIVATION_TIMERS.answer ? this.state === 'confirming' : !AFTER_RESULT.includes(this.state);
    // check: F1.4 deadline
    if (late) throw new ProtocolError('ERR_PEER_TIMEOUT', 'the activation takes too long');
    return [];
  }

  #fail(error: ProtocolError): readonly InitiatorEffect[] {
    this.#forget();
    const { step } = this.#cell.take('failure');
    return [cancel(ACTIVATION_TIMERS.deadline), cancel(ACTIVATION_TIMERS.answer), { type: 'fail', error: error.at(step) }];
  }

  #forget(): void {
    const { witness, scalar, keys, confirmP, stretchInput } = this.#secrets;
    wipe(witness?.w0, witness?.w1, scalar, confirmP, stretchInput);
    if (keys !== undefined) wipeActivationKeys(keys);
  }
}
