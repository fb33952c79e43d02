import type { Transition } from '../table.ts';

/** States of the sibling app that asks UEM. `finished` and `failed` are terminal. */
export type KeyForwardInitiatorState = 'new' | 'awaitingReply' | 'awaitingKey' | 'finished' | 'failed';

/** States of UEM towards a sibling app. `finished` and `failed` are terminal. */
export type KeyForwardResponderState = 'new' | 'identifying' | 'awaitingFinish' | 'awaitingRequest' | 'granting' | 'finished' | 'failed';

type SiblingRow = Transition<'keyForwardInitiator', KeyForwardInitiatorState>;
type CoreRow = Transition<'coreResponder', KeyForwardResponderState>;

function sibling(state: KeyForwardInitiatorState, input: string, next: KeyForwardInitiatorState, step = 'F3.4'): SiblingRow {
  return { role: 'keyForwardInitiator', state, input, next, step };
}

function core(state: KeyForwardResponderState, input: string, next: KeyForwardResponderState, step = 'F3.4'): CoreRow {
  return { role: 'coreResponder', state, input, next, step };
}

/** The sibling app in F3.4 and F3.5 (docs/protocol/04-access-key.md, 4.2). */
export const KEY_FORWARD_INITIATOR_TRANSITIONS: readonly SiblingRow[] = [
  sibling('new', 'start', 'awaitingReply'),
  sibling('new', 'failure', 'failed'),
  sibling('awaitingReply', 'M2', 'awaitingKey'),
  sibling('awaitingReply', 'failure', 'failed'),
  sibling('awaitingKey', '0x52', 'finished', 'F3.5'),
  sibling('awaitingKey', 'failure', 'failed', 'F3.5'),
];

/** UEM; the rows up to `awaitingRequest` are those of every session with it. */
export const KEY_FORWARD_RESPONDER_TRANSITIONS: readonly CoreRow[] = [
  core('new', 'M1', 'identifying'),
  core('new', 'failure', 'failed'),
  core('identifying', 'identified', 'awaitingFinish'),
  core('identifying', 'failure', 'failed'),
  core('awaitingFinish', 'same M1', 'awaitingFinish'),
  core('awaitingFinish', 'M3', 'awaitingRequest'),
  core('awaitingFinish', 'failure', 'failed'),
  core('awaitingRequest', '0x51', 'granting'),
  core('awaitingRequest', 'failure', 'failed'),
  core('granting', 'granted', 'finished', 'F3.5'),
  core('granting', 'failure', 'failed', 'F3.5'),
];
