import type { StoreWrite } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';

/** Notification services by the names that they have on the wire. */
export type PushService = 'fcm' | 'apns' | 'wns' | 'bb10';

/**
 * State changes that belong to an answer. An operating system that keeps its state in the client's store returns them instead of writing them: the client
 * commits them together with its own record of the answer in one transaction, and calls `applied` afterwards. So the state changes exactly once.
 */
export interface StateChange {
  readonly writes?: readonly StoreWrite[] | undefined;
  /** The writes survive a crash from now on: make them visible. Must not throw. */
  applied?(): void;
}

/** How the configuration ended (F1.5). */
export interface ConfigurationOutcome extends StateChange {
  readonly status: 'completed' | 'failed';
  /** Why not, for the administrator; cut at 1,024 bytes. */
  readonly message?: string | undefined;
}

/** How a command ended (F5.5). */
export interface CommandOutcome extends StateChange {
  readonly status: wire.CommandStatus;
  /** Error message when `failed`; cut at 1,024 bytes. */
  readonly message?: string | undefined;
  /** What was asked for, for example the device information. */
  readonly data?: wire.WireDocument | undefined;
  /** When `deferred`: ask again after this time. */
  readonly retryAfterS?: number | undefined;
  /** The command ended the management of this device: when the answer is out, the client destroys its identity. */
  readonly leave?: boolean | undefined;
}

/** Why the device is not managed any more. `user`: its user removed it in the client. */
export type DeactivationReason = 'command' | 'revoked' | 'unknown' | 'expired' | 'user';

/** A command as it is handed to the operating system: checked, not expired. */
export type Command = wire.Command;

/**
 * The operating system below the client: work space, encryption, policies, commands.
 *
 * Exactly once: `execute` is idempotent by `commandId` and does not commit; see `StateChange`. After a crash in the middle it is called again with the same command.
 * An operating system whose effects lie outside the store (a real one) must itself remember the last command ids that it carried out, or its effects are at least once.
 */
export interface OperatingSystem {
  /** What the device says of itself (F1.3). */
  deviceInfo(): wire.DeviceInfo;
  /** Activation types that this device can take, told to the server under seal (F1.4); absent: it tries what the server chooses. At most 16. */
  readonly activationTypes?: readonly string[] | undefined;
  /** Absent: the platform has no notification service and the device only polls. */
  readonly pushService?: PushService | undefined;
  /** Makes the work space, encrypts, applies the initial policy (F1.5). Idempotent. A rejection is a failed configuration. */
  configure(configuration: wire.DeviceConfiguration, signal: AbortSignal): Promise<ConfigurationOutcome>;
  /** Carries out one command (F5.5). A rejection is a failed command. Commands of unknown type are answered `failed`. */
  execute(command: Command, signal: AbortSignal): Promise<CommandOutcome>;
  /** The identity is destroyed; the device is not managed any more. Idempotent, as it is repeated after a crash. */
  deactivated(reason: DeactivationReason): Promise<void>;
}
