import { isProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { PushConnection, PushRequest, UemTransport } from '@uemkit/uem-client';

/**
 * Keeps the share of lost wake-ups near what was asked for over the whole fleet: devices that sleep on lose several in a row, so while the share is
 * exceeded nobody else falls asleep.
 */
export class LossBudget {
  readonly #share: number;
  #seen = 0;
  #lost = 0;

  constructor(share: number) {
    this.#share = share;
  }

  /** A wake-up arrived; true when another device may lose its own. */
  arrived(): boolean {
    return this.#lost <= this.#share * this.#seen++;
  }

  lost(): void {
    this.#lost++;
  }
}

export interface PushLossOptions {
  /** Decides whether this wake-up is lost. */
  lose(): boolean;
  /** A wake-up was lost on purpose. */
  onLost(wakeUp: wire.WakeUp): void;
}

/**
 * A transport that loses wake-ups on their last metre: the notification service has delivered and forgotten them, the client never sees them (F5.2).
 * What was pending must then come by the regular poll.
 */
export function withPushLoss(transport: UemTransport, options: PushLossOptions): UemTransport {
  return {
    exchange: (request) => transport.exchange(request),
    release: () => transport.release(),
    close: () => transport.close(),
    async openPush(request: PushRequest): Promise<PushConnection> {
      let connection: PushConnection | undefined;
      // Frames may come before the connection is handed out; BOUNDED by the frames of one turn of the event loop.
      const early: Uint8Array[] = [];
      const acknowledge = (wakeUp: wire.WakeUp): void => {
        const frame = wire.pushAck.encode({ wakeUpId: wakeUp.wakeUpId });
        if (connection === undefined) early.push(frame);
        else connection.send(frame);
      };
      const onFrame = (frame: Uint8Array): void => {
        const wakeUp = wakeUpOf(frame);
        if (wakeUp === undefined || !options.lose()) {
          request.onFrame(frame);
          return;
        }
        acknowledge(wakeUp);
        options.onLost(wakeUp);
      };
      const { address, trust, signal } = request;
      // Not a copy of `request`: that may be an object of a class.
      connection = await transport.openPush({ address, trust, signal, onFrame, onClose: (error) => request.onClose(error) });
      for (const frame of early) connection.send(frame);
      return connection;
    },
  };
}

/** The wake-up in a frame; undefined for anything else, which the client judges itself. */
function wakeUpOf(frame: Uint8Array): wire.WakeUp | undefined {
  if (wire.peekFrameName(frame) !== 'wakeUp') return undefined;
  try {
    return wire.wakeUp.decode(wire.parseFrame(frame));
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}
