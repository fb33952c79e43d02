import { fromHex, toHex } from '@uemkit/protocol';
import type { Submission } from '../push-core.ts';
import type { KeepRule } from '../waiting-wake-ups.ts';
import { type ApnsSenders, isMdmTopic } from './apns-sender.ts';
import {
  type Acceptance,
  type Checked,
  type FaceAnswer,
  type FaceOptions,
  objectOf,
  type ProviderFace,
  type ProviderFault,
  type ProviderRequest,
  pathOf,
} from './provider.ts';

/** Payload of a notification of APNs. */
export const MAX_APNS_PAYLOAD_BYTES = 4_096;
/** Payload of one of push type `voip`. */
export const MAX_VOIP_PAYLOAD_BYTES = 5_120;
/** APNs keeps nothing for longer. */
const LONGEST_LIFE_MS = 30 * 86_400_000;
const MAX_COLLAPSE_ID_BYTES = 64;

const PATH = '/3/device/';
const NEWEST: KeepRule = { kind: 'newest' };
const PUSH_TYPES: readonly string[] = [
  'alert',
  'background',
  'complication',
  'controls',
  'fileprovider',
  'liveactivity',
  'location',
  'mdm',
  'pushtotalk',
  'voip',
  'widgets',
];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The body of a notification. */
interface Payload {
  readonly keys: Readonly<Record<string, unknown>>;
}

