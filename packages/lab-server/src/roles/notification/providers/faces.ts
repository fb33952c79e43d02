import type { Clock } from '@uemkit/protocol';
import { idReference } from '../../../journal/references.ts';
import type { Journal } from '../../role.ts';
import type { PushAccounts } from '../push-accounts.ts';
import type { Submitted, Submitter } from '../push-core.ts';
import type { AccessTokens } from './access-tokens.ts';
import { createApnsFace } from './apns-face.ts';
import { createApnsSenders } from './apns-sender.ts';
import { createBb10Face } from './bb10-face.ts';
import { createFcmFace } from './fcm-face.ts';
import {
  type Acceptance,
  type FaceAnswer,
  type FaceOptions,
  MAX_PROVIDER_BODY_BYTES,
  type ProviderFace,
  type ProviderFault,
  type ProviderRequest,
  type ProviderResponse,
  pathOf,
  type Refusal,
  refusalOf,
} from './provider.ts';
import { createFcmTokenFace, createWnsTokenFace, FCM_TOKEN_PATH } from './token-faces.ts';
import { createWnsFace } from './wns-face.ts';

/** The provider APIs of all services at one address. Never throws. */
export interface ProviderFaces {
  /** The face that a path belongs to. */
  faceOf(target: string): ProviderFace | undefined;
  handle(request: ProviderRequest, fault: ProviderFault | undefined): Promise<ProviderResponse>;
  /** An answer that the service did not come to, in the form of the API that was asked. */
  refuse(request: Pick<ProviderRequest, 'target' | 'method' | 'source'>, why: Refusal, reason: string): ProviderResponse;
}

export interface FacesOptions extends FaceOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly accounts: PushAccounts;
  readonly accessTokens: AccessTokens;
  /** DER of the root that issues the certificates of senders. */
  readonly root: Uint8Array;
  /** Origin of the listener, for channel URIs and the audience of tokens. */
  readonly origin: string;
}

/** What the journal is told of a request. */
interface Asked {
  readonly method: string;
  readonly source: string;
  readonly receivedMs: number;
  readonly bytes?: number | undefined;
}

/** A request that waits for its answer. A class without closures of its own: thousands may be under way at once. */
class Waiting implements Asked, Submitter {
  readonly face: ProviderFace;
  readonly method: string;
  readonly source: string;
  readonly bytes: number;
  readonly receivedMs: number;
  readonly resolve: (response: ProviderResponse) => void;
  readonly #answered: (waiting: Waiting, answer: FaceAnswer) => void;
  #acceptance: Acceptance | undefined = undefined;

  constructor(
    face: ProviderFace,
    { method, source, body }: ProviderRequest,
    receivedMs: number,
    resolve: (response: ProviderResponse) => void,
    answered: (waiting: Waiting, answer: FaceAnswer) => void,
  ) {
    this.face = face;
    this.method = method;
    this.source = source;
    this.bytes = body.length;
    this.receivedMs = receivedMs;
    this.resolve = resolve;
    this.#answered = answered;
  }

  accepted(acceptance: Acceptance): this {
    this.#acceptance = acceptance;
    return this;
  }

  answer(answer: FaceAnswer): void {
    this.#answered(this, answer);
  }

  submitted(how: Submitted): void {
    if (this.#acceptance !== undefined) this.answer(this.#acceptance.answer(how));
  }

  failed(error: unknown): void {
    this.answer({ ...this.face.refuse(refusalOf(error)), reason: error instanceof Error ? error.message : 'bug' });
  }
}

export function createProviderFaces(options: FacesOptions): ProviderFaces {
  const { clock, core, crypto, journal, accounts, accessTokens, origin } = options;
  const shared = { core, crypto, nowMs: options.nowMs, randomBytes: options.randomBytes, accessTokens };
  const faces: readonly ProviderFace[] = [
    createApnsFace({ ...shared, senders: createApnsSenders({ clock, crypto, accounts: accounts.apns, root: options.root }) }),
    createFcmFace({ ...shared, accounts: accounts.fcm }),
    createFcmTokenFace({ ...shared, accounts: accounts.fcm, audience: `${origin}${FCM_TOKEN_PATH}` }),
    createWnsFace({ ...shared, accounts: accounts.wns, channelOrigin: origin }),
    createWnsTokenFace({ ...shared, accounts: accounts.wns }),
    createBb10Face({ ...shared, accounts: accounts.bb10 }),
  ];
  const faceOf = (target: string): ProviderFace | undefined => {
    const path = pathOf(target);
    return faces.find((face) => face.takes(path));
  };

  const note = (face: ProviderFace | undefined, asked: Asked, { told, reason, wakeUpId }: Omit<FaceAnswer, 'response'>): void =>
    journal.record({
      timeMs: clock.nowMs(),
      role: 'notification',
      service: face?.service ?? 'provider',
      step: 'F5.2',
      request: face?.request ?? asked.method,
      answer: told,
      source: asked.source,
      reason,
      receivedMs: asked.receivedMs,
      bytes: asked.bytes,
      refs: wakeUpId === undefined ? undefined : idReference(crypto, wakeUpId),
      unknown: face === undefined || undefined,
    });

  const answered = (waiting: Waiting, answer: FaceAnswer): void => {
    note(waiting.face, waiting, answer);
    waiting.resolve(answer.response);
  };

  const handled = (waiting: Waiting, request: ProviderRequest, fault: ProviderFault | undefined): void => {
    try {
      const checked = waiting.face.handle(request, fault);
      if ('submission' in checked) core.submit(checked.submission, waiting.accepted(checked));
      else if ('response' in checked) waiting.answer(checked);
      else {
        const next = (): void => (checked.answer === undefined ? handled(waiting, request, undefined) : waiting.answer(checked.answer));
        core.end(checked.endsKey).then(next, (error: unknown) => waiting.failed(error));
      }
    } catch (error) {
      waiting.failed(error);
    }
  };

  const nowhere = { status: 404, headers: {}, body: '' } as const;

  return {
    faceOf,
    handle: (request, fault) =>
      new Promise((resolve) => {
        const face = faceOf(request.target);
        if (face === undefined) {
          note(undefined, { ...request, receivedMs: clock.nowMs(), bytes: request.body.length }, { told: '404', reason: 'no such path at this listener' });
          return resolve(nowhere);
        }
        const waiting = new Waiting(face, request, clock.nowMs(), resolve, answered);
        if (request.body.length > MAX_PROVIDER_BODY_BYTES) waiting.answer(face.refuse('tooLarge'));
        else handled(waiting, request, fault);
      }),
    refuse(request, why, reason) {
      const face = faceOf(request.target);
      const answer = face?.refuse(why);
      note(face, { ...request, receivedMs: clock.nowMs() }, { told: answer?.told ?? '404', reason });
      return answer?.response ?? nowhere;
    },
  };
}
