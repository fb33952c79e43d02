import { sameBytes, utf8 } from '../../bytes/bytes.ts';
import { wipe } from '../../bytes/secret.ts';
import { toHex } from '../../bytes/text.ts';
import { isProtocolError } from '../../errors/protocol-error.ts';
import {
  type ActivationKeys,
  activationIdentities,
  activationKeys,
  activationTranscript,
  possessionChallenge,
  wipeActivationKeys,
} from '../../key-schedule/activation-schedule.ts';
import { fakeSalt, fakeVerifier } from '../../key-schedule/activation-secret.ts';
import { randomScalar } from '../../key-schedule/scalar.ts';
import { type Spake2Verifier, verifierSecrets, verifierShare } from '../../key-schedule/spake2plus.ts';
import { requireCanonicalUserId } from '../../key-schedule/user-id.ts';
import { createCbcOpener, createCbcSealer } from '../../record/cbc-record.ts';
import {
  type ActivationRequest,
  type ActivationRequestContent,
  type ActivationStart,
  activationParameters,
  activationRequest,
  activationRequestContent,
  activationResult,
  activationShare,
  activationShareReply,
  activationStart,
  encodeActivationOutcome,
  isActivationRefused,
} from '../../wire/activation.ts';
import { type AlertCode, alert } from '../../wire/alert.ts';
import { PROTOCOL_VERSION, SUITE_P256 } from '../../wire/common.ts';
import { type Frame, parseFrame } from '../../wire/frame.ts';
import { LIMITS } from '../../wire/limits.ts';
import { StateCell } from '../table.ts';
import { PendingRuns } from './pending-runs.ts';
import type { ActivationAnswer, ActivationContext, ActivationRefusal, ActivationResponderOptions, ReadCertificateRequest } from './responder-types.ts';
import { ACTIVATION_RESPONDER_TRANSITIONS, type ActivationResponderState } from './transitions.ts';

/** Server role of F1, A1 to A6: many runs at a time, one frame a call. A7 is `answerActivationDone`. */
export interface ActivationResponder {
  /** Unfinished runs. */
  readonly pending: number;
  /** Answers one frame. It never throws for what a device sends: every failure is an alert. */
  handle(bytes: Uint8Array, context: ActivationContext): ActivationAnswer;
}

/** One run, from A1 until A6 is durable or until it fails. */
interface Run {
  readonly id: string;
  readonly source: string;
  readonly startedMs: number;
  readonly cell: StateCell<ActivationResponderState>;
  readonly start: ActivationStart;
  /** h2, over A1 and A2. */
  readonly transcript: Uint8Array;
  readonly secretId: string | undefined;
  /** Absent for whoever has no secret. */
  readonly verifier: Spake2Verifier | undefined;
  /** From A3 on. */
  share?: Uint8Array;
  shareReply?: Uint8Array;
  confirmP?: Uint8Array;
  keys?: ActivationKeys;
  /** The secret could be used when A3 came; else the run goes on with a verifier that nothing fits. */
  charged?: boolean;
}

/** Ends the handling of a frame: `refusal` for the journal, `code` for the device. */
class Refused extends Error {
  readonly refusal: ActivationRefusal;
  readonly code: AlertCode;

  constructor(refusal: ActivationRefusal, code: AlertCode) {
    super(refusal);
    this.refusal = refusal;
    this.code = code;
  }
}

const noSettling = (): void => {};

/** Makes the server role. */
export function activationResponder(options: ActivationResponderOptions): ActivationResponder {
  return new ResponderRole(options);
}

class ResponderRole implements ActivationResponder {
  readonly #options: ActivationResponderOptions;
  readonly #runs: PendingRuns<Run>;