/** A UUID in its canonical form, upper case as APNs makes them. */
function uuidText(bytes: Uint8Array): string {
  const hex = toHex(bytes).toUpperCase();
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A notification in order. Its name in text is made when it is told, not while thousands wait. */
function acceptance(given: string | undefined, submission: Submission): Acceptance {
  return { submission, answer: (how) => taken(given ?? uuidText(submission.wakeUpId), `200 ${how}`, submission.wakeUpId) };
}

/** It was taken over. */
function taken(apnsId: string, told: string, wakeUpId?: Uint8Array, reason?: string): FaceAnswer {
  return { response: { status: 200, headers: { 'apns-id': apnsId }, body: '' }, told, wakeUpId, reason };
}

/** Provider API of APNs: `POST /3/device/<token>` over HTTP/2, with its reasons (docs/protocol/10-push.md, 10.6). */
export function createApnsFace(options: FaceOptions & { readonly senders: ApnsSenders }): ProviderFace {
  const { core, senders, nowMs } = options;

  /** `named`: the `apns-id` of the sender, where it is one. */
  const refuse = (
    named: string | undefined,
    status: number,
    error: string,
    more: { readonly timestamp?: number; readonly headers?: Record<string, string> } = {},
  ): FaceAnswer => {
    const { timestamp, headers } = more;
    const body = JSON.stringify({ reason: error, ...(timestamp === undefined ? {} : { timestamp }) });
    const apnsId = named ?? uuidText(options.randomBytes(16));
    return { response: { status, headers: { 'apns-id': apnsId, 'content-type': 'application/json', ...headers }, body }, told: `${status} ${error}` };
  };

  /** First thing that is wrong with the headers that say how to deliver. */
  const wrongHeader = ({ headers }: ProviderRequest): string | undefined => {
    const expiration = headers['apns-expiration'];
    const priority = headers['apns-priority'];
    const collapseId = headers['apns-collapse-id'];
    const pushType = headers['apns-push-type'];
    if (expiration !== undefined && !/^\d{1,15}$/.test(expiration)) return 'BadExpirationDate';
    if (priority !== undefined && !['1', '5', '10'].includes(priority)) return 'BadPriority';
    if (collapseId !== undefined && new TextEncoder().encode(collapseId).length > MAX_COLLAPSE_ID_BYTES) return 'BadCollapseId';
    return pushType !== undefined && !PUSH_TYPES.includes(pushType) ? 'InvalidPushType' : undefined;
  };

  const payloadOf = ({ headers, body }: ProviderRequest): Payload | { readonly status: number; readonly error: string } => {
    if (body.length > (headers['apns-push-type'] === 'voip' ? MAX_VOIP_PAYLOAD_BYTES : MAX_APNS_PAYLOAD_BYTES))
      return { status: 413, error: 'PayloadTooLarge' };
    const keys = objectOf(body);
    return keys === undefined || Object.keys(keys).length === 0 ? { status: 400, error: 'PayloadEmpty' } : { keys };
  };

  /** Until when it is kept: undefined, now or never. */
  const expiryOf = (header: string | undefined): number | undefined => {
    const now = nowMs();
    const longest = now + LONGEST_LIFE_MS;
    if (header === undefined) return longest;
    const atMs = Number(header) * 1_000;
    // A time that is over is as good as 0: one attempt.
    return atMs <= now ? undefined : Math.min(atMs, longest);
  };

  /** What is wrong with a request before its token is looked at: status and reason. */
  const problemOf = (request: ProviderRequest, mdm: boolean): { readonly status: number; readonly error: string } | Payload => {
    const { headers } = request;
    const given = headers['apns-id'];
    if (given !== undefined && !UUID.test(given)) return { status: 400, error: 'BadMessageId' };
    const header = wrongHeader(request);
    if (header !== undefined) return { status: 400, error: header };
    const pushType = headers['apns-push-type'];
    if (pushType !== undefined && (pushType === 'mdm') !== mdm) return { status: 400, error: 'InvalidPushType' };
    return payloadOf(request);
  };

  const handle = (request: ProviderRequest, fault: ProviderFault | undefined): Checked => {
    const given = request.headers['apns-id'];
    const named = given !== undefined && UUID.test(given) ? given : undefined;
    if (request.http !== '2') return refuse(named, 426, 'HttpVersionNotSupported', { headers: { upgrade: 'h2', connection: 'upgrade' } });
    const address = pathOf(request.target).slice(PATH.length).toLowerCase();
    if (address.includes('/')) return refuse(named, 404, 'BadPath');
    if (request.method !== 'POST') return refuse(named, 405, 'MethodNotAllowed');
    const sender = senders.senderOf(request, fault);
    if ('error' in sender) return refuse(named, sender.status, sender.error);
    const mdm = isMdmTopic(sender.topic);
    const payload = problemOf(request, mdm);
    if ('error' in payload) return refuse(named, payload.status, payload.error);
    if (address === '') return refuse(named, 400, 'MissingDeviceToken');
    const token = core.find('apns', address);
    if (token.state === 'in force' && fault === 'expire') return { endsKey: token.key };
    if (token.state === 'unknown') return refuse(named, 400, 'BadDeviceToken');
    if (token.application !== sender.topic) return refuse(named, 400, 'DeviceTokenNotForTopic');
    if (token.state === 'gone') return refuse(named, 410, 'Unregistered', { timestamp: token.sinceMs });
    if (fault === 'throttle' || core.throttled(token.key, sender.topic) !== undefined) return refuse(named, 429, 'TooManyRequests');
    const wakeUpId = named === undefined ? options.randomBytes(16) : fromHex(named.replaceAll('-', ''));
    // The MDM daemon of the device would pass over anything but its PushMagic; the service does it in its place, as the wake-up carries no data.
    if (mdm && !isMdmPayload(payload)) return taken(named ?? uuidText(wakeUpId), '200', undefined, 'no MDM payload: the device would pass over it');
    return acceptance(named, { key: token.key, wakeUpId, keep: NEWEST, expiresAtMs: expiryOf(request.headers['apns-expiration']) });
  };

  return {
    service: 'apns',
    request: 'push',
    takes: (path) => path.startsWith(PATH),
    handle,
    refuse(why) {
      if (why === 'tooLarge') return refuse(undefined, 413, 'PayloadTooLarge');
      return why === 'unavailable'
        ? refuse(undefined, 503, 'ServiceUnavailable', { headers: { 'retry-after': '1' } })
        : refuse(undefined, 500, 'InternalServerError');
    },
  };
}

/** `{"mdm": "<PushMagic>"}` and nothing else. */
function isMdmPayload({ keys }: Payload): boolean {
  const { mdm } = keys;
  return typeof mdm === 'string' && mdm !== '' && Object.keys(keys).length === 1;
}
