import type { ProtocolError } from '../../errors/protocol-error.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { StoreWrite } from '../../ports/store.ts';
import type { BackoffOptions } from '../../retry/backoff.ts';
import type { Command, CommandStatus, PollReason } from '../../wire/management.ts';
import type { WireDocument } from '../../wire/schema.ts';
import type { TransitionListener } from '../table.ts';
import type { ManagementState, PollSchedule } from './journal.ts';

/** How carrying out a command ended. */
export type CommandOutcome =
  | { readonly status: 'done'; readonly data?: WireDocument | undefined }
  | { readonly status: 'failed'; readonly message: string; readonly data?: WireDocument | undefined }
  /** Not now: the server hands the command out again after this time. */
  | { readonly status: 'deferred'; readonly retryAfterS: number };

/** What the device role asks of its driver. */
export type ManagementRequest =
  /** Carry the command out (F5.5). `resumed`: it may have been begun before a crash, so it must be idempotent by its id. */
  | { readonly type: 'execute'; readonly command: Command; readonly resumed: boolean }
  /** Destroy the identity of the device: the removal has been reported. Must be idempotent. */
  | { readonly type: 'leave' };

export type ManagementRequestResult =
  | {
      readonly type: 'executed';
      readonly outcome: CommandOutcome;
      /** The device's own state, committed in one transaction with the journal entry. */
      readonly writes: readonly StoreWrite[];
      /** The device is not managed any more once this command is answered. */
      readonly leave?: boolean | undefined;
    }
  | { readonly type: 'left'; readonly writes: readonly StoreWrite[] };

/** What the owner may ask of the device role. */
export type ManagementCall =
  /** Poll as soon as possible (F5.2, F5.3). Several before the next poll become one. */
  | { readonly type: 'poll'; readonly reason: PollReason; readonly wakeUpId?: Uint8Array | undefined }
  /** The token goes with the next poll, and with each after it until the server has answered one. */
  | { readonly type: 'pushToken'; readonly token: Uint8Array };

export type ManagementEvent =
  | { readonly type: 'polled'; readonly reason: PollReason }
  | { readonly type: 'commandReceived'; readonly commandId: Uint8Array; readonly commandType: string }
  | {
      readonly type: 'commandFinished';
      readonly commandId: Uint8Array;
      readonly commandType: string;
      readonly status: CommandStatus;
      readonly message?: string | undefined;
    }
  /** The server has taken the result. */
  | { readonly type: 'commandAnswered'; readonly commandId: Uint8Array }
  /** All is done (F5.6): the connection may close. */
  | { readonly type: 'idle'; readonly commands: number; readonly serverTimeEpochS: number; readonly nextPollMs: number }
  /** The exchange ended early; the next try comes after `retryAfterMs`. The connection may close. */
  | { readonly type: 'exchangeFailed'; readonly error: ProtocolError; readonly retryAfterMs: number }
  /** A frame came that nothing had asked for; it was dropped. */
  | { readonly type: 'frameDropped' };

/** How the device role ends well: the device has left management. */
export interface ManagementOutput {
  readonly reason: 'left';
}

export interface ManagementDeviceOptions {
  readonly entropy: Entropy;
  /** From `restoreManagementState`. */
  readonly state: ManagementState;
  /** In force until the server sends another one, from the device configuration of A6. */
  readonly schedule: PollSchedule;
  readonly backoff: BackoffOptions;
  readonly limits?: { readonly commandsPerPoll?: number; readonly answerMs?: number; readonly exchangeMs?: number; readonly leavingMs?: number } | undefined;
  readonly onTransition?: TransitionListener | undefined;
}
