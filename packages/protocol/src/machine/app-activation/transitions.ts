import type { Transition } from '../table.ts';

/** States of the app in F3.7 to F3.11. `activated` and `failed` are terminal. */
export type AppActivationInitiatorState =
  | 'stopped'
  | 'stretching'
  | 'verifying'
  | 'reviewing'
  | 'awaitingReply'
  | 'awaitingData'
  | 'confirming'
  | 'activated'
  | 'failed';

/** States of one session of `sc` at UEM. `finished` and `refused` are terminal. */
export type AppActivationResponderState = 'new' | 'identifying' | 'awaitingFinish' | 'provisioning' | 'awaitingAck' | 'consuming' | 'finished' | 'refused';

type AppRow = Transition<'appActivationInitiator', AppActivationInitiatorState>;
type UemRow = Transition<'appActivationResponder', AppActivationResponderState>;

function app(state: AppActivationInitiatorState, input: string, next: AppActivationInitiatorState, step: string): AppRow {
  return { role: 'appActivationInitiator', state, input, next, step };
}

function uem(state: AppActivationResponderState, input: string, next: AppActivationResponderState, step: string): UemRow {
  return { role: 'appActivationResponder', state, input, next, step };
}

/** The app in F3 (docs/protocol/04-access-key.md). */
export const APP_ACTIVATION_INITIATOR_TRANSITIONS: readonly AppRow[] = [
  app('stopped', 'start, typed key', 'stretching', 'F3.7'),
  app('stopped', 'start', 'verifying', 'F3.7'),
  app('stopped', 'start with token', 'reviewing', 'F3.9'),
  app('stopped', 'start with 0x41', 'confirming', 'F3.11'),
  app('stopped', 'failure', 'failed', 'F3.7'),
  app('stretching', 'stretched', 'verifying', 'F3.7'),
  app('stretching', 'stretched, with token', 'reviewing', 'F3.9'),
  app('stretching', 'failure', 'failed', 'F3.7'),
  app('verifying', '0x31', 'reviewing', 'F3.8'),
  app('verifying', 'failure', 'failed', 'F3.8'),
  app('reviewing', 'reviewed', 'awaitingReply', 'F3.9'),
  app('reviewing', 'failure', 'failed', 'F3.9'),
  app('awaitingReply', 'M2', 'awaitingData', 'F3.11'),
  app('awaitingReply', 'failure', 'failed', 'F3.10'),
  app('awaitingData', '0x40', 'confirming', 'F3.11'),
  app('awaitingData', 'failure', 'failed', 'F3.11'),
  app('confirming', '0x42', 'activated', 'F3.11'),
  app('confirming', 'failure', 'failed', 'F3.11'),
];

/** UEM in F3.10 and F3.11: one session. */
export const APP_ACTIVATION_RESPONDER_TRANSITIONS: readonly UemRow[] = [
  uem('new', 'M1', 'identifying', 'F3.10'),
  uem('new', 'refusal', 'refused', 'F3.9'),
  uem('identifying', 'identified', 'awaitingFinish', 'F3.10'),
  uem('identifying', 'refusal', 'refused', 'F3.9'),
  uem('awaitingFinish', 'same M1', 'awaitingFinish', 'F3.10'),
  uem('awaitingFinish', 'M3', 'provisioning', 'F3.11'),
  uem('awaitingFinish', 'refusal', 'refused', 'F3.11'),
  uem('provisioning', 'same M1', 'provisioning', 'F3.10'),
  uem('provisioning', 'provisioned', 'awaitingAck', 'F3.11'),
  uem('provisioning', 'refusal', 'refused', 'F3.11'),
  uem('awaitingAck', 'same M1', 'awaitingAck', 'F3.10'),
  uem('awaitingAck', '0x41', 'consuming', 'F3.11'),
  uem('awaitingAck', 'refusal', 'refused', 'F3.11'),
  uem('consuming', 'same M1', 'consuming', 'F3.10'),
  uem('consuming', 'consumed', 'finished', 'F3.11'),
  uem('consuming', 'refusal', 'refused', 'F3.11'),
];
