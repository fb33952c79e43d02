import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type CommandRecord, MAX_QUEUED_COMMANDS } from './commands.ts';
import { joinId, partOf, sortable, type Table, table } from './table.ts';

/** What polls look at, small; the command itself is read when it is handed out. */
export type OpenCommand = Pick<CommandRecord, 'commandId' | 'type' | 'priority' | 'sequence' | 'createdAtMs' | 'expiresAtMs' | 'notBeforeMs'> & {
  readonly state: 'queued' | 'sent';
};

interface Summary {
  readonly open: number;
  /** Those that time changes: deferred, or with an expiry. */
  readonly timed: number;
  /** Id of the one that is sent. */
  readonly inFlight?: string | undefined;
}

/** By device, priority and sequence: the order of F5.4. */
const openCommands: Table<OpenCommand> = table('command-open');
const summaries: Table<Summary> = table('command-summary');

/** Number of commands that are not finished. */
export function openCommandCount(view: ReadView, deviceId: string): number {
  return summaryOf(view, deviceId).open;
}

/**
 * The open commands that decide what a device gets next. All of them only while some wait for a time; else the one in flight and the
 * next two, so that a long queue is not read again with each poll.
 */
export function decidingCommands(view: ReadView, deviceId: string): readonly OpenCommand[] {
  const { open, timed, inFlight } = summaryOf(view, deviceId);
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

/** Adds a command that is not on the list. */
export function listOpenCommand(tx: WriteView, command: ListedCommand): void {
  put(tx, command, undefined);
}

/** Notes the new state of a command. */
export function relistOpenCommand(tx: WriteView, command: ListedCommand): void {
  put(tx, command, openCommands.get(tx, idOf(command)));
}

type ListedCommand = CommandRecord & { readonly state: 'queued' | 'sent' };

function put(tx: WriteView, command: ListedCommand, before: OpenCommand | undefined): void {
  const { deviceId, commandId, type, priority, sequence, createdAtMs, expiresAtMs, notBeforeMs, state } = command;
  const id = idOf(command);
  const after: OpenCommand = { commandId, type, priority, sequence, createdAtMs, expiresAtMs, notBeforeMs, state };
  openCommands.put(tx, id, after);
  summarize(tx, deviceId, id, before, after);
}

/** Takes a command off the list; false when it is not on it. */
export function unlistOpenCommand(tx: WriteView, command: CommandRecord): boolean {
  const id = idOf(command);
  const before = openCommands.get(tx, id);
  if (before === undefined) return false;
  openCommands.delete(tx, id);
  summarize(tx, command.deviceId, id, before, undefined);
  return true;
}

/** Forgets the list of a device. */
export function deleteOpenCommands(tx: WriteView, deviceId: string): void {
  for (const { id } of openCommands.page(tx, { under: partOf(deviceId), limit: MAX_QUEUED_COMMANDS })) openCommands.delete(tx, id);
  summaries.delete(tx, deviceId);
}

function summarize(tx: WriteView, deviceId: string, id: string, before: OpenCommand | undefined, after: OpenCommand | undefined): void {
  const { open, timed, inFlight } = summaryOf(tx, deviceId);
  const isSent = after?.state === 'sent';
  summaries.put(tx, deviceId, {
    open: open + countOf(after) - countOf(before),
    timed: timed + timedOf(after) - timedOf(before),
    inFlight: isSent ? id : inFlight === id ? undefined : inFlight,
  });
}

function countOf(command: OpenCommand | undefined): 0 | 1 {
  return command === undefined ? 0 : 1;
}

function timedOf(command: OpenCommand | undefined): 0 | 1 {
  return command?.expiresAtMs === undefined && command?.notBeforeMs === undefined ? 0 : 1;
}

function summaryOf(view: ReadView, deviceId: string): Summary {
  return summaries.get(view, deviceId) ?? { open: 0, timed: 0 };
}

function idOf({ deviceId, priority, sequence }: CommandRecord): string {
  return joinId(deviceId, String(priority), sortable(sequence));
}
