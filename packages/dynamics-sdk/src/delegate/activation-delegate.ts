import { ProtocolError } from '@uemkit/protocol';
import { DelegateEndpoint } from './delegate-endpoint.ts';
import type { ActivationDelegate } from './delegate-port.ts';
import { type ActivationDelegateOptions, DEFAULT_DELEGATE_LIMITS } from './delegate-rules.ts';

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
