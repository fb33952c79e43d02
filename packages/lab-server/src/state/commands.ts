import type { wire } from '@uemkit/protocol';

/** `queued` (also deferred), `sent` (in flight), then one of the ends. */
export type CommandState = 'queued' | 'sent' | 'done' | 'failed' | 'cancelled';

/** Order of F5.4: administration first, then updates (ours), then requests for information. */
export type CommandPriority = 'administration' | 'update' | 'request';

/** One command for one device. */
export interface CommandRecord {
  /** Hex of the 16 bytes on the wire. */
  readonly commandId: string;
  readonly deviceId: string;
  readonly type: string;
  readonly priority: CommandPriority;
  readonly state: CommandState;
  /** Encoded document (`decodeDocument`); may hold a new device password, so it is erased when the command ends. */
  readonly properties: Uint8Array;
  /** Place in the queue among commands of the same priority. */
  readonly sequence: number;
  readonly createdAtMs: number;
  readonly sentAtMs?: number | undefined;
  readonly finishedAtMs?: number | undefined;
  readonly expiresAtMs?: number | undefined;
  /** A deferred command is not sent before. */
  readonly notBeforeMs?: number | undefined;
  readonly deferrals?: number | undefined;
  /** Error message of the device, or why it was cancelled. */
  readonly message?: string | undefined;
  /** Encoded document that the device answered with. */
  readonly data?: Uint8Array | undefined;
}

export interface NewCommand {
  readonly commandId: string;
  readonly deviceId: string;
  readonly type: string;
  readonly properties: wire.WireDocument;
  readonly expiresAtMs?: number | undefined;
}
