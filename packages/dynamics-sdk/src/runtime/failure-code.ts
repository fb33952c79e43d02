import type { ProtocolError } from '@uemkit/protocol';
import type { ActivationStage } from '../activation/app-activation-run.ts';
import type { ResultName } from './result-codes.ts';

/** The code of an activation that failed. With credentials of the caller it is one of the codes of programmatic activation. */
export function codeOfActivation(stage: ActivationStage, error: ProtocolError, isProgrammatic: boolean): ResultName {
  if (!isProgrammatic) return stage === 'infrastructureActivation' ? 'GDErrorActivationFailed' : 'GDErrorProvisioningFailed';
  if (error.code === 'ERR_TRANSPORT_CONNECT') return 'GDErrorProgrammaticActivationNoNetwork';
  if (error.kind === 'rejected' && error.retry === 'reactivate') return 'GDErrorProgrammaticActivationCredentialsFailed';
  const isServer = error.kind !== 'local' && error.kind !== 'bug';
  return isServer ? 'GDErrorProgrammaticActivationServerCommsFailed' : 'GDErrorProgrammaticActivationUnknown';
}
