import type { Transition } from '../table.ts';

/** States of the device in F1. `activated` and `failed` are terminal. */
export type ActivationInitiatorState =
  | 'stopped'
  | 'preparingKey'
  | 'awaitingParameters'
  | 'stretching'
  | 'awaitingShareReply'
  | 'signing'
  | 'awaitingResult'
  | 'consenting'
  | 'configuring'
  | 'confirming'
  | 'activated'
  | 'failed';

/** States of one run at the server. `finished` and `refused` are terminal. */
export type ActivationResponderState = 'new' | 'parametersSent' | 'charging' | 'shareReplied' | 'issuing' | 'finished' | 'refused';

type DeviceRow = Transition<'activationInitiator', ActivationInitiatorState>;
type ServerRow = Transition<'activationResponder', ActivationResponderState>;

function device(state: ActivationInitiatorState, input: string, next: ActivationInitiatorState, step: string): DeviceRow {
  return { role: 'activationInitiator', state, input, next, step };
}

function server(state: ActivationResponderState, input: string, next: ActivationResponderState, step: string): ServerRow {
  return { role: 'activationResponder', state, input, next, step };
}

/** Device role of F1 (docs/protocol/02-activation.md). */
export const ACTIVATION_INITIATOR_TRANSITIONS: readonly DeviceRow[] = [
  device('stopped', 'start', 'preparingKey', 'F1.3'),
  device('stopped', 'start with details', 'configuring', 'F1.5'),
  device('stopped', 'start with notice', 'consenting', 'F1.5'),
  device('stopped', 'start configured', 'confirming', 'F1.5'),
  device('stopped', 'failure', 'failed', 'F1.3'),
  device('preparingKey', 'key', 'awaitingParameters', 'F1.3'),
  device('preparingKey', 'failure', 'failed', 'F1.3'),
  device('awaitingParameters', 'A2, password', 'stretching', 'F1.4'),
  device('awaitingParameters', 'A2, QR', 'awaitingShareReply', 'F1.4'),
  device('awaitingParameters', 'failure', 'failed', 'F1.4'),
  device('stretching', 'stretched', 'awaitingShareReply', 'F1.4'),
  device('stretching', 'failure', 'failed', 'F1.4'),
  device('awaitingShareReply', 'A4', 'signing', 'F1.4'),
  device('awaitingShareReply', 'failure', 'failed', 'F1.4'),
  device('signing', 'signed', 'awaitingResult', 'F1.4'),
  device('signing', 'failure', 'failed', 'F1.4'),
  device('awaitingResult', 'A6', 'configuring', 'F1.4'),
  device('awaitingResult', 'A6 with notice', 'consenting', 'F1.4'),
  device('awaitingResult', 'failure', 'failed', 'F1.4'),
  device('consenting', 'agreed', 'configuring', 'F1.5'),
  device('consenting', 'declined', 'confirming', 'F1.5'),
  device('consenting', 'failure', 'failed', 'F1.5'),
  device('configuring', 'configured', 'confirming', 'F1.5'),
  device('configuring', 'failure', 'failed', 'F1.5'),
  device('confirming', 'acknowledged', 'activated', 'F1.5'),
  device('confirming', 'failure', 'failed', 'F1.5'),
];

/** Server role of F1, A1 to A6. */
export const ACTIVATION_RESPONDER_TRANSITIONS: readonly ServerRow[] = [
  server('new', 'A1', 'parametersSent', 'F1.4'),
  server('parametersSent', 'A3', 'charging', 'F1.4'),
  server('parametersSent', 'refusal', 'refused', 'F1.4'),
  server('charging', 'busy', 'charging', 'F1.4'),
  server('charging', 'durable', 'shareReplied', 'F1.4'),
  server('charging', 'not durable', 'refused', 'F1.4'),
  server('shareReplied', 'same A3', 'shareReplied', 'F1.4'),
  server('shareReplied', 'refusal', 'refused', 'F1.4'),
  server('shareReplied', 'A5', 'issuing', 'F1.4'),
  server('issuing', 'busy', 'issuing', 'F1.4'),
  server('issuing', 'durable', 'finished', 'F1.4'),
  server('issuing', 'not durable', 'shareReplied', 'F1.4'),
];
