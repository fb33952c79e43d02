import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type CommandRecord, MAX_QUEUED_COMMANDS } from './commands.ts';
import { deviceTable, joinId, partOf, sortable, type Table } from './table.ts';

/** What polls look at, small; the command itself is read when it is handed out. */
export type OpenCommand = Pick<CommandRecord, 'commandId' | 'type' | 'priority' | 'sequence' | 'createdAtMs' | 'expiresAtMs' | 'notBeforeMs'> & {
  readonly state: 'queued' | 'sent';
};

/** What is counted for the queue of a device; one record, so that a command which comes or goes writes it once. */
export interface QueueCounts {
  /** Number of the newest command. */
  readonly sequence: number;
  /** Finished commands that are kept. */
  readonly finished: number;
  /** Counts the ends, for the order in which they are forgotten. */
  readonly ends: number;
  readonly open: number;
  /** Open ones that time changes: deferred, or with an expiry. */
  readonly timed: number;
  /** Id of the one that is sent. */
  readonly inFlight?: string | undefined;
}

/** By device, priority and sequence: the order of F5.4. */
const openCommands: Table<OpenCommand> = deviceTable('command-open');
const counts: Table<QueueCounts> = deviceTable('command-counts', { read: 'often' });

export function queueCountsOf(view: ReadView, deviceId: string): QueueCounts {
  return counts.get(view, deviceId) ?? { sequence: 0, finished: 0, ends: 0, open: 0, timed: 0 };
}

export function putQueueCounts(tx: WriteView, deviceId: string, counted: QueueCounts): void {
  counts.put(tx, deviceId, counted);
}

/** Number of commands that are not finished. */
export function openCommandCount(view: ReadView, deviceId: string): number {
  return queueCountsOf(view, deviceId).open;
}

/**
 * The open commands that decide what a device gets next. All of them only while some wait for a time; else the one in flight and the
 * next two, so that a long queue is not read again with each poll.
 */
export function decidingCommands(view: ReadView, deviceId: string): readonly OpenCommand[] {
  const { open, timed, inFlight } = queueCountsOf(view, deviceId);
  if (open === 0) return [];
  const first = openCommands.page(view, { under: partOf(deviceId), limit: timed > 0 ? MAX_QUEUED_COMMANDS : 2 });
  const found = first.map((row) => row.record);
  const sent = inFlight === undefined || first.some((row) => row.id === inFlight) ? undefined : openCommands.get(view, inFlight);
  return sent === undefined ? found : [sent, ...found];
}

/** Every open command of a device. */
export function allOpenCommands(view: ReadView, deviceId: string): readonly OpenCommand[] {
  return openCommands.page(view, { under: partOf(deviceId), limit: MAX_QUEUED_COMMANDS }).map((row) => row.record);
}

/** Adds a command that is not on the list, and gives what is counted then. */
export function listOpenCommand(tx: WriteView, command: ListedCommand, counted: QueueCounts): QueueCounts {
  return put(tx, command, undefined, counted);
}

/** Notes the new state of a command. */
export function relistOpenCommand(tx: WriteView, command: ListedCommand, counted: QueueCounts): QueueCounts {
  return put(tx, command, openCommands.get(tx, idOf(command)), counted);
}

type ListedCommand = CommandRecord & { readonly state: 'queued' | 'sent' };

function put(tx: WriteView, command: ListedCommand, before: OpenCommand | undefined, counted: QueueCounts): QueueCounts {
  const { commandId, type, priority, sequence, createdAtMs, expiresAtMs, notBeforeMs, state } = command;
  const id = idOf(command);
  const after: OpenCommand = { commandId, type, priority, sequence, createdAtMs, expiresAtMs, notBeforeMs, state };
  openCommands.put(tx, id, after);
  return recount(counted, id, before, after);
}

/** Takes a command off the list; undefined when it is not on it. */
export function unlistOpenCommand(tx: WriteView, command: CommandRecord, counted: QueueCounts): QueueCounts | undefined {
  const id = idOf(command);
  const before = openCommands.get(tx, id);
  if (before === undefined) return undefined;
  openCommands.delete(tx, id);
  return recount(counted, id, before, undefined);
}

/** Forgets the list of a device, and what was counted. */
export function deleteOpenCommands(tx: WriteView, deviceId: string): void {
  for (const { id } of openCommands.page(tx, { under: partOf(deviceId), limit: MAX_QUEUED_COMMANDS })) openCommands.delete(tx, id);
  counts.delete(tx, deviceId);
}

function recount(counted: QueueCounts, id: string, before: OpenCommand | undefined, after: OpenCommand | undefined): QueueCounts {
  const { open, timed, inFlight } = counted;
  const isSent = after?.state === 'sent';
  return {
    ...counted,
    open: open + countOf(after) - countOf(before),
    timed: timed + timedOf(after) - timedOf(before),
    inFlight: isSent ? id : inFlight === id ? undefined : inFlight,
  };
}

function countOf(command: OpenCommand | undefined): 0 | 1 {
  return command === undefined ? 0 : 1;
}

function timedOf(command: OpenCommand | undefined): 0 | 1 {
  return command?.expiresAtMs === undefined && command?.notBeforeMs === undefined ? 0 : 1;
}

function idOf({ deviceId, priority, sequence }: CommandRecord): string {
  return joinId(deviceId, String(priority), sortable(sequence));
}
