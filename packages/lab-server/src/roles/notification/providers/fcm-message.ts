import { fromHex } from '@uemkit/protocol';
import { isRecord } from './provider.ts';

/** FCM keeps a message for at most four weeks, and for so long unless told otherwise. */
export const MAX_FCM_LIFE_MS: number = 28 * 86_400_000;
/** Keys and values of `data` and of `notification` together. */
export const MAX_FCM_PAYLOAD_BYTES = 4_096;

/** What the service needs of a message. */
export interface FcmMessage {
  readonly token: string;
  /** 0: now or never. */
  readonly lifeMs: number;
  readonly collapseKey: string | undefined;
  readonly validateOnly: boolean;
  /** Name that the sender gave the wake-up, in `data.wakeUp`. */
  readonly wakeUpId: Uint8Array | undefined;
}

/** Why a message is refused: the field, and what is wrong with it. */
export interface FcmProblem {
  readonly field: string;
  readonly message: string;
}

const MESSAGE_FIELDS: readonly string[] = [
  'android',
  'apns',
  'condition',
  'data',
  'fcmOptions',
  'fcm_options',
  'name',
  'notification',
  'token',
  'topic',
  'webpush',
];

/** Reads the body of `messages:send`. */
export function readFcmMessage(body: Readonly<Record<string, unknown>>): FcmMessage | FcmProblem {
  const { message, validate_only, validateOnly = validate_only, ...unknown } = body;
  const [other] = Object.keys(unknown);
  if (other !== undefined) return { field: other, message: `Invalid JSON payload received. Unknown name "${other.slice(0, 60)}": Cannot find field.` };
  if (!isRecord(message)) return { field: 'message', message: 'Message is not set.' };
  const stranger = Object.keys(message).find((name) => !MESSAGE_FIELDS.includes(name));
  if (stranger !== undefined) {
    return { field: 'message', message: `Invalid JSON payload received. Unknown name "${stranger.slice(0, 60)}" at 'message': Cannot find field.` };
  }
  if (message['topic'] !== undefined || message['condition'] !== undefined)
    return { field: 'message.topic', message: 'This service knows devices by token only.' };
  const { token } = message;
  if (typeof token !== 'string' || token === '') return { field: 'message.token', message: 'Exactly one of token, topic or condition is required.' };
  return payloadProblem(message) ?? readAndroid(message['android'], { token, validateOnly: validateOnly === true, wakeUpId: wakeUpIdOf(message['data']) });
}

/** Ours: a sender may name its wake-up, so that its way can be followed. */
function wakeUpIdOf(data: unknown): Uint8Array | undefined {
  const name = isRecord(data) ? data['wakeUp'] : undefined;
  return typeof name === 'string' && /^[0-9a-f]{32}$/.test(name) ? fromHex(name) : undefined;
}

function payloadProblem({ data = {}, notification = {} }: Readonly<Record<string, unknown>>): FcmProblem | undefined {
  if (!isRecord(data)) return { field: 'message.data', message: 'Invalid value at message.data.' };
  if (!isRecord(notification)) return { field: 'message.notification', message: 'Invalid value at message.notification.' };
  const nested = Object.entries(notification).find(([, value]) => value !== null && typeof value !== 'string');
  if (nested !== undefined) return { field: `message.notification.${nested[0].slice(0, 60)}`, message: 'Invalid value (TYPE_STRING).' };
  const wrong = Object.entries(data).find(([, value]) => typeof value !== 'string');
  if (wrong !== undefined) return { field: `message.data[${wrong[0].slice(0, 60)}]`, message: 'Invalid value (TYPE_STRING).' };
  const reserved = Object.keys(data).find((name) => name === 'from' || name === 'message_type' || name.startsWith('google.') || name.startsWith('gcm.'));
  if (reserved !== undefined) return { field: 'message.data', message: `Invalid data payload key: ${reserved.slice(0, 60)}` };
  const lengthBytes = new TextEncoder().encode(JSON.stringify(data) + JSON.stringify(notification)).length;
  return lengthBytes > MAX_FCM_PAYLOAD_BYTES ? { field: 'message', message: 'Message too big: the payload is over 4096 bytes.' } : undefined;
}

function readAndroid(android: unknown, message: Pick<FcmMessage, 'token' | 'validateOnly' | 'wakeUpId'>): FcmMessage | FcmProblem {
  if (android !== undefined && !isRecord(android)) return { field: 'message.android', message: 'Invalid value at message.android.' };
  const { ttl = `${MAX_FCM_LIFE_MS / 1_000}s`, priority, collapse_key, collapseKey = collapse_key } = android ?? {};
  const seconds = typeof ttl === 'string' ? /^(\d{1,9}(?:\.\d{1,9})?)s$/.exec(ttl)?.[1] : undefined;
  if (seconds === undefined || Number(seconds) * 1_000 > MAX_FCM_LIFE_MS) return { field: 'message.android.ttl', message: 'Invalid ttl: from 0s to 2419200s.' };
  if (priority !== undefined && !(typeof priority === 'string' && ['NORMAL', 'HIGH'].includes(priority.toUpperCase()))) {
    return { field: 'message.android.priority', message: 'Invalid value: NORMAL or HIGH.' };
  }
  if (collapseKey !== undefined && typeof collapseKey !== 'string') return { field: 'message.android.collapse_key', message: 'Invalid value (TYPE_STRING).' };
  return { ...message, lifeMs: Number(seconds) * 1_000, collapseKey: collapseKey === '' ? undefined : collapseKey };
}
