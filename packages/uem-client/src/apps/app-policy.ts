import { type AskingApp, ProtocolError, type RequestLimits } from '@uemkit/protocol';

/** Which apps on the device may ask for access keys (F3.3). UEM decides once more, by its catalogue and what is assigned to the user (F3.4). */
export interface AppPolicy {
  /** Platform id of this UEM Client, as the operating system reports it to apps; bound by the handshake. */
  readonly platformId: string;
  /**
   * Whether this app may ask at all. An app that may not is shown no certificate. Its platform id is what the operating system says; its other ids are what it says
   * itself. Not for devices with a Knox Workspace, whose apps ask each other (F4.3).
   */
  mayAsk(app: AskingApp, signal: AbortSignal): boolean | Promise<boolean>;
  readonly limits?: Partial<AppLimits> | undefined;
}

/** What apps may use of the client. */
export interface AppLimits extends RequestLimits {
  /** Apps that are connected at a time. */
  readonly connections: number;
  /** Of these with one platform id. */
  readonly connectionsPerApp: number;
  /** Admitted runs of one platform id in `requestWindowMs`. */
  readonly requestsPerApp: number;
  /** Time over which the runs of one platform id are counted, milliseconds. */
  readonly requestWindowMs: number;
  /** Time over which a run is counted that never reached UEM, because no connection to it could be made, milliseconds. */
  readonly unreachedWindowMs: number;
  /** How long an app is waited for: until its first message, and from M2 to its request. */
  readonly idleMs: number;
}

export const DEFAULT_APP_LIMITS: AppLimits = {
  connections: 16,
  connectionsPerApp: 2,
  requestsPerApp: 5,
  requestWindowMs: 600_000,
  unreachedWindowMs: 10_000,
  idleMs: 10_000,
};

/** @throws ProtocolError `ERR_USAGE_ARGUMENT` when a part is missing */
export function checkAppPolicy(policy: AppPolicy): void {
  if (typeof policy.platformId !== 'string' || policy.platformId === '' || typeof policy.mayAsk !== 'function')
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'apps needs platformId and mayAsk');
}
