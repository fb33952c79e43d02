import type { Transition } from '@uemkit/protocol';

/** What an app may do: nothing yet, everything, everything but show itself, nothing any more. */
export type AuthorizationState = 'notAuthorized' | 'authorized' | 'locked' | 'wiped';

type Row = Transition<'runtime', AuthorizationState>;

function rows(state: AuthorizationState, step: string, inputs: Readonly<Record<string, AuthorizationState>>): readonly Row[] {
  return Object.entries(inputs).map(([input, next]) => ({ role: 'runtime', state, input, next, step }));
}

/**
 * Every way between the states. A reason to lock is added or lifted; what counts is whether one is left. `local` is what the device decides by itself.
 */
export const RUNTIME_TRANSITIONS: readonly Row[] = [
  ...rows('notAuthorized', 'F3.11', {
    'authorized, no reason to lock': 'authorized',
    'authorized, reasons to lock': 'locked',
    'stage failed': 'notAuthorized',
  }),
  ...rows('notAuthorized', 'local', { 'reason added or lifted': 'notAuthorized' }),
  ...rows('authorized', 'local', { 'reason to lock': 'locked', 'reason added or lifted': 'authorized' }),
  ...rows('locked', 'local', { 'reason added or lifted': 'locked', 'last reason lifted': 'authorized' }),
  ...(['notAuthorized', 'authorized', 'locked'] as const).flatMap((state) => [
    ...rows(state, 'F3.11', { 'no version entitled': 'wiped' }),
    ...rows(state, 'F5.5', { 'wipe command, or device deleted': 'wiped' }),
    ...rows(state, 'local', { 'wipe by policy': 'wiped' }),
  ]),
  ...rows('wiped', 'local', { 'container is gone': 'wiped', 'begun anew': 'notAuthorized' }),
];
