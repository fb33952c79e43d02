import type { Transition } from '../table.ts';

/** States of an activated app that asks UEM what has changed. `finished` and `failed` are terminal. */
export type AppUpdateInitiatorState = 'new' | 'awaitingReply' | 'awaitingUpdate' | 'applying' | 'awaitingEnd' | 'finished' | 'failed';

/** States of UEM towards an app that asks what has changed, once its session stands. */
export type AppUpdateResponderState = 'awaitingRequest' | 'comparing' | 'awaitingAck' | 'noting' | 'finished' | 'failed';

type AppRow = Transition<'appUpdateInitiator', AppUpdateInitiatorState>;
type CoreRow = Transition<'coreResponder', AppUpdateResponderState>;

function app(state: AppUpdateInitiatorState, input: string, next: AppUpdateInitiatorState, step = 'F5.3'): AppRow {
  return { role: 'appUpdateInitiator', state, input, next, step };
}

function core(state: AppUpdateResponderState, input: string, next: AppUpdateResponderState, step: string): CoreRow {
  return { role: 'coreResponder', state, input, next, step };
}

/** The app (docs/protocol/04-access-key.md, 4.9). */
export const APP_UPDATE_INITIATOR_TRANSITIONS: readonly AppRow[] = [
  app('new', 'start', 'awaitingReply'),
  app('new', 'failure', 'failed'),
  app('awaitingReply', 'M2', 'awaitingUpdate'),
  app('awaitingReply', 'failure', 'failed'),
  app('awaitingUpdate', '0x44', 'applying', 'F5.4'),
  app('awaitingUpdate', 'failure', 'failed', 'F5.4'),
  app('applying', 'applied', 'awaitingEnd', 'F5.5'),
  app('applying', 'failure', 'failed', 'F5.5'),
  // What was applied is durable: that UEM has not confirmed it is no failure, since the next request says the same.
  app('awaitingEnd', 'close', 'finished', 'F5.5'),
  app('awaitingEnd', 'no word', 'finished', 'F5.5'),
];

/** UEM, behind the rows that it shares with the request for a key. */
export const APP_UPDATE_RESPONDER_TRANSITIONS: readonly CoreRow[] = [
  core('awaitingRequest', '0x43', 'comparing', 'F5.3'),
  core('comparing', 'compared', 'awaitingAck', 'F5.4'),
  core('comparing', 'failure', 'failed', 'F5.4'),
  core('awaitingAck', '0x45', 'noting', 'F5.5'),
  core('awaitingAck', 'failure', 'failed', 'F5.5'),
  core('noting', 'noted', 'finished', 'F5.5'),
  core('noting', 'failure', 'failed', 'F5.5'),
];
