import { commandPriority, fromHex, type QueueEntry } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type CommandRecord, MAX_FINISHED_COMMANDS, MAX_OPEN_COMMANDS, MAX_QUEUED_COMMANDS, type NewCommand } from './commands.ts';
import { appendEvent, type EventType } from './events.ts';
import { decodeDocument, encodeDocument } from './inventory.ts';
import {
  allOpenCommands,
  decidingCommands,
  deleteOpenCommands,
  listOpenCommand,
  openCommandCount,
  putQueueCounts,
  type QueueCounts,
  queueCountsOf,
  relistOpenCommand,
  unlistOpenCommand,
} from './open-commands.ts';
import { deviceTable, joinId, partOf, sortable, type Table } from './table.ts';

interface CommandReference {
  readonly commandId: string;
}

const commands: Table<CommandRecord> = deviceTable('command');
/** By device and the count of its ends. */
const finishedCommands: Table<CommandReference> = deviceTable('command-finished');

const NOTHING: Uint8Array = encodeDocument({});

/** True when a device has as many commands open as it may have. */
export function isQueueFull(view: ReadView, deviceId: string): boolean {
  return openCommandCount(view, deviceId) >= MAX_OPEN_COMMANDS;
}

/** Adds a command at the end of the queue of a device (F5.1). Undefined: the queue is full. */
export function enqueueCommand(tx: WriteView, command: NewCommand, nowMs: number): CommandRecord | undefined {
  return appendBelow(MAX_OPEN_COMMANDS, tx, command, nowMs);
}

/** Adds a command of UEM itself, also behind a queue that is full for administrators: there are only a few of them. */
export function enqueueOwnCommand(tx: WriteView, command: NewCommand, nowMs: number): CommandRecord | undefined {
  return appendBelow(MAX_QUEUED_COMMANDS, tx, command, nowMs);
}

function appendBelow(most: number, tx: WriteView, command: NewCommand, nowMs: number): CommandRecord | undefined {
  const counted = queueCountsOf(tx, command.deviceId);
  return counted.open >= most ? undefined : append(tx, command, counted, nowMs);
}

/** Adds an update of the configuration whose properties are made when it is handed out. */
export function enqueueUpdate(tx: WriteView, update: Pick<NewCommand, 'commandId' | 'deviceId' | 'type'>, nowMs: number): CommandRecord {
  return append(tx, { ...update, properties: {}, isContentOpen: true }, queueCountsOf(tx, update.deviceId), nowMs);
}

function append(tx: WriteView, added: NewCommand & Pick<CommandRecord, 'isContentOpen'>, counted: QueueCounts, nowMs: number): CommandRecord {
  const { commandId, deviceId, type, properties, expiresAtMs, isContentOpen } = added;
  const sequence = counted.sequence + 1;
  const priority = commandPriority(type);
  const command: CommandRecord & { readonly state: 'queued' } = {
    commandId,
    deviceId,
    type,
    priority,
    state: 'queued',
    properties: encodeDocument(properties),
    sequence,
    createdAtMs: nowMs,
    expiresAtMs,
    isContentOpen,
  };
  commands.put(tx, idOf(command), command);
  putQueueCounts(tx, deviceId, { ...listOpenCommand(tx, command, counted), sequence });
  tell(tx, 'COMMAND_QUEUED', command, nowMs);
  return command;
}

export function commandById(view: ReadView, deviceId: string, commandId: string): CommandRecord | undefined {
  return commands.get(view, joinId(deviceId, commandId));
}

/** Commands of a device in the order in which they were given; `after` is a sequence number. All of them are read: there are a few hundred at most. */
export function listCommands(view: ReadView, deviceId: string, query: { readonly after?: number; readonly limit: number }): readonly CommandRecord[] {
  const { after = 0, limit } = query;
  return allCommands(view, deviceId)
    .filter(({ sequence }) => sequence > after)
    .sort((a, b) => a.sequence - b.sequence)
    .slice(0, limit);
}

function allCommands(view: ReadView, deviceId: string): readonly CommandRecord[] {
  return commands.page(view, { under: partOf(deviceId), limit: MAX_QUEUED_COMMANDS + MAX_FINISHED_COMMANDS }).map((row) => row.record);
}

/** Makes the properties of an update that is to be handed out. */
export type MakeProperties = (view: ReadView, command: CommandRecord) => wire.WireDocument;

export interface QueueOptions {
  readonly make?: MakeProperties;
  /** With it, deferrals that no device can have asked for are over. */
  readonly nowMs?: number;
}

/** Deferrals of one command that are told: a device that puts a command off again and again must not push other events out. */
export const MAX_TOLD_DEFERRALS = 16;

/** Longest time that a device can defer a command for. */
const LONGEST_DEFERRAL_MS = 604_800_000;

