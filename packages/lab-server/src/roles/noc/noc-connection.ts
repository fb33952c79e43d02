import type { CancelTimer, Clock } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { HostAnswer } from '../../host/role-host.ts';

/** Bounds of one connection of an app. */
export interface NocConnectionLimits {
  /** Frames of one connection; then it is closed. */
  readonly frames: number;
  /** Frames that wait while another one is answered; more is a peer that does not wait for answers. */
  readonly waiting: number;
  /** From its beginning to its end, milliseconds. */
  readonly lifeMs: number;
  /** Without a frame, milliseconds. */
  readonly idleMs: number;
  /** Open connections of one source. */
  readonly perSource: number;
}

/** In force unless the listener is told otherwise. An activation is six frames. */
export const NOC_CONNECTION_LIMITS: NocConnectionLimits = {
  /** Frames of one connection of an app. */
  frames: 64,
  /** Frames that wait while another one is answered. */
  waiting: 4,
  /** From the beginning of a connection to its end. */
  lifeMs: 300_000,
  /** Without a frame. */
  idleMs: 60_000,
  /** Open connections of one source. */
  perSource: 1_024,
};

/** The transport below a connection: TLS, WebSocket or memory. Must not throw. */
export interface NocSocket {
  send(frame: Uint8Array): void;
  /** Ends the connection behind what was sent. */
  close(): void;
  /** Ends the connection at once. */
  cutOff(): void;
}

export interface NocConnectionOptions {
  readonly clock: Clock;
  readonly limits: NocConnectionLimits;
  readonly socket: NocSocket;
  /** Hands a frame to the role. Never rejects. */
  exchange(frame: Uint8Array): Promise<HostAnswer>;
  /** Why the connection was ended by this side. */
  ended(reason: string): void;
}

/** What the transport tells about one connection. */
export interface NocConnection {
  /** One whole frame, or a message that is none. */
  received(frame: Uint8Array): void;
  /** No later frame can be found in the stream: the app is told, behind the answers that are due, and the connection ends. */
  broken(): void;
  /** The connection is gone. */
  closed(): void;
}

/** Stands for what is no frame any more. */
const BROKEN = 'broken';

/** One app at the NOC: frame by frame, each with one answer, in order. */
export function nocConnection({ clock, limits, socket, exchange, ended }: NocConnectionOptions): NocConnection {
  // BOUNDED by limits.waiting.
  const waiting: (Uint8Array | typeof BROKEN)[] = [];
  let frames = 0;
  let working = false;
  let open = true;
  let cancelIdle: CancelTimer = () => {};
  const cancelLife = clock.setTimer(limits.lifeMs, () => end('the connection is too old'));

  const stop = (): boolean => {
    if (!open) return false;
    open = false;
    waiting.length = 0;
    cancelIdle();
    cancelLife();
    return true;
  };
  const end = (reason: string): void => {
    if (!stop()) return;
    ended(reason);
    socket.cutOff();
  };
  const rest = (): void => {
    cancelIdle();
    cancelIdle = clock.setTimer(limits.idleMs, () => end('the connection is idle'));
  };

  const work = async (): Promise<void> => {
    working = true;
    for (let frame = waiting.shift(); frame !== undefined && open; frame = waiting.shift()) {
      if (frame === BROKEN) refuse();
      else answer(await exchange(frame));
    }
    working = false;
    if (open) rest();
  };

  const answer = (given: HostAnswer): void => {
    if (!open) return;
    const frame = frameOf(given);
    if (frame === undefined) {
      stop();
      socket.cutOff();
      return;
    }
    socket.send(frame);
    if (frames < limits.frames) return;
    stop();
    socket.close();
  };
  const refuse = (): void => {
    stop();
    ended('no frame can be found in the stream');
    socket.send(wire.alert.encode({ code: 'badMessage' }));
    socket.close();
  };
  const take = (frame: Uint8Array | typeof BROKEN): void => {
    cancelIdle();
    waiting.push(frame);
    // Nothing in it rejects.
    if (!working) void work();
  };

  rest();
  return {
    received(frame) {
      if (!open) return;
      if (waiting.length >= limits.waiting) return end('too many frames at once');
      frames += 1;
      take(frame);
    },
    broken() {
      if (open) take(BROKEN);
    },
    closed: () => void stop(),
  };
}

/** The answer as a frame; undefined: the connection breaks, as a fault wants it. */
function frameOf(answer: HostAnswer): Uint8Array | undefined {
  switch (answer.status) {
    case 'answered':
      return answer.frame;
    case 'malformed':
      return wire.alert.encode({ code: 'badMessage' });
    case 'busy':
      return wire.alert.encode({ code: 'busy' });
    case 'failed':
    case 'http':
      return wire.alert.encode({ code: 'internal' });
    case 'dropped':
      return undefined;
  }
}
