import { ProtocolError } from '@uemkit/protocol';
import type { ResultName } from '../runtime/result-codes.ts';
import type { AuthorizationState } from '../runtime/transitions.ts';

/** What hides an app but lets it go on in the background, as documented: the user comes back, or sets a new password. */
const ONLY_HIDDEN: readonly ResultName[] = ['GDErrorIdleLockout', 'GDErrorPasswordChangeRequired'];

/** Why an app in this state has no network; undefined when it has. Of blocks only the newest is known here, so each of them closes. */
export function closedBy(state: AuthorizationState, code: ResultName): ProtocolError | undefined {
  if (state === 'authorized' || (state === 'locked' && ONLY_HIDDEN.includes(code))) return undefined;
  if (state === 'locked') return new ProtocolError('ERR_APP_LOCKED', 'the app is locked', { details: { code } });
  if (state === 'wiped') return new ProtocolError('ERR_APP_WIPED', 'the app is wiped', { details: { code } });
  return new ProtocolError('ERR_APP_NOT_AUTHORIZED', 'the app is not authorized');
}

/** Why an app in this state does nothing for other apps; undefined when it does. Its user has to be there: a hidden app is locked. */
export function servesNobody(state: AuthorizationState, code: ResultName): ProtocolError | undefined {
  if (state === 'authorized') return undefined;
  return closedBy(state, code) ?? new ProtocolError('ERR_APP_LOCKED', 'the app is hidden until its user is back', { details: { code } });
}
