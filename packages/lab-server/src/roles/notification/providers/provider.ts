import type { CryptoProvider } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { isStoreTrouble, type PushCore, type Submission, type Submitted } from '../push-core.ts';

/** One HTTP request of a sender, however it came. */
export interface ProviderRequest {
  readonly method: string;
  /** Path with query, as sent. */
  readonly target: string;
  readonly http: '1.1' | '2';
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  /** Certificate in DER that the sender showed, or `untrusted`: one that does not come from the lab's root. */
  readonly certificate?: Uint8Array | 'untrusted' | undefined;
  /** Address of the sender, for the journal. */
  readonly source: string;
}

export interface ProviderResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What is done on purpose to a request: the limit is over, the token of the device or the access of the sender has run out. */
export type ProviderFault = 'throttle' | 'expire' | 'expireAccess';

/** Why a request is refused before a face has looked at it. */
export type Refusal = 'tooLarge' | 'unavailable' | 'failed';

/** An answer, with what the journal is told of it. */
export interface FaceAnswer {
  /** The wake-up that it is about. */
  readonly wakeUpId?: Uint8Array | undefined;
  readonly response: ProviderResponse;
  /** For example `410 Unregistered`. */
  readonly told: string;
  readonly reason?: string | undefined;
}

/** A request that is in order. */
export interface Acceptance {
  readonly submission: Submission;
  /** What the sender is told when it is known what became of the notification. */
  answer(how: Submitted): FaceAnswer;
}

/** A token that has to end first. */
interface Ending {
  readonly endsKey: string;
  /** The answer when it has ended; without one the request is looked at again. */
  readonly answer?: FaceAnswer | undefined;
}

/** What becomes of a request that a face has looked at. */
export type Checked = FaceAnswer | Acceptance | Ending;

/** One provider API of one service. */
export interface ProviderFace {
  readonly service: wire.PushServiceName;
  /** What the journal calls a request. */
  readonly request: string;
  takes(path: string): boolean;
  /** Checks a request, at once: whatever takes time is left to the caller. @throws ProtocolError `ERR_STORE_READ` */
  handle(request: ProviderRequest, fault: ProviderFault | undefined): Checked;
  /** The same answer in the form of this API. */
  refuse(why: Refusal): FaceAnswer;
}

/** What all faces are given. */
export interface FaceOptions {
  readonly core: PushCore;
  readonly crypto: CryptoProvider;
  nowMs(): number;
  randomBytes(lengthBytes: number): Uint8Array;
}

/** Body of a request to any face; over it the request is refused as too large. */
export const MAX_PROVIDER_BODY_BYTES = 16_384;

/** Path without the query. */
export function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark < 0 ? target : target.slice(0, mark);
}

const utf8Decoder = new TextDecoder('utf-8', { fatal: true });

/** Text of a body, or undefined when it is no UTF-8. */
export function textOf(body: Uint8Array): string | undefined {
  try {
    return utf8Decoder.decode(body);
  } catch {
    return undefined;
  }
}

/** JSON object of a body, or undefined. */
export function objectOf(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(textOf(body) ?? '');
    return isRecord(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

/** True for a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Why a request that threw is refused. */
export function refusalOf(error: unknown): Refusal {
  return isStoreTrouble(error) ? 'unavailable' : 'failed';
}
