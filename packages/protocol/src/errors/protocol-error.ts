import { ERROR_CODES, type ErrorCode, type ErrorKind, type RetryClass } from './codes.ts';

const BRAND: unique symbol = Symbol.for('uemkit.ProtocolError') as never;

/** Values that may be logged: never key material, never bytes of a peer. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

export interface ProtocolErrorOptions {
  readonly cause?: unknown;
  readonly details?: ErrorDetails;
  /** Flow step in which it happened, for example `F1.4`. */
  readonly step?: string;
}

/**
 * The one error class of the project. Match on `code`; `kind` and `retry` come from the table of codes.
 *
 * @example
 * if (isProtocolError(error) && error.retry === 'backoff') await pause(next)
 */
export class ProtocolError extends Error {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly retry: RetryClass;
  readonly details: ErrorDetails;
  readonly step: string | undefined;

  constructor(code: ErrorCode, message: string, options: ProtocolErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ProtocolError';
    this.code = code;
    this.kind = ERROR_CODES[code].kind;
    this.retry = ERROR_CODES[code].retry;
    this.details = options.details ?? {};
    this.step = options.step;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** The same error, said to have happened in `step`; a step that is already there stays. */
  at(step: string): ProtocolError {
    if (this.step !== undefined) return this;
    return new ProtocolError(this.code, this.message, { cause: this.cause, details: this.details, step });
  }
}

/** True for errors of this project, also those of a second copy of the package. */
export function isProtocolError(value: unknown): value is ProtocolError {
  return typeof value === 'object' && value !== null && (value as { [BRAND]?: unknown })[BRAND] === true;
}
