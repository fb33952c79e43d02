import { fromHex, toHex } from '@uemkit/protocol';
import type { KeepRule } from '../waiting-wake-ups.ts';
import { type ApnsSenders, isMdmTopic } from './apns-sender.ts';
import { type FaceAnswer, type FaceOptions, objectOf, type ProviderFace, type ProviderFault, type ProviderRequest, pathOf } from './provider.ts';

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
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Provider API of APNs: `POST /3/device/<token>` over HTTP/2, with its reasons (docs/protocol/10-push.md, 10.6). */
export function createApnsFace(options: FaceOptions & { readonly senders: ApnsSenders }): ProviderFace {
  const { core, senders, nowMs } = options;

  const answer = (
    apnsId: string,
    status: number,
    error?: string,
    more: { readonly timestamp?: number; readonly headers?: Record<string, string> } = {},
  ): FaceAnswer => {
    const { timestamp, headers } = more;
    const body = error === undefined ? '' : JSON.stringify({ reason: error, ...(timestamp === undefined ? {} : { timestamp }) });
    const type: Record<string, string> = error === undefined ? {} : { 'content-type': 'application/json' };
    return { response: { status, headers: { 'apns-id': apnsId, ...type, ...headers }, body }, told: error === undefined ? `${status}` : `${status} ${error}` };
  };

  /** It was taken over. */
  const taken = (apnsId: string, told: string, wakeUpId?: Uint8Array, reason?: string): FaceAnswer => ({
    response: { status: 200, headers: { 'apns-id': apnsId }, body: '' },
    told,
    wakeUpId,
    reason,
  });

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

  const handle = async (request: ProviderRequest, fault: ProviderFault | undefined): Promise<FaceAnswer> => {
    const { headers } = request;
    const given = headers['apns-id'];
    const id = given !== undefined && UUID.test(given) ? fromHex(given.replaceAll('-', '')) : options.randomBytes(16);
    const apnsId = given !== undefined && UUID.test(given) ? given : uuidText(id);
    if (request.http !== '2') return answer(apnsId, 426, 'HttpVersionNotSupported', { headers: { upgrade: 'h2', connection: 'upgrade' } });
    const address = pathOf(request.target).slice(PATH.length).toLowerCase();
    if (address.includes('/')) return answer(apnsId, 404, 'BadPath');
    if (request.method !== 'POST') return answer(apnsId, 405, 'MethodNotAllowed');
    const sender = senders.senderOf(request, fault);
    if ('error' in sender) return answer(apnsId, sender.status, sender.error);
    if (given !== undefined && !UUID.test(given)) return answer(apnsId, 400, 'BadMessageId');
    const header = wrongHeader(request);
    if (header !== undefined) return answer(apnsId, 400, header);
    const pushType = headers['apns-push-type'];
    const mdm = isMdmTopic(sender.topic);
    if (pushType !== undefined && (pushType === 'mdm') !== mdm) return answer(apnsId, 400, 'InvalidPushType');
    const payload = payloadOf(request);
    if ('error' in payload) return answer(apnsId, payload.status, payload.error);
    if (address === '') return answer(apnsId, 400, 'MissingDeviceToken');
    let token = core.find('apns', address);
    if (token.state === 'in force' && fault === 'expire') {
      await core.end(token.key);
      token = core.find('apns', address);
    }
    if (token.state === 'unknown') return answer(apnsId, 400, 'BadDeviceToken');
    if (token.application !== sender.topic) return answer(apnsId, 400, 'DeviceTokenNotForTopic');
    if (token.state === 'gone') return answer(apnsId, 410, 'Unregistered', { timestamp: token.sinceMs });
    if (fault === 'throttle' || core.throttled(token.key, sender.topic) !== undefined) return answer(apnsId, 429, 'TooManyRequests');
    // The MDM daemon of the device would pass over anything but its PushMagic; the service does it in its place, as the wake-up carries no data.
    if (mdm && !isMdmPayload(payload)) return taken(apnsId, '200', undefined, 'no MDM payload: the device would pass over it');
    const submitted = await core.submit({ key: token.key, wakeUpId: id, keep: NEWEST, expiresAtMs: expiryOf(headers['apns-expiration']) });
    return taken(apnsId, `200 ${submitted}`, id);
  };

  return {
    service: 'apns',
    request: 'push',
    takes: (path) => path.startsWith(PATH),
    handle,
    refuse(why) {
      const apnsId = uuidText(options.randomBytes(16));
      if (why === 'tooLarge') return answer(apnsId, 413, 'PayloadTooLarge');
      return why === 'unavailable'
        ? answer(apnsId, 503, 'ServiceUnavailable', { headers: { 'retry-after': '1' } })
        : answer(apnsId, 500, 'InternalServerError');
    },
  };
}

/** `{"mdm": "<PushMagic>"}` and nothing else. */
function isMdmPayload({ keys }: Payload): boolean {
  const { mdm } = keys;
  return typeof mdm === 'string' && mdm !== '' && Object.keys(keys).length === 1;
}
