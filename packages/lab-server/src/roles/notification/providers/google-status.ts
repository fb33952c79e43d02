import type { FaceAnswer } from './provider.ts';

/** Canonical codes of google.rpc.Status with their HTTP statuses, as far as FCM uses them. */
const CODES = {
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
} as const;

/** What FCM calls an error in `details`. */
export type FcmErrorCode = 'INVALID_ARGUMENT' | 'UNREGISTERED' | 'SENDER_ID_MISMATCH' | 'QUOTA_EXCEEDED' | 'UNAVAILABLE' | 'INTERNAL';

export interface GoogleError {
  readonly status: keyof typeof CODES;
  readonly message: string;
  readonly errorCode?: FcmErrorCode | undefined;
  /** Field that is wrong. */
  readonly field?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

const JSON_TYPE = { 'content-type': 'application/json; charset=UTF-8' };

/** An error in the form of google.rpc.Status (https://cloud.google.com/apis/design/errors). */
export function googleError({ status, message, errorCode, field, headers = {} }: GoogleError): FaceAnswer {
  const code = CODES[status];
  const details = [
    ...(errorCode === undefined ? [] : [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }]),
    ...(field === undefined ? [] : [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field, description: message }] }]),
  ];
  const error = { code, message, status, ...(details.length === 0 ? {} : { details }) };
  return { response: { status: code, headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify({ error }) }, told: `${code} ${errorCode ?? status}` };
}

/** A good answer. */
export function googleAnswer(body: object, told: string): FaceAnswer {
  return { response: { status: 200, headers: JSON_TYPE, body: JSON.stringify(body) }, told };
}
