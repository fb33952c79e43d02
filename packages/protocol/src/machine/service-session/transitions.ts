import type { Transition } from '../table.ts';

/** States of the app that asks. `finished` and `failed` are terminal. */
export type ServiceInitiatorState = 'new' | 'awaitingReply' | 'awaitingAnswer' | 'receiving' | 'finished' | 'failed';

/** States of the app that offers the service. `finished` and `failed` are terminal. */
export type ServiceResponderState = 'new' | 'identifying' | 'awaitingFinish' | 'awaitingRequest' | 'receiving' | 'serving' | 'finished' | 'failed';

type AskingRow = Transition<'serviceInitiator', ServiceInitiatorState>;
type OfferingRow = Transition<'serviceResponder', ServiceResponderState>;

function asking(state: ServiceInitiatorState, input: string, next: ServiceInitiatorState, step: string): AskingRow {
  return { role: 'serviceInitiator', state, input, next, step };
}

function offering(state: ServiceResponderState, input: string, next: ServiceResponderState, step: string): OfferingRow {
  return { role: 'serviceResponder', state, input, next, step };
}

/** The app that asks (docs/protocol/14-inter-app-services.md). */
export const SERVICE_INITIATOR_TRANSITIONS: readonly AskingRow[] = [
  asking('new', 'start', 'awaitingReply', 'S.1'),
  asking('new', 'failure', 'failed', 'S.1'),
  asking('awaitingReply', 'M2', 'awaitingAnswer', 'S.2'),
  asking('awaitingReply', 'failure', 'failed', 'S.1'),
  asking('awaitingAnswer', '0xb1', 'receiving', 'S.3'),
  asking('awaitingAnswer', '0xb1, whole', 'finished', 'S.3'),
  asking('awaitingAnswer', '0xb2', 'finished', 'S.3'),
  asking('awaitingAnswer', 'failure', 'failed', 'S.2'),
  asking('receiving', '0xb3', 'receiving', 'S.3'),
  asking('receiving', '0xb3, last', 'finished', 'S.3'),
  asking('receiving', 'failure', 'failed', 'S.3'),
];

/** The app that offers the service. */
export const SERVICE_RESPONDER_TRANSITIONS: readonly OfferingRow[] = [
  offering('new', 'M1', 'identifying', 'S.1'),
  offering('new', 'failure', 'failed', 'S.1'),
  offering('identifying', 'identified', 'awaitingFinish', 'S.1'),
  offering('identifying', 'failure', 'failed', 'S.1'),
  offering('awaitingFinish', 'same M1', 'awaitingFinish', 'S.1'),
  offering('awaitingFinish', 'M3', 'awaitingRequest', 'S.2'),
  offering('awaitingFinish', 'failure', 'failed', 'S.1'),
  offering('awaitingRequest', '0xb0', 'receiving', 'S.2'),
  offering('awaitingRequest', '0xb0, whole', 'serving', 'S.2'),
  offering('awaitingRequest', 'failure', 'failed', 'S.2'),
  offering('receiving', '0xb3', 'receiving', 'S.2'),
  offering('receiving', '0xb3, last', 'serving', 'S.2'),
  offering('receiving', 'failure', 'failed', 'S.2'),
  offering('serving', 'served', 'finished', 'S.3'),
  offering('serving', 'failure', 'failed', 'S.3'),
];
