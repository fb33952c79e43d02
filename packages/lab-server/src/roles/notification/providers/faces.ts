import type { Clock } from '@uemkit/protocol';
import { idReferences } from '../../../journal/references.ts';
import type { Journal } from '../../role.ts';
import type { PushAccounts } from '../push-accounts.ts';
import type { AccessTokens } from './access-tokens.ts';
import { createApnsFace } from './apns-face.ts';
import { createApnsSenders } from './apns-sender.ts';
import { createBb10Face } from './bb10-face.ts';
import { createFcmFace } from './fcm-face.ts';
import {
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

export function createProviderFaces(options: FacesOptions): ProviderFaces {
  const { clock, crypto, journal, accounts, accessTokens, origin } = options;
  const shared = { core: options.core, crypto, nowMs: options.nowMs, randomBytes: options.randomBytes, accessTokens };
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

  const note = (
    face: ProviderFace | undefined,
    { method, source, body }: Pick<ProviderRequest, 'method' | 'source'> & Partial<Pick<ProviderRequest, 'body'>>,
    { told, reason, wakeUpId }: Omit<FaceAnswer, 'response'>,
    receivedMs: number = clock.nowMs(),
  ) =>
    journal.record({
      timeMs: clock.nowMs(),
      role: 'notification',
      service: face?.service ?? 'provider',
      step: 'F5.2',
      request: face?.request ?? method,
      answer: told,
      source,
      reason,
      receivedMs,
      bytes: body?.length,
      refs: wakeUpId === undefined ? undefined : idReferences(crypto, [wakeUpId]),
      unknown: face === undefined || undefined,
    });

  const nowhere = { status: 404, headers: {}, body: '' } as const;

  return {
    faceOf,
    async handle(request, fault) {
      const face = faceOf(request.target);
      if (face === undefined) {
        note(undefined, request, { told: '404', reason: 'no such path at this listener' });
        return nowhere;
      }
      const receivedMs = clock.nowMs();
      let answer: FaceAnswer;
      try {
        answer = request.body.length > MAX_PROVIDER_BODY_BYTES ? face.refuse('tooLarge') : await face.handle(request, fault);
      } catch (error) {
        answer = { ...face.refuse(refusalOf(error)), reason: error instanceof Error ? error.message : 'bug' };
      }
      note(face, request, answer, receivedMs);
      return answer.response;
    },
    refuse(request, why, reason) {
      const face = faceOf(request.target);
      const answer = face?.refuse(why);
      note(face, request, { told: answer?.told ?? '404', reason });
      return answer?.response ?? nowhere;
    },
  };
}
