import type { HandshakeName } from '../../wire/handshake.ts';
import type { Transition } from '../table.ts';

/** States of the side that begins. `established` and `failed` are terminal. */
export type HandshakeInitiatorState = 'new' | 'awaitingReply' | 'established' | 'failed';

/** States of the side that answers. `established` and `failed` are terminal. */
export type HandshakeResponderState = 'new' | 'identifying' | 'signing' | 'awaitingFinish' | 'established' | 'failed';

type InitiatorRow = Transition<'handshakeInitiator', HandshakeInitiatorState>;
type ResponderRow = Transition<'handshakeResponder', HandshakeResponderState>;

function initiator(state: HandshakeInitiatorState, input: string, next: HandshakeInitiatorState, step: string): InitiatorRow {
  return { role: 'handshakeInitiator', state, input, next, step };
}

function responder(state: HandshakeResponderState, input: string, next: HandshakeResponderState, step: string): ResponderRow {
  return { role: 'handshakeResponder', state, input, next, step };
}

/** One table for all seven instances; `step` is the message, `flowStep` gives its place in the flows. */
export const HANDSHAKE_INITIATOR_TRANSITIONS: readonly InitiatorRow[] = [
  initiator('new', 'start', 'awaitingReply', 'M1'),
  initiator('new', 'failure', 'failed', 'M1'),
  initiator('awaitingReply', 'M2', 'established', 'M3'),
  initiator('awaitingReply', 'failure', 'failed', 'M2'),
];

export const HANDSHAKE_RESPONDER_TRANSITIONS: readonly ResponderRow[] = [
  responder('new', 'M1', 'identifying', 'M1'),
  responder('new', 'failure', 'failed', 'M1'),
  responder('identifying', 'identified', 'awaitingFinish', 'M2'),
  responder('identifying', 'identified, to be signed', 'signing', 'M2'),
  responder('identifying', 'failure', 'failed', 'M1'),
  responder('signing', 'signed', 'awaitingFinish', 'M2'),
  responder('signing', 'failure', 'failed', 'M2'),
  responder('awaitingFinish', 'same M1', 'awaitingFinish', 'M2'),
  responder('awaitingFinish', 'M3', 'established', 'M3'),
  responder('awaitingFinish', 'failure', 'failed', 'M3'),
];

/** Flow step of M1, M2, M3 of each instance. */
const FLOW_STEPS: Readonly<Record<HandshakeName, Readonly<Record<string, string>>>> = {
  ipc: { M1: 'F3.3', M2: 'F3.3', M3: 'F3.3' },
  ipcd: { M1: 'F3.4', M2: 'F3.4', M3: 'F3.4' },
  sc: { M1: 'F3.9', M2: 'F3.10', M3: 'F3.11' },
  link: { M1: 'F10.2', M2: 'F10.2', M3: 'F10.2' },
  px: { M1: 'F10.3', M2: 'F10.3', M3: 'F10.3' },
  dc: { M1: 'F11.3', M2: 'F11.3', M3: 'F11.3' },
  svc: { M1: 'S.1', M2: 'S.1', M3: 'S.1' },
};

/** Flow step of one message of an instance. */
export function flowStep(name: HandshakeName, message: string): string {
  return FLOW_STEPS[name][message] as string;
}
