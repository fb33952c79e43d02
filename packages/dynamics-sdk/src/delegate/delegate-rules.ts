import type { RequestLimits } from '@uemkit/protocol';
import type { DelegateConsent } from './delegate-port.ts';

/** Which other apps of the device may have a key asked for, and who is asked about it. */
export interface ActivationDelegateOptions {
  /** Platform id of this app, as the operating system reports it to the others. */
  readonly platformId: string;
  /** SHA-256 of the certificates of signers whose apps may ask, 64 hexadecimal digits each; the own one must be named too. */
  readonly signers: readonly string[];
  /**
   * Shows the user which app wants to be activated, and resolves with what the user says (F3.4). Of `app` the platform id is what the operating system says; its other ids
   * are what it says itself, and UEM checks them. Nothing is asked of UEM before. Aborts when the app has gone.
   */
  readonly consent: DelegateConsent;
  readonly limits?: Partial<DelegateLimits> | undefined;
}

/** What other apps may use of this one. */
export interface DelegateLimits extends RequestLimits {
  /** Apps that are connected at a time; one connection of each. */
  readonly connections: number;
  /** Admitted runs of one platform id in `requestWindowMs`. */
  readonly requestsPerApp: number;
  /** Time over which the runs of one platform id are counted, milliseconds. */
  readonly requestWindowMs: number;
  /** Time over which a run is counted that never reached UEM, because the NOC made no connection to it, milliseconds. */
  readonly unreachedWindowMs: number;
  /** How long an app is waited for: until its first message, and from M2 to its request, milliseconds. */
  readonly idleMs: number;
}

export const DEFAULT_DELEGATE_LIMITS: DelegateLimits = {
  connections: 8,
  requestsPerApp: 5,
  requestWindowMs: 600_000,
  unreachedWindowMs: 10_000,
  idleMs: 10_000,
};

/** The options of a delegate, complete. */
export type DelegateRules = ActivationDelegateOptions & { readonly limits: DelegateLimits };
