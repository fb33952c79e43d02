import { type CancelTimer, isProtocolError, ProtocolError, wipe } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { UemClientLimits, UemClientPorts } from './client-ports.ts';
import type { ExchangeRequest } from './transport.ts';

/** Actors that a device talks to, as they are named in traces. */
export type Peer = 'infrastructure' | 'uem' | 'notification' | 'app';

/** What the parts of one client share. */
export interface ClientContext {
  readonly options: UemClientPorts;
  readonly limits: UemClientLimits;
  /** Tells the trace sink of one frame. */
  trace(step: string, direction: 'sent' | 'received', peer: Peer, frame: Uint8Array): void;
}

/** A request with its flow steps. */
export interface TracedRequest extends Omit<ExchangeRequest, 'signal'> {
  readonly peer: Peer;
  readonly step: string;
  readonly answerStep: string;
  readonly signal: AbortSignal;
  /** The answer holds a secret: nothing is left of its frame once it is decoded. */
  readonly secretAnswer?: boolean;
}

/**
 * Sends one frame and decodes the answer, within the time limit of a request.
 * @throws ProtocolError with the step; alerts as `errorOfAlert` reads them; `signal.reason` after an abort
 */
export async function ask<T>(
  context: ClientContext,
  request: TracedRequest,
  codec: wire.MessageCodec<T>,
  errorOfAlert: (code: wire.AlertCode) => ProtocolError,
): Promise<T> {
  const { step, answerStep, peer, frame } = request;
  try {
    context.trace(step, 'sent', peer, frame);
    const answer = await exchangeInTime(context, request);
    context.trace(answerStep, 'received', peer, answer);
    const parsed = wire.parseFrame(answer);
    if (parsed.name === 'alert') throw errorOfAlert(wire.alert.decode(parsed).code);
    if (parsed.name !== codec.name) throw new ProtocolError('ERR_PEER_UNEXPECTED', `expected ${codec.name}, got ${parsed.name}`);
    try {
      return codec.decode(parsed);
    } finally {
      // check: F3.5 frame of the access key
      if (request.secretAnswer === true) wipe(answer);
    }
  } catch (error) {
    request.signal.throwIfAborted();
    throw isProtocolError(error) ? error.at(answerStep) : error;
  }
}

async function exchangeInTime(context: ClientContext, request: TracedRequest): Promise<Uint8Array> {
  const { clock, transport } = context.options;
  const { signal, address, service, frame, trust, identity, once } = request;
  const abort = new AbortController();
  const forward = (): void => abort.abort(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener('abort', forward, { once: true });
  const cancelTimer: CancelTimer = clock.setTimer(context.limits.requestTimeoutMs, () =>
    abort.abort(new ProtocolError('ERR_TRANSPORT_TIMEOUT', 'no answer in time')),
  );
  try {
    return await transport.exchange({
      address,
      service,
      frame,
      trust,
      signal: abort.signal,
      ...(identity === undefined ? {} : { identity }),
      ...(once === undefined ? {} : { once }),
    });
  } finally {
    cancelTimer();
    signal.removeEventListener('abort', forward);
  }
}
