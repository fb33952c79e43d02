import type { CommandRecord } from '../state/commands.ts';

/** A command for one device (F5.1). */
export interface NewDeviceCommand {
  readonly type: string;
  /** Checked against the type. */
  readonly properties?: Readonly<Record<string, unknown>> | undefined;
  /** Entitlement id of the Dynamics app, for a command that is for one. */
  readonly applicationId?: string | undefined;
  readonly expiresAtMs?: number | undefined;
}

/** A command that was taken. */
export interface SentCommand extends CommandRecord {
  /** The one time that a password is told which UEM made (`GENERATE_DEVICE_PASSWORD_AND_LOCK`); absent when it is mailed to the user. */
  readonly generatedPassword?: string | undefined;
  /** The mail by which the user is told. */
  readonly mailId?: string | undefined;
}
