import { ProtocolError } from '@uemkit/protocol';
import { DelegateEndpoint } from './delegate-endpoint.ts';
import type { ActivationDelegate, DelegateConsent } from './delegate-port.ts';

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
export interface DelegateLimits {
  /** Apps that are connected at a time; one connection of each. */
  readonly connections: number;
  /** Admitted runs of one platform id in `requestWindowMs`. */
  readonly requestsPerApp: number;
  /** Time over which the runs of one platform id are counted, milliseconds. */
  readonly requestWindowMs: number;
  /** How long an app is waited for: until its first message, and from M2 to its request, milliseconds. */
  readonly idleMs: number;
}

export const DEFAULT_DELEGATE_LIMITS: DelegateLimits = { connections: 8, requestsPerApp: 5, requestWindowMs: 600_000, idleMs: 10_000 };

/**
 * Option `delegate` of `openDynamicsRuntime`: once it is activated the app asks UEM for access keys of other apps on its device, as far as the policy of the organisation marks it
 * as a delegate and the user agrees each time (F3.4).
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` when a part is missing
 */
export function activationDelegate(options: ActivationDelegateOptions): ActivationDelegate {
  const { platformId, signers, consent, limits } = options;
  if (typeof platformId !== 'string' || !Array.isArray(signers) || typeof consent !== 'function') {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'activationDelegate needs platformId, signers and consent');
  }
  return { attach: (host) => new DelegateEndpoint({ platformId, signers, consent, limits: { ...DEFAULT_DELEGATE_LIMITS, ...limits } }, host) };
}
