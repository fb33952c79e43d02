import type { DeviceState, WorkSpace } from '../device-state.ts';
import { type Behaviour, type BehaviourContext, done, failed, textProperty } from './behaviour.ts';
import { hashOfPassword } from './password.ts';

/** Why UEM cannot handle the work space apart from the device; undefined when it can. */
function refusal({ workSpace }: DeviceState, { system, activationType }: BehaviourContext): string | undefined {
  if (!system.managesWorkSpace) return `${system.title} has no work space apart from the device`;
  if (!activationType.workSpace) return `activation type ${activationType.name} has no work space`;
  if (!activationType.personalSide) return `under activation type ${activationType.name} the work space is the whole device`;
  return workSpace === undefined ? 'the device has no work space' : undefined;
}

function onWorkSpace(change: (workSpace: WorkSpace, ...rest: Parameters<Behaviour>) => WorkSpace | string): Behaviour {
  return (state, properties, context) => {
    const reason = refusal(state, context);
    if (reason !== undefined || state.workSpace === undefined) return failed(state, reason ?? 'the device has no work space');
    const workSpace = change(state.workSpace, state, properties, context);
    if (typeof workSpace === 'string') return failed(state, workSpace);
    return done({ ...state, workSpace }, { locked: workSpace.locked, enabled: workSpace.enabled, passwordSet: workSpace.passwordHash !== undefined });
  };
}

/** LOCK_WORK_SPACE {password}: the work space gets the password and is locked. */
export const lockWorkSpace: Behaviour = onWorkSpace((workSpace, _state, properties, { sha256 }) => {
  const password = textProperty(properties, 'password');
  const passwordHash = typeof password === 'string' ? hashOfPassword(password, sha256) : undefined;
  return passwordHash === undefined ? 'LOCK_WORK_SPACE: the password is not base64 of a password' : { ...workSpace, locked: true, passwordHash };
});

/** RESET_WORK_SPACE_PASSWORD: the password is gone, so nothing locks the work space until the user has set a new one. */
export const resetWorkSpacePassword: Behaviour = onWorkSpace((workSpace) => ({ ...workSpace, locked: false, passwordHash: undefined }));

export const enableWorkSpace: Behaviour = onWorkSpace((workSpace) => ({ ...workSpace, enabled: true }));

export const disableWorkSpace: Behaviour = onWorkSpace((workSpace) => ({ ...workSpace, enabled: false }));
