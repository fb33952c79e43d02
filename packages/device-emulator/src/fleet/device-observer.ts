import type { ProtocolError } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import type { ClientState } from '@uemkit/uem-client';

/** What a fleet wants to know of its devices while they run. Times are those of the fleet's clock. */
export interface DeviceObserver {
  /** The client's state changed. */
  stateChanged(index: number, state: ClientState): void;
  /** A wake-up arrived and was passed on (F5.2). */
  pushReceived(index: number): void;
  /** A wake-up was lost on purpose. */
  pushDropped(index: number): void;
  /** A wake-up that was passed on has led to idle: since UEM sent it, and since it arrived. */
  pushServed(index: number, sinceSentMs: number, sinceReceivedMs: number): void;
  /** Wake-ups that were lost have been made up for by a poll that no push caused. */
  pushesRecovered(index: number, lostForMs: readonly number[]): void;
  /** The push connection is registered, or gone. */
  pushConnected(index: number, connected: boolean): void;
  /** A poll ended with idle (F5.6). */
  polled(index: number, reason: wire.PollReason, tookMs: number): void;
  pollFailed(index: number, error: ProtocolError): void;
  /** A command arrived (F5.4) in answer to what the device sent at `askedAtMs` of the monotonic clock. */
  commandReceived(index: number, commandId: string, askedAtMs: number): void;
  /** A command has its status (F5.5). */
  commandDone(index: number, commandId: string, type: string, status: wire.CommandStatus): void;
  /** The server has the status of a command. */
  commandAnswered(index: number, commandId: string): void;
  /** The device and UEM have nothing more for each other (F5.6). */
  idle(index: number): void;
}
