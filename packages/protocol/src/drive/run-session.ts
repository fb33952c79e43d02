import { wipe } from '../bytes/secret.ts';
import { isProtocolError, ProtocolError } from '../errors/protocol-error.ts';
import { handshakeStream } from '../machine/handshake/handshake-stream.ts';
import type { HandshakeEvent, HandshakeRequest, HandshakeRequestResult } from '../machine/handshake/handshake-types.ts';
import type { Input } from '../machine/machine.ts';
import type { ProxySession } from '../machine/proxy-session/proxy-session.ts';
import type { SessionCall, SessionEvent } from '../machine/proxy-session/session-types.ts';
import type { CancelTimer, Clock } from '../ports/clock.ts';

/** What a session runs on. */
export interface RunSessionPorts {
  readonly clock: Clock;
  /** Bytes for the other end, in order. Must not throw. */
  send(bytes: Uint8Array, step: string): void;
  /** Proxy alone: whose M1 is it? The keys are this session's: they are wiped when they were used, or came too late. A rejection with `ERR_REJECTED_BUSY` is told the app. */
  identify?(request: Extract<HandshakeRequest, { readonly type: 'identify' }>): Promise<HandshakeRequestResult>;
  /** May call the session. Must not throw. */
  onEvent(event: SessionEvent | HandshakeEvent): void;
  /** The session is over, and takes nothing more; without an error when it was closed. */
  ended(error?: ProtocolError): void;
}

/** A session that runs over a stream of bytes. */
export interface RunningSession {
  readonly state: ProxySession['state'];
  readonly openStreams: number;
  /** Bytes that may be written on a stream now. */
  credit(streamId: number): number;
  /** @throws ProtocolError `ERR_USAGE_*`, `ERR_REJECTED_BUSY`: then nothing has changed */
  call(call: SessionCall): void;
  /** Bytes of the other end, in pieces of any size. */
  received(chunk: Uint8Array): void;
  /** The connection below is gone. */
  closed(error?: ProtocolError): void;
}

/**
 * Runs one end of a session over a stream of bytes. Everything that one input leads to is sent before anybody hears of it, so that who calls the session from `onEvent`
 * cannot get in front of it.
 */
export function runProxySession(machine: ProxySession, role: 'initiator' | 'responder', ports: RunSessionPorts): RunningSession {
  const cutter = handshakeStream(machine.name, role === 'initiator' ? 'responder' : 'initiator', true);
  const timers = new Map<string, CancelTimer>();
  // BOUNDED: by what one input leads to.
  const events: (SessionEvent | HandshakeEvent)[] = [];
  let over: { readonly error: ProtocolError | undefined } | undefined;
  let isTelling = false;
  let isTold = false;

  const feed = (input: Input<HandshakeRequestResult, SessionCall>): void => {
    if (over !== undefined) return;
    for (const effect of machine.handle(input, ports.clock.nowMs())) {
      switch (effect.type) {
        case 'send':
          ports.send(effect.frame, effect.step);
          break;
        case 'emit':
          events.push(effect.event);
          break;
        case 'request':
          if (effect.request.type === 'identify') void identify(effect.request);
          break;
        case 'arm-timer':
          timers.get(effect.timer)?.();
          timers.set(
            effect.timer,
            ports.clock.setTimer(effect.afterMs, () => feed({ type: 'timer', timer: effect.timer })),
          );
          break;
        case 'cancel-timer':
          timers.get(effect.timer)?.();
          timers.delete(effect.timer);
          break;
        case 'done':
          over = { error: undefined };
          break;
        case 'fail':
          over = { error: effect.error };
          break;
        case 'persist':
          break;
      }
    }
    tell();
  };

  const tell = (): void => {
    if (isTelling) return;
    isTelling = true;
    for (let event = events.shift(); event !== undefined; event = events.shift()) ports.onEvent(event);
    isTelling = false;
    if (over === undefined || isTold) return;
    isTold = true;
    for (const cancel of timers.values()) cancel();
    timers.clear();
    ports.ended(over.error);
  };
  const identify = async (request: Extract<HandshakeRequest, { readonly type: 'identify' }>): Promise<void> => {
    try {
      const result = await ports.identify?.(request);
      feed({ type: 'result', result: result ?? { type: 'identified' } });
      if (result?.type === 'identified') wipe(result.peer?.psk, result.peer?.staticScalar);
    } catch (error) {
      feed({ type: 'failed', error: isProtocolError(error) ? error : new ProtocolError('ERR_INTERNAL', 'the app could not be looked up', { cause: error }) });
    }
  };

  if (role === 'initiator') feed({ type: 'start' });
  return {
    get state() {
      return machine.state;
    },
    get openStreams() {
      return machine.openStreams;
    },
    credit: (streamId) => machine.credit(streamId),
    call: (call) => feed({ type: 'call', call }),
    received(chunk) {
      let frames: readonly Uint8Array[];
      try {
        frames = cutter.push(chunk);
      } catch (error) {
        if (!isProtocolError(error)) throw error;
        return feed({ type: 'closed', error });
      }
      for (const frame of frames) feed({ type: 'received', frame });
    },
    closed: (error) => feed({ type: 'closed', error }),
  };
}
