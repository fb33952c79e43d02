import type { ServiceAnswer, ServiceContent } from '@uemkit/protocol';
import { type ForegroundOption, LIMITS } from '@uemkit/protocol/wire';
import { isServicesError, ServicesError } from './services-error.ts';

export type { ForegroundOption };

/** A file that goes with a message. */
export interface ServiceAttachment {
  /** 1 to 255 bytes of UTF-8. Another app has chosen it: it is no path, and is not to be taken for one. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What a request or a reply holds. */
export interface ServiceMessage {
  /** Whatever JSON holds, at most 48 KiB as JSON. */
  readonly params?: unknown;
  /** At most 16, of 8 MiB together. */
  readonly attachments?: readonly ServiceAttachment[] | undefined;
  /** Which of the two apps its sender wants to come to the front; none unless set. Bringing it there is for the platform. */
  readonly foreground?: ForegroundOption | undefined;
}

/** The same as it arrived. */
export interface ReceivedMessage {
  readonly params: unknown;
  readonly attachments: readonly ServiceAttachment[];
  readonly foreground: ForegroundOption;
}

const utf8 = new TextEncoder();

/** @throws ServicesError `GDServicesErrorInvalidParams` for what is no JSON, or too much for one message */
export function contentOf({ params, attachments = [], foreground = 'NoForegroundPreference' }: ServiceMessage): ServiceContent {
  const json = params === undefined ? undefined : jsonOf(params);
  const total = attachments.reduce((sum, { bytes }) => sum + bytes.length, 0);
  // check: S size of what is sent
  if (attachments.length > LIMITS.serviceAttachments || total > LIMITS.serviceAttachmentsBytes)
    throw new ServicesError(
      'GDServicesErrorInvalidParams',
      `at most ${LIMITS.serviceAttachments} attachments, of ${LIMITS.serviceAttachmentsBytes} bytes together; send less, or in several messages`,
    );
  return { ...(json === undefined ? {} : { params: json }), attachments, foreground };
}

function jsonOf(params: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(params);
  } catch (cause) {
    throw new ServicesError('GDServicesErrorInvalidParams', 'params are no JSON', { cause });
  }
  if (json === undefined) throw new ServicesError('GDServicesErrorInvalidParams', 'params are no JSON');
  if (utf8.encode(json).length > LIMITS.serviceParamsBytes)
    throw new ServicesError('GDServicesErrorInvalidParams', `params are longer than ${LIMITS.serviceParamsBytes} bytes; send them as an attachment`);
  return json;
}

/** @throws ServicesError `GDServicesErrorInvalidParams` when the other app has sent what is no JSON */
export function receivedMessage({ params, attachments, foreground }: ServiceContent): ReceivedMessage {
  return { params: params === undefined ? undefined : parsed(params), attachments, foreground };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new ServicesError('GDServicesErrorInvalidParams', 'the other app has sent params that are no JSON', { cause });
  }
}

/** How an error of the app goes to the other one: a `ServicesError` as it is; of anything else nothing is told but that there was one. */
export function answerOf(error: unknown): ServiceAnswer {
  if (!isServicesError(error)) return { type: 'error', error: { code: 'GDServicesErrorGeneral' } };
  const { code, message, details } = error;
  const json = details === undefined ? undefined : JSON.stringify(details);
  const isFitting = json !== undefined && utf8.encode(json).length <= LIMITS.serviceDetailsBytes;
  return {
    type: 'error',
    error: { code, ...(message === '' ? {} : { message: message.slice(0, 256).toWellFormed() }), ...(isFitting ? { details: json } : {}) },
  };
}

/** The content of an answer. @throws ServicesError what the other app has answered in its place */
export function replyOf(answer: ServiceAnswer): ReceivedMessage {
  if (answer.type === 'reply') return receivedMessage(answer.content);
  const { code, message = 'the other app has refused', details } = answer.error;
  throw new ServicesError(code, message, { details: details === undefined ? undefined : parsed(details) });
}
