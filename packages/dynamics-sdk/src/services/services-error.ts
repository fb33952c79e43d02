import type { ServicesErrorCode } from '@uemkit/protocol/wire';

export type { ServicesErrorCode };

const BRAND: symbol = Symbol.for('@uemkit/dynamics-sdk ServicesError');

/** What an app answers in place of a reply, under its documented name; or what was found out before it was asked. */
export class ServicesError extends Error {
  readonly code: ServicesErrorCode;
  /** Whatever JSON holds. */
  readonly details: unknown;

  constructor(code: ServicesErrorCode, message: string, options: { readonly cause?: unknown; readonly details?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ServicesError';
    this.code = code;
    this.details = options.details;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** True for every `ServicesError`, also of another copy of this package. */
export function isServicesError(error: unknown): error is ServicesError {
  return typeof error === 'object' && error !== null && BRAND in error;
}