/** The open commands of a device that decide about the next answer, as the server role of F5 wants them. */
export function queueOf(view: ReadView, deviceId: string, { nowMs, make = () => ({}) }: QueueOptions = {}): readonly QueueEntry[] {
  return decidingCommands(view, deviceId).map((open) => ({
    ...open,
    notBeforeMs: possibleTime(open.notBeforeMs, nowMs),
    commandId: fromHex(open.commandId),
    get properties() {
      const command = commandById(view, deviceId, open.commandId);
      if (command === undefined) return {};
      return command.isContentOpen === true ? make(view, command) : decodeDocument(command.properties);
    },
  }));
}

/** Nothing can be deferred for longer than the wire can say: a time beyond that is of a clock that was ahead, and is over. */
function possibleTime(notBeforeMs: number | undefined, nowMs: number | undefined): number | undefined {
  return notBeforeMs !== undefined && nowMs !== undefined && notBeforeMs > nowMs + LONGEST_DEFERRAL_MS ? undefined : notBeforeMs;
}

/** Notes that an open command was handed out, or was put off by its device. */
export function updateCommand(tx: WriteView, command: CommandRecord & { readonly state: 'queued' | 'sent' }, nowMs: number): void {
  commands.put(tx, idOf(command), command);
  putQueueCounts(tx, command.deviceId, relistOpenCommand(tx, command, queueCountsOf(tx, command.deviceId)));
  if ((command.deferrals ?? 0) > MAX_TOLD_DEFERRALS) return;
  tell(tx, command.state === 'sent' ? 'COMMAND_SENT' : 'COMMAND_DEFERRED', command, nowMs);
}

/** How a command ends. */
export interface CommandEnd extends Pick<CommandRecord, 'message' | 'data'> {
  readonly state: 'done' | 'failed' | 'cancelled';
  readonly finishedAtMs: number;
}

const END_EVENTS = { done: 'COMMAND_COMPLETED', failed: 'COMMAND_FAILED', cancelled: 'COMMAND_CANCELLED' } as const;

/** Ends an open command; of the finished ones only the newest are kept. False: it had ended before, and nothing changes. */
export function finishCommand(tx: WriteView, command: CommandRecord, end: CommandEnd): boolean {
  const { deviceId, commandId } = command;
  const counted = unlistOpenCommand(tx, command, queueCountsOf(tx, deviceId));
  if (counted === undefined) return false;
  commands.put(tx, idOf(command), { ...command, ...end, properties: NOTHING, isContentOpen: undefined, notBeforeMs: undefined });
  const ends = counted.ends + 1;
  finishedCommands.put(tx, joinId(deviceId, sortable(ends)), { commandId });
  const forgotten = counted.finished >= MAX_FINISHED_COMMANDS ? forgetOldest(tx, deviceId) : 0;
  putQueueCounts(tx, deviceId, { ...counted, ends, finished: counted.finished + 1 - forgotten });
  tell(tx, END_EVENTS[end.state], command, end.finishedAtMs, end.message);
  return true;
}

function tell(tx: WriteView, type: EventType, { deviceId, commandId, type: commandType }: CommandRecord, timeMs: number, reason?: string): void {
  appendEvent(tx, { timeMs, type, deviceId, commandId, commandType, reason });
}

function forgetOldest(tx: WriteView, deviceId: string): number {
  const [oldest] = finishedCommands.page(tx, { under: partOf(deviceId), limit: 1 });
  if (oldest === undefined) return 0;
  finishedCommands.delete(tx, oldest.id);
  commands.delete(tx, joinId(deviceId, oldest.record.commandId));
  return 1;
}

/** Cancels a command that the device has not got yet. Undefined: there is no such command, or it is too late. */
export function cancelCommand(tx: WriteView, deviceId: string, commandId: string, reason: string, nowMs: number): CommandRecord | undefined {
  const command = commandById(tx, deviceId, commandId);
  if (command?.state !== 'queued') return undefined;
  finishCommand(tx, command, { state: 'cancelled', finishedAtMs: nowMs, message: reason });
  return commandById(tx, deviceId, commandId);
}

/** Cancels everything that is open, also what is in flight: the device is gone. */
export function cancelOpenCommands(tx: WriteView, deviceId: string, reason: string, nowMs: number): void {
  for (const { commandId } of allOpenCommands(tx, deviceId)) {
    const command = commandById(tx, deviceId, commandId);
    if (command !== undefined) finishCommand(tx, command, { state: 'cancelled', finishedAtMs: nowMs, message: reason });
  }
}

/** Forgets all commands of a device that is forgotten. */
export function deleteCommands(tx: WriteView, deviceId: string): void {
  for (const command of allCommands(tx, deviceId)) commands.delete(tx, idOf(command));
  deleteOpenCommands(tx, deviceId);
  for (const { id } of finishedCommands.page(tx, { under: partOf(deviceId), limit: MAX_FINISHED_COMMANDS })) finishedCommands.delete(tx, id);
}

function idOf({ deviceId, commandId }: CommandRecord): string {
  return joinId(deviceId, commandId);
}
