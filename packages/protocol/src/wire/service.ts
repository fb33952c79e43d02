import { type MessageCodec, message } from './frame.ts';
import { LIMITS } from './limits.ts';
import { arrayOf, bytes, type FieldType, numbered, optional, required, structure, text, uint } from './schema.ts';

/** Which of two apps is to come to the front (documented names: no preference, prefer me, prefer the peer). Of a message it is its sender's wish. */
export type ForegroundOption = 'NoForegroundPreference' | 'PreferMeInForeground' | 'PreferPeerInForeground';

const foreground: FieldType<ForegroundOption> = numbered<ForegroundOption>('NoForegroundPreference', 'PreferMeInForeground', 'PreferPeerInForeground');

/** What an app answers in place of a reply, by its documented name. */
export type ServicesErrorCode =
  | 'GDServicesErrorGeneral'
  | 'GDServicesErrorApplicationNotFound'
  | 'GDServicesErrorServiceNotFound'
  | 'GDServicesErrorServiceVersionNotFound'
  | 'GDServicesErrorMethodNotFound'
  | 'GDServicesErrorNotAllowed'
  | 'GDServicesErrorInvalidParams'
  | 'GDServicesErrorInUse'
  | 'GDServicesErrorCertificateNotFound'
  | 'GDServicesErrorEnterpriseUserNotMatch'
  | 'GDServicesErrorProcessSuspended'
  | 'GDServicesErrorCustom'
  | 'GDServicesErrorMethodDisabled'
  | 'GDServicesErrorVersionDisabled'
  | 'GDServicesErrorServiceDisabled';

/** Every code; its place is its number. */
export const SERVICES_ERROR_CODES: readonly ServicesErrorCode[] = [
  'GDServicesErrorGeneral',
  'GDServicesErrorApplicationNotFound',
  'GDServicesErrorServiceNotFound',
  'GDServicesErrorServiceVersionNotFound',
  'GDServicesErrorMethodNotFound',
  'GDServicesErrorNotAllowed',
  'GDServicesErrorInvalidParams',
  'GDServicesErrorInUse',
  'GDServicesErrorCertificateNotFound',
  'GDServicesErrorEnterpriseUserNotMatch',
  'GDServicesErrorProcessSuspended',
  'GDServicesErrorCustom',
  'GDServicesErrorMethodDisabled',
  'GDServicesErrorVersionDisabled',
  'GDServicesErrorServiceDisabled',
];

/** A file that follows in `serviceAttachment` messages. */
export interface AttachmentHead {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

const attachments: FieldType<readonly AttachmentHead[]> = arrayOf(
  structure<AttachmentHead>({ name: required(0, text(1, 255)), size: required(1, uint(0, LIMITS.serviceAttachmentsBytes)) }),
  0,
  LIMITS.serviceAttachments,
);
const params: FieldType<string> = text(1, LIMITS.serviceParamsBytes);

/** One app asks another one for a service (docs/protocol/14-inter-app-services.md). */
export interface ServiceRequest {
  readonly serviceId: string;
  readonly version: string;
  readonly method: string;
  /** JSON; absent: none. */
  readonly params?: string | undefined;
  readonly attachments: readonly AttachmentHead[];
  readonly foreground: ForegroundOption;
}

export const serviceRequest: MessageCodec<ServiceRequest> = message(
  'serviceRequest',
  structure<ServiceRequest>({
    serviceId: required(0, text(1, 255)),
    version: required(1, text(1, 15)),
    method: required(2, text(1, 255)),
    params: optional(3, params),
    attachments: required(4, attachments),
    foreground: required(5, foreground),
  }),
);

/** What it answers. */
export interface ServiceReply {
  /** JSON; absent: none. */
  readonly params?: string | undefined;
  readonly attachments: readonly AttachmentHead[];
  readonly foreground: ForegroundOption;
}

export const serviceReply: MessageCodec<ServiceReply> = message(
  'serviceReply',
  structure<ServiceReply>({ params: optional(0, params), attachments: required(1, attachments), foreground: required(2, foreground) }),
);

/** It does not. */
export interface ServiceError {
  readonly code: ServicesErrorCode;
  /** For people. */
  readonly message?: string | undefined;
  /** JSON. */
  readonly details?: string | undefined;
}

export const serviceError: MessageCodec<ServiceError> = message(
  'serviceError',
  structure<ServiceError>({
    code: required(0, numbered<ServicesErrorCode>(...SERVICES_ERROR_CODES)),
    message: optional(1, text(1, LIMITS.resultMessageBytes)),
    details: optional(2, text(1, LIMITS.serviceDetailsBytes)),
  }),
);

/** The next bytes of the attachments, in their order. */
export interface ServiceAttachment {
  /** Place in the list of the request or reply. */
  readonly index: number;
  readonly bytes: Uint8Array;
}

export const serviceAttachment: MessageCodec<ServiceAttachment> = message(
  'serviceAttachment',
  structure<ServiceAttachment>({ index: required(0, uint(0, LIMITS.serviceAttachments - 1)), bytes: required(1, bytes(1, LIMITS.serviceChunkBytes)) }),
);