  constructor(options: ActivationResponderOptions) {
    this.#options = options;
    const { limits = {} } = options;
    this.#runs = new PendingRuns(
      {
        perSource: limits.pendingPerSource ?? LIMITS.pendingPerSource,
        inAll: limits.pendingRuns ?? LIMITS.pendingRuns,
        ageMs: limits.handshakeMs ?? LIMITS.handshakeMs,
      },
      forget,
    );
  }

  get pending(): number {
    return this.#runs.size;
  }

  handle(bytes: Uint8Array, context: ActivationContext): ActivationAnswer {
    this.#runs.expire(context.nowMs);
    try {
      const frame = parseFrame(bytes, { maxBodyBytes: LIMITS.certificateBodyBytes });
      switch (frame.name) {
        case 'activationStart':
          return this.#start(frame, bytes, context);
        case 'activationShare':
          return this.#share(frame, bytes, context);
        case 'activationRequest':
          return this.#request(frame, bytes, context);
        default:
          throw new Refused('badMessage', 'badMessage');
      }
    } catch (error) {
      const refused = error instanceof Refused ? error : isProtocolError(error) && error.kind === 'wire' ? new Refused('badMessage', 'badMessage') : undefined;
      if (refused === undefined) throw error;
      return { frame: alert.encode({ code: refused.code }), step: 'F1.4', refusal: refused.refusal, settle: noSettling };
    }
  }

  /** A1 gets A2, the same for a user that does not exist: whoever has no usable secret fails at confirmP and not before. */
  #start(frame: Frame, bytes: Uint8Array, { source, nowMs, records }: ActivationContext): ActivationAnswer {
    const { crypto, entropy, coreId, fakeSaltKey, cost } = this.#options;
    // check: F1.4 size of A1
    if (frame.body.length > LIMITS.unauthenticatedBodyBytes) throw new Refused('badMessage', 'badMessage');
    const start = activationStart.decode(frame);
    // check: F1.4 canonical user id
    requireCanonicalUserId(start.userId);
    // check: F1.4 known version
    if (!start.versions.includes(PROTOCOL_VERSION)) throw new Refused('badMessage', 'badMessage');
    // check: F1.4 known suite
    if (!start.suites.includes(SUITE_P256)) throw new Refused('badMessage', 'badMessage');
    // check: F1.4 bounded runs
    if (!this.#runs.hasRoom(source)) throw new Refused('tooManyRuns', 'busy');
    const found = records.find(start.userId, start.secretKind, start.secretSlot ?? 0);
    const activationId = entropy.randomBytes(16);
    const asked = found?.cost ?? cost;
    // Made for everybody: work that is done for unknown users alone would tell by its time who is known.
    const salt = fakeSalt(crypto, fakeSaltKey, start.userId, start.secretKind);
    const reply = activationParameters.encode({
      version: PROTOCOL_VERSION,
      suite: SUITE_P256,
      activationId,
      coreId,
      salt: found?.salt ?? salt,
      cost: [asked.N, asked.r, asked.p],
      random: entropy.randomBytes(32),
    });
    const cell = new StateCell(ACTIVATION_RESPONDER_TRANSITIONS, 'activationResponder', 'new', this.#options.onTransition);
    const { step } = cell.take('A1');
    this.#runs.add(toHex(activationId), {
      id: toHex(activationId),
      source,
      startedMs: nowMs,
      cell,
      start,
      transcript: activationTranscript(crypto, bytes, reply),
      secretId: found?.secretId,
      verifier: found && { w0: found.verifier.w0.slice() as Spake2Verifier['w0'], L: found.verifier.L },
    });
    return { frame: reply, step: step as 'F1.4', userId: start.userId, settle: noSettling };
  }

  /** A3 gets A4. The try is taken in the same transaction, before A4 leaves: confirmV lets a guesser test one secret and hang up. */
  #share(frame: Frame, bytes: Uint8Array, { records }: ActivationContext): ActivationAnswer {
    const share = activationShare.decode(frame);
    const run = this.#find(share.activationId);
    // check: F1.4 A4 only when its charge is durable
    this.#requireSettled(run);
    if (run.share !== undefined) {
      // check: F1.4 one share a run
      if (!sameBytes(run.share, bytes)) throw this.#refuse(run, 'otherShare');
      const { step } = run.cell.take('same A3');
      return { frame: run.shareReply as Uint8Array, step: step as 'F1.4', userId: run.start.userId, settle: noSettling };
    }
    run.charged = records.charge(run.secretId);
    run.share = bytes.slice();
    run.shareReply = this.#confirm(run, share.shareP);
    run.cell.take('A3');
    return {
      frame: run.shareReply,
      step: 'F1.4',
      userId: run.start.userId,
      refusal: run.charged ? undefined : 'noUsableSecret',
      settle: (durable) => {
        run.cell.take(durable ? 'durable' : 'not durable');
        if (!durable) this.#runs.delete(run.id);
      },
    };
  }

  /** Both halves of SPAKE2+ at the server, A4, and the keys. */
  #confirm(run: Run, shareP: Uint8Array): Uint8Array {
    const { crypto, entropy, coreId } = this.#options;
    const spare = fakeVerifier(crypto, entropy);
    const verifier = (run.charged === true ? run.verifier : undefined) ?? spare;
    const scalar = randomScalar<'spake2-scalar'>(entropy);
    const shareV = verifierShare(crypto, verifier.w0, scalar);
    const identities = activationIdentities({ userId: run.start.userId, coreId }, run.transcript);
    try {
      const agreed = verifierSecrets(crypto, identities, verifier, scalar, { shareP, shareV });
      const reply = activationShareReply.encode({ shareV, confirmV: agreed.confirmV });
      run.confirmP = agreed.confirmP;
      run.keys = activationKeys(crypto, run.transcript, run.share as Uint8Array, reply, agreed.sharedKey);
      wipe(agreed.confirmV);
      return reply;
    } catch (error) {
      if (!isProtocolError(error) || error.code !== 'ERR_CRYPTO_PUBLIC_KEY') throw error;
      throw this.#refuse(run, 'badPoint');
    } finally {
      wipe(spare.w0);
    }
  }

  /** A5 gets A6: confirmP first, then refund, record, signature of the request, its binding to this run (crypto design 14.10). */
  #request(frame: Frame, bytes: Uint8Array, { nowMs, records }: ActivationContext): ActivationAnswer {
    const request = activationRequest.decode(frame);
    const requestHash = this.#options.crypto.sha256(bytes);
    const pending = this.#runs.get(toHex(request.activationId));
    // check: F1.4 A6 only when it is durable
    if (pending !== undefined) this.#requireSettled(pending);
    const remembered = records.recallResult(requestHash);
    if (remembered !== undefined) return { frame: remembered, step: 'F1.4', settle: noSettling };
    const run = pending ?? this.#find(request.activationId);
    const proved = this.#proved(run, request);
    const secretId = run.secretId as string;
    records.refund(secretId);
    const { content, csr } = this.#certificateRequest(run, request, nowMs, proved);
    // check: F1.4 one device key a proof
    if (!records.mayActivate(secretId, csr.publicKey)) throw this.#refuse(run, 'otherDeviceKey');
    const { userId, secretKind, deviceInfo } = run.start;
    const { attestation, activationTypes } = content;
    const outcome = records.issue({ userId, secretKind, secretId, deviceInfo, publicKey: csr.publicKey, attestation, activationTypes });
    // A refusal is as much an A6 as a certificate: sealed, remembered, and on the wire told apart by nothing but its length.
    const reply = activationResult.encode({ record: this.#seal(proved, encodeActivationOutcome(outcome), nowMs) });
    records.rememberResult(requestHash, reply);
    const { step } = run.cell.take('A5');
    return {
      frame: reply,
      step: step as 'F1.4',
      userId,
      refused: isActivationRefused(outcome) ? outcome.refusal : undefined,
      settle: (durable) => {
        run.cell.take(durable ? 'durable' : 'not durable');
        if (durable) this.#runs.delete(run.id);
      },
    };
  }

  /** The keys of a run whose device has proved the secret. */
  #proved(run: Run, { confirmP }: ActivationRequest): ActivationKeys {
    const { keys } = run;
    if (keys === undefined) throw this.#refuse(run, 'wrongSecret');
    // check: F1.4 confirmation of the device
    if (!this.#options.crypto.equal(run.confirmP as Uint8Array, confirmP)) throw this.#refuse(run, 'wrongSecret');
    return keys;
  }

  #certificateRequest(
    run: Run,
    request: ActivationRequest,
    nowMs: number,
    keys: ActivationKeys,
  ): { readonly content: ActivationRequestContent; readonly csr: ReadCertificateRequest } {
    const { crypto } = this.#options;
    const opener = createCbcOpener(crypto, { traffic: keys.initiatorTraffic, direction: 'initiator-to-responder', bornMs: nowMs });
    let content: ActivationRequestContent;
    let csr: ReadCertificateRequest;
    try {
      content = activationRequestContent.decodeBody(opener.open(request.record, nowMs));
    } catch {
      throw this.#refuse(run, 'badRecord');
    } finally {
      opener.wipe();
    }
    try {
      csr = this.#options.readCertificateRequest(content.csr);
    } catch {
      throw this.#refuse(run, 'badCertificateRequest');
    }
    // check: F1.4 certificate request belongs to this run
    if (!crypto.equal(utf8(csr.challengePassword), utf8(possessionChallenge(keys.possession)))) throw this.#refuse(run, 'notBoundToRun');
    return { content, csr };
  }

  #seal(keys: ActivationKeys, plaintext: Uint8Array, nowMs: number): Uint8Array {
    const sealer = createCbcSealer(this.#options.crypto, this.#options.entropy, {
      traffic: keys.responderTraffic,
      direction: 'responder-to-initiator',
      bornMs: nowMs,
    });
    const record = sealer.seal(plaintext, nowMs);
    sealer.wipe();
    return record;
  }

  #find(activationId: Uint8Array): Run {
    const run = this.#runs.get(toHex(activationId));
    if (run === undefined) throw new Refused('unknownRun', 'authFailed');
    return run;
  }

  /** While a transaction of this run is under way, nothing that depends on it may be answered. */
  #requireSettled(run: Run): void {
    if (!run.cell.accepts('busy')) return;
    run.cell.take('busy');
    throw new Refused('notDurableYet', 'busy');
  }

  /** Ends a run. On the wire every reason is the same alert. */
  #refuse(run: Run, refusal: ActivationRefusal): Refused {
    run.cell.take('refusal');
    this.#runs.delete(run.id);
    return new Refused(refusal, 'authFailed');
  }
}

function forget(run: Run): void {
  wipe(run.verifier?.w0, run.confirmP);
  if (run.keys !== undefined) wipeActivationKeys(run.keys);
}
