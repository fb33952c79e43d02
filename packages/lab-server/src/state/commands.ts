import type { CommandPriority } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';

/** `queued` (also deferred), `sent` (in flight), then one of the ends. */
export type CommandState = 'queued' | 'sent' | 'done' | 'failed' | 'cancelled';

/** One command for one device. */
export interface CommandRecord {
  /** Hex of the 16 bytes on the wire. */
  readonly commandId: string;
  readonly deviceId: string;
  readonly type: string;
  /** Order of F5.4: the lowest number first. */
  readonly priority: CommandPriority;
  readonly state: CommandState;
  /** Encoded document (`decodeDocument`). It may hold a new device password, so it is emptied when the command ends. */
  readonly properties: Uint8Array;
  /** An update of the configuration that nobody has got yet: its properties are made when it is handed out, so a newer change is always in it. */
  readonly isContentOpen?: boolean | undefined;
  /** Counts the commands of the device. */
  readonly sequence: number;
  readonly createdAtMs: number;
  readonly sentAtMs?: number | undefined;
  readonly finishedAtMs?: number | undefined;
  readonly expiresAtMs?: number | undefined;
  /** A deferred command is not sent before. */
  readonly notBeforeMs?: number | undefined;
  /** How often the device deferred it. */
  readonly deferrals?: number | undefined;
  /** Error message of the device, or why it was cancelled. */
  readonly message?: string | undefined;
  /** Encoded document that the device answered with. */
  readonly data?: Uint8Array | undefined;
}

export interface NewCommand {
  /** Hex of 16 random bytes. */
  readonly commandId: string;
  readonly deviceId: string;
  readonly type: string;
  readonly properties: wire.WireDocument;
  readonly expiresAtMs?: number | undefined;
}

/** Commands of one device that are not finished; more are refused. */
export const MAX_OPEN_COMMANDS = 256;
/** Open commands of one device, those of UEM itself included: one update of each document, and what compliance asks for. */
export const MAX_QUEUED_COMMANDS: number = MAX_OPEN_COMMANDS + 16;
/** Finished commands that are kept for each device; the oldest are forgotten. */
export const MAX_FINISHED_COMMANDS = 64;
