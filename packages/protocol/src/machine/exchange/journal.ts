import { sameBytes } from '../../bytes/bytes.ts';
import { ProtocolError } from '../../errors/protocol-error.ts';
import type { StoreWrite } from '../../ports/store.ts';
import { decodeCbor } from '../../wire/cbor/decode.ts';
import { encodeCbor } from '../../wire/cbor/encode.ts';
import { epochSeconds, id16 } from '../../wire/common.ts';
import { LIMITS } from '../../wire/limits.ts';
import { type Command, type CommandResult, type CommandStatus, command, commandResult } from '../../wire/management.ts';
import { pushToken } from '../../wire/push.ts';
import { arrayOf, bytes, type FieldType, numbered, optional, required, structure, uint } from '../../wire/schema.ts';

/** How far the open command has come. The one after `done` is `answered`: then it is open no more. */
export type CommandPhase = 'received' | 'started' | 'done';

/** The one command that is not answered yet. */
export interface OpenCommand {
  readonly phase: CommandPhase;
  readonly command: Command;
  /** Present from phase `done` on. */
  readonly result?: CommandResult | undefined;
  /** The device leaves management once this command is answered, or when this time comes. */
  readonly leaveByEpochS?: number | undefined;
  /** The server has the answer, or the time is over: only the identity is left to destroy. */
  readonly leaving: boolean;
}

/** A command that was answered, kept so that it is never carried out again. */
export interface AnsweredCommand {
  readonly commandId: Uint8Array;
  readonly status: CommandStatus;
}

/** Regular poll (F5.2): every `pollIntervalS` plus a random part of up to `pollJitterS`. */
export interface PollSchedule {
  readonly pollIntervalS: number;
  readonly pollJitterS: number;
}

/** What the device role of F5 keeps over restarts. */
export interface ManagementState {
  readonly open?: OpenCommand | undefined;
  /** Oldest first. Bounded: the last `LIMITS.answeredCommands`. */
  readonly answered: readonly AnsweredCommand[];
  readonly schedule?: PollSchedule | undefined;
  /** Push token that the server has. */
  readonly pushToken?: Uint8Array | undefined;
}

/** Store keys of the device role; `restoreManagementState` wants their values. */
export const MANAGEMENT_KEYS = {
  open: 'uem/management/open',
  answered: 'uem/management/answered',
  schedule: 'uem/management/schedule',
  pushToken: 'uem/management/push-token',
} as const;

interface StoredOpenCommand {
  readonly phase: CommandPhase;
  readonly command: Uint8Array;
  readonly result?: Uint8Array | undefined;
  readonly leaveByEpochS?: number | undefined;
  readonly leaving?: number | undefined;
}

const body = bytes(1, LIMITS.bodyBytes);

const storedOpenCommand: FieldType<StoredOpenCommand> = structure<StoredOpenCommand>({
  phase: required(0, numbered<CommandPhase>('received', 'started', 'done')),
  command: required(1, body),
  result: optional(2, body),
  leaveByEpochS: optional(3, epochSeconds),
  leaving: optional(4, uint(1, 1)),
});

const storedAnswered: FieldType<{ readonly commands: readonly AnsweredCommand[] }> = structure<{ readonly commands: readonly AnsweredCommand[] }>({
  commands: required(
    0,
    arrayOf(
      structure<AnsweredCommand>({ commandId: required(0, id16), status: required(1, numbered<CommandStatus>('done', 'failed', 'deferred')) }),
      0,
      LIMITS.answeredCommands,
    ),
  ),
});

const storedSchedule: FieldType<PollSchedule> = structure<PollSchedule>({
  pollIntervalS: required(0, uint(1)),
  pollJitterS: required(1, uint()),
});

/** Journal entry of the open command; `undefined` removes it. */
export function writeOpenCommand(open: OpenCommand | undefined): StoreWrite {
  if (open === undefined) return { key: MANAGEMENT_KEYS.open, value: null };
  const stored: StoredOpenCommand = {
    phase: open.phase,
    command: command.encodeBody(open.command),
    result: open.result === undefined ? undefined : commandResult.encodeBody(open.result),
    leaveByEpochS: open.leaveByEpochS,
    leaving: open.leaving ? 1 : undefined,
  };
  return { key: MANAGEMENT_KEYS.open, value: encodeCbor(storedOpenCommand.encode(stored, 'open')) };
}

/** Journal entry of the answered commands. */
export function writeAnswered(commands: readonly AnsweredCommand[]): StoreWrite {
  return { key: MANAGEMENT_KEYS.answered, value: encodeCbor(storedAnswered.encode({ commands }, 'answered')) };
}

/** The poll schedule in force. */
export function writeSchedule(schedule: PollSchedule): StoreWrite {
  return { key: MANAGEMENT_KEYS.schedule, value: encodeCbor(storedSchedule.encode(schedule, 'schedule')) };
}

/** The push token that the server has. */
export function writePushToken(token: Uint8Array): StoreWrite {
  return { key: MANAGEMENT_KEYS.pushToken, value: token };
}

/** Deletes everything that the device role keeps. */
export function forgetManagementState(): readonly StoreWrite[] {
  return Object.values(MANAGEMENT_KEYS).map((key) => ({ key, value: null }));
}

/** Answered commands after one more; the oldest makes room. A deferred command is not done: it will come again and is then carried out. */
export function withAnswered(commands: readonly AnsweredCommand[], result: CommandResult): readonly AnsweredCommand[] {
  if (result.status === 'deferred') return commands;
  const others = commands.filter((answered) => !sameBytes(answered.commandId, result.commandId));
  return [...others, { commandId: result.commandId, status: result.status }].slice(-LIMITS.answeredCommands);
}

/** The answered command with this id. */
export function findAnswered(commands: readonly AnsweredCommand[], commandId: Uint8Array): AnsweredCommand | undefined {
  return commands.find((answered) => sameBytes(answered.commandId, commandId));
}

/**
 * State of the device role from what the store holds under `MANAGEMENT_KEYS`.
 * @throws ProtocolError `ERR_STORE_READ` when an entry is damaged.
 */
export function restoreManagementState(read: (key: string) => Uint8Array | undefined): ManagementState {
  const decode = <T>(key: string, type: FieldType<T>): T | undefined => {
    const value = read(key);
    return value === undefined ? undefined : type.decode(decodeCbor(value), key);
  };
  try {
    const open = decode(MANAGEMENT_KEYS.open, storedOpenCommand);
    const token = read(MANAGEMENT_KEYS.pushToken);
    return {
      open: open === undefined ? undefined : restoreOpen(open),
      answered: decode(MANAGEMENT_KEYS.answered, storedAnswered)?.commands ?? [],
      schedule: decode(MANAGEMENT_KEYS.schedule, storedSchedule),
      pushToken: token === undefined ? undefined : (pushToken.decode(token, MANAGEMENT_KEYS.pushToken) as Uint8Array),
    };
  } catch (cause) {
    throw new ProtocolError('ERR_STORE_READ', 'the journal of commands is damaged', { cause });
  }
}

function restoreOpen(stored: StoredOpenCommand): OpenCommand {
  const result = stored.result === undefined ? undefined : commandResult.decodeBody(stored.result);
  if ((stored.phase === 'done') !== (result !== undefined)) throw new ProtocolError('ERR_WIRE_FIELD', 'a command has a result exactly when it is done');
  return { phase: stored.phase, command: command.decodeBody(stored.command), result, leaveByEpochS: stored.leaveByEpochS, leaving: stored.leaving === 1 };
}
