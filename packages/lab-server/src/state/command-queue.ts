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
  relistOpenCommand,
  unlistOpenCommand,
} from './open-commands.ts';
import { joinId, partOf, sortable, type Table, table } from './table.ts';

interface CommandReference {
  readonly sequence: number;
}

interface QueueCounters {
  readonly sequence: number;
  readonly finished: number;
  /** Counts the ends, for the order in which they are forgotten. */
  readonly ends: number;
}

/** By device and sequence. */
const commands: Table<CommandRecord> = table('command');
const sequencesById: Table<CommandReference> = table('command-by-id');
const finishedCommands: Table<CommandReference> = table('command-finished');
const counters: Table<QueueCounters> = table('command-counters');

const NOTHING: Uint8Array = encodeDocument({});

/** True when a device has as many commands open as it may have. */
export function isQueueFull(view: ReadView, deviceId: string): boolean {
  return openCommandCount(view, deviceId) >= MAX_OPEN_COMMANDS;
}

/** Adds a command at the end of the queue of a device (F5.1). Undefined: the queue is full. */
export function enqueueCommand(tx: WriteView, command: NewCommand, nowMs: number): CommandRecord | undefined {
  return isQueueFull(tx, command.deviceId) ? undefined : append(tx, command, nowMs);
}

/** Adds a command of UEM itself, also behind a queue that is full for administrators: there are only a few of them. */
export function enqueueOwnCommand(tx: WriteView, command: NewCommand, nowMs: number): CommandRecord | undefined {
  return openCommandCount(tx, command.deviceId) >= MAX_QUEUED_COMMANDS ? undefined : append(tx, command, nowMs);
}

/** Adds an update of the configuration whose properties are made when it is handed out. */
export function enqueueUpdate(tx: WriteView, update: Pick<NewCommand, 'commandId' | 'deviceId' | 'type'>, nowMs: number): CommandRecord {
  return append(tx, { ...update, properties: {}, isContentOpen: true }, nowMs);
}

function append(tx: WriteView, added: NewCommand & Pick<CommandRecord, 'isContentOpen'>, nowMs: number): CommandRecord {
  const { commandId, deviceId, type, properties, expiresAtMs, isContentOpen } = added;
  const counted = countersOf(tx, deviceId);
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
  commands.put(tx, placeOf(deviceId, sequence), command);
  sequencesById.put(tx, joinId(deviceId, commandId), { sequence });
  listOpenCommand(tx, command);
  counters.put(tx, deviceId, { ...counted, sequence });
  tell(tx, 'COMMAND_QUEUED', command, nowMs);
  return command;
}

export function commandById(view: ReadView, deviceId: string, commandId: string): CommandRecord | undefined {
  const reference = sequencesById.get(view, joinId(deviceId, commandId));
  return reference === undefined ? undefined : commands.get(view, placeOf(deviceId, reference.sequence));
}

/** Commands of a device in the order in which they were given; `after` is a sequence number. */
export function listCommands(view: ReadView, deviceId: string, query: { readonly after?: number; readonly limit: number }): readonly CommandRecord[] {
  const after = query.after === undefined ? undefined : placeOf(deviceId, query.after);
  return commands.page(view, { under: partOf(deviceId), after, limit: query.limit }).map((row) => row.record);
}

/** Makes the properties of an update that is to be handed out. */
export type MakeProperties = (view: ReadView, command: CommandRecord) => wire.WireDocument;

export interface QueueOptions {
  readonly make?: MakeProperties;
  /** With it, deferrals that no device can have asked for are over. */
  readonly nowMs?: number;
}

/** Longest time that a device can defer a command for. */
const LONGEST_DEFERRAL_MS = 604_800_000;

/** The open commands of a device that decide about the next answer, as the server role of F5 wants them. */
export function queueOf(view: ReadView, deviceId: string, { nowMs, make = () => ({}) }: QueueOptions = {}): readonly QueueEntry[] {
  return decidingCommands(view, deviceId).map((open) => ({
    ...open,
    notBeforeMs: possibleTime(open.notBeforeMs, nowMs),
    commandId: fromHex(open.commandId),
    get properties() {
      const command = commands.get(view, placeOf(deviceId, open.sequence));
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
  commands.put(tx, placeOf(command.deviceId, command.sequence), command);
  relistOpenCommand(tx, command);
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
  const { deviceId, sequence } = command;
  const place = placeOf(deviceId, sequence);
  if (!unlistOpenCommand(tx, command)) return false;
  commands.put(tx, place, { ...command, ...end, properties: NOTHING, isContentOpen: undefined, notBeforeMs: undefined });
  const counted = countersOf(tx, deviceId);
  const ends = counted.ends + 1;
  finishedCommands.put(tx, placeOf(deviceId, ends), { sequence });
  const forgotten = counted.finished >= MAX_FINISHED_COMMANDS ? forgetOldest(tx, deviceId) : 0;
  counters.put(tx, deviceId, { ...counted, ends, finished: counted.finished + 1 - forgotten });
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
  forgetCommand(tx, deviceId, oldest.record.sequence);
  return 1;
}

function forgetCommand(tx: WriteView, deviceId: string, sequence: number): void {
  const place = placeOf(deviceId, sequence);
  const command = commands.get(tx, place);
  if (command !== undefined) sequencesById.delete(tx, joinId(deviceId, command.commandId));
  commands.delete(tx, place);
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
  for (const { sequence } of allOpenCommands(tx, deviceId)) {
    const command = commands.get(tx, placeOf(deviceId, sequence));
    if (command !== undefined) finishCommand(tx, command, { state: 'cancelled', finishedAtMs: nowMs, message: reason });
  }
}

/** Forgets all commands of a device that is forgotten. */
export function deleteCommands(tx: WriteView, deviceId: string): void {
  const most = MAX_QUEUED_COMMANDS + MAX_FINISHED_COMMANDS;
  for (const { record } of commands.page(tx, { under: partOf(deviceId), limit: most })) forgetCommand(tx, deviceId, record.sequence);
  deleteOpenCommands(tx, deviceId);
  for (const { id } of finishedCommands.page(tx, { under: partOf(deviceId), limit: most })) finishedCommands.delete(tx, id);
  counters.delete(tx, deviceId);
}

function countersOf(view: ReadView, deviceId: string): QueueCounters {
  return counters.get(view, deviceId) ?? { sequence: 0, finished: 0, ends: 0 };
}

function placeOf(deviceId: string, sequence: number): string {
  return joinId(deviceId, sortable(sequence));
}
