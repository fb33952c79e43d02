import type { Transition } from '../table.ts';

/** States of the app that asks. `finished` and `failed` are terminal. */
export type KeyHandOverInitiatorState = 'new' | 'awaitingReply' | 'awaitingKey' | 'finished' | 'failed';

/** States of the UEM Client, or the sibling app, that hands a key over. `finished` and `failed` are terminal. */
export type KeyHandOverResponderState = 'new' | 'admitting' | 'signing' | 'awaitingFinish' | 'awaitingRequest' | 'granting' | 'finished' | 'failed';

type AppRow = Transition<'keyHandOverInitiator', KeyHandOverInitiatorState>;
type ClientRow = Transition<'keyHandOverResponder', KeyHandOverResponderState>;

function app(state: KeyHandOverInitiatorState, input: string, next: KeyHandOverInitiatorState, step: string): AppRow {
  return { role: 'keyHandOverInitiator', state, input, next, step };
}

function client(state: KeyHandOverResponderState, input: string, next: KeyHandOverResponderState, step: string): ClientRow {
  return { role: 'keyHandOverResponder', state, input, next, step };
}

/** The app in F3.3 and F3.6 (docs/protocol/04-access-key.md, 4.2). */
export const KEY_HAND_OVER_INITIATOR_TRANSITIONS: readonly AppRow[] = [
  app('new', 'start', 'awaitingReply', 'F3.3'),
  app('new', 'failure', 'failed', 'F3.3'),
  app('awaitingReply', 'M2', 'awaitingKey', 'F3.3'),
  app('awaitingReply', 'failure', 'failed', 'F3.3'),
  app('awaitingKey', '0x52', 'finished', 'F3.6'),
  app('awaitingKey', 'failure', 'failed', 'F3.6'),
];

/** The UEM Client (`ipc`) or the sibling app (`ipcd`). */
export const KEY_HAND_OVER_RESPONDER_TRANSITIONS: readonly ClientRow[] = [
  client('new', 'M1', 'admitting', 'F3.3'),
  client('new', 'failure', 'failed', 'F3.3'),
  client('admitting', 'admitted', 'awaitingFinish', 'F3.3'),
  client('admitting', 'admitted, to be signed', 'signing', 'F3.3'),
  client('admitting', 'failure', 'failed', 'F3.3'),
  client('signing', 'signed', 'awaitingFinish', 'F3.3'),
  client('signing', 'failure', 'failed', 'F3.3'),
  client('awaitingFinish', 'same M1', 'awaitingFinish', 'F3.3'),
  client('awaitingFinish', 'M3', 'awaitingRequest', 'F3.3'),
  client('awaitingFinish', 'failure', 'failed', 'F3.3'),
  client('awaitingRequest', '0x50', 'granting', 'F3.4'),
  client('awaitingRequest', 'failure', 'failed', 'F3.3'),
  client('granting', 'granted', 'finished', 'F3.6'),
  client('granting', 'failure', 'failed', 'F3.6'),
];
