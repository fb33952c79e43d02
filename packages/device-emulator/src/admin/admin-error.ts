/** What the admin REST API answered instead of what was asked for. */
export class AdminError extends Error {
  readonly status: number;
  /** `id` of the documented error body, for example `USER_NOT_FOUND`; empty when there was none. */
  readonly id: string;

  constructor(status: number, id: string, message: string) {
    super(`admin REST: ${status}${id === '' ? '' : ` ${id}`}${message === '' ? '' : `: ${message}`}`);
    this.name = 'AdminError';
    this.status = status;
    this.id = id;
  }
}

/** True when the request surely had no effect and may be sent again later: the server was busy, or no connection could be made. */
export function hadNoEffect(error: unknown): boolean {
  if (error instanceof AdminError) return error.status === 503;
  return ['ECONNREFUSED', 'UND_ERR_CONNECT_TIMEOUT', 'EHOSTUNREACH', 'ENETUNREACH'].includes(codeOf(error));
}

/** True when the connection broke, so that nobody knows whether the request had an effect. */
export function isUndecided(error: unknown): boolean {
  return !(error instanceof AdminError) && codeOf(error) !== '' && !hadNoEffect(error);
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : '';
}
