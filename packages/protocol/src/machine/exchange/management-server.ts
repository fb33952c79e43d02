import { sameBytes } from '../../bytes/bytes.ts';
import { ProtocolError } from '../../errors/protocol-error.ts';
import { parseFrame } from '../../wire/frame.ts';
import { type CommandResult, command, commandResult, idle, type Poll, poll } from '../../wire/management.ts';
import type { WireDocument } from '../../wire/schema.ts';
import { StateCell, type TransitionListener } from '../table.ts';
import type { PollSchedule } from './journal.ts';
import { endsManagement } from './priority.ts';
import { MANAGEMENT_SERVER_TRANSITIONS, type ManagementServerState } from './transitions.ts';

/** One command in the queue of a device, as the server keeps it. */
export interface QueueEntry {
  readonly commandId: Uint8Array;
  readonly type: string;
  /** From `commandPriority`; the lowest number goes first (F5.4). */
  readonly priority: number;
  readonly properties: WireDocument;
  readonly createdAtMs: number;
  /** `sent`: in flight, at most one. `done` and `failed` are final. */
  readonly state: 'queued' | 'sent' | 'done' | 'failed';
  /** Not handed out before this time: the device deferred it. */
  readonly notBeforeMs?: number | undefined;
  /** From then on it is not handed out any more. */
  readonly expiresAtMs?: number | undefined;
}

/** What the server must write before it sends the reply. */
export type QueueChange =
  | { readonly type: 'sent'; readonly commandId: Uint8Array }
  | { readonly type: 'completed'; readonly commandId: Uint8Array; readonly commandType: string; readonly result: CommandResult }
  | { readonly type: 'deferred'; readonly commandId: Uint8Array; readonly notBeforeMs: number }
  /** Its time was over before it was handed out: final, as failed. */
  | { readonly type: 'expired'; readonly commandId: Uint8Array }
  /** A result for a command that is not in flight: a repetition, or unknown. Nothing changes. */
  | { readonly type: 'ignored'; readonly commandId: Uint8Array };

/** Answer of the server to one frame of a device. */
export interface ManagementReply {
  readonly frame: Uint8Array;
  readonly step: 'F5.4' | 'F5.6';
  /** Id of the command in `frame`; absent for the idle command. */
  readonly commandId?: Uint8Array | undefined;
  readonly changes: readonly QueueChange[];
  /** The poll that was answered, for its push token and wake-up id. */
  readonly poll?: Poll | undefined;
}

export interface ManagementServerOptions {
  readonly schedule: PollSchedule;
  readonly onTransition?: TransitionListener | undefined;
}

/** Longest `pollAfterS` on the wire. */
const MAX_POLL_AFTER_S = 604_800;

/**
 * The server role of F5 towards one device, as one decision: `frame` is a poll or a result, `queue` what is stored for this device, oldest first.
 * At most one command is in flight; as long as it is, a poll gets the same command again, byte for byte.
 *
 * @throws ProtocolError `ERR_WIRE_*`, or `ERR_PEER_UNEXPECTED` for a frame that is neither; nothing is to be written then.
 */
export function answerManagement(bytes: Uint8Array, queue: readonly QueueEntry[], nowMs: number, options: ManagementServerOptions): ManagementReply {
  const frame = parseFrame(bytes);
  const inFlight = queue.find((entry) => entry.state === 'sent');
  const cell = new StateCell(MANAGEMENT_SERVER_TRANSITIONS, 'managementServer', inFlight === undefined ? 'free' : 'inFlight', options.onTransition);
  if (frame.name === 'poll') {
    const asked = poll.decode(frame);
    if (inFlight === undefined) return { ...handOut(cell, 'poll', queue, nowMs, [], options), poll: asked };
    cell.take('poll');
    return { ...again(inFlight), changes: [], poll: asked };
  }
  // check: F5 frame of the device
  if (frame.name !== 'commandResult') throw new ProtocolError('ERR_PEER_UNEXPECTED', 'neither a poll nor a result');
  const result = commandResult.decode(frame);
  // check: F5 time of a deferred command
  if (result.status === 'deferred' && result.retryAfterS === undefined) throw new ProtocolError('ERR_WIRE_FIELD', 'a deferred result says when to try again');
  // check: F5 message of a failed command
  if (result.status === 'failed' && result.message === undefined) throw new ProtocolError('ERR_WIRE_FIELD', 'a failed result says why');
  if (inFlight !== undefined && sameBytes(inFlight.commandId, result.commandId)) {
    return complete(cell, inFlight, result, queue, nowMs, options);
  }
  const ignored: QueueChange = { type: 'ignored', commandId: result.commandId };
  if (inFlight === undefined) return handOut(cell, 'unknown result', queue, nowMs, [ignored], options);
  cell.take('unknown result');
  return { ...again(inFlight), changes: [ignored] };
}

function complete(
  cell: StateCell<ManagementServerState>,
  entry: QueueEntry,
  result: CommandResult,
  queue: readonly QueueEntry[],
  nowMs: number,
  options: ManagementServerOptions,
): ManagementReply {
  if (result.status === 'deferred') {
    const notBeforeMs = nowMs + (result.retryAfterS as number) * 1000;
    const rest = queue.map((other) => (other === entry ? { ...other, state: 'queued' as const, notBeforeMs } : other));
    return handOut(cell, 'result', rest, nowMs, [{ type: 'deferred', commandId: entry.commandId, notBeforeMs }], options);
  }
  const change: QueueChange = { type: 'completed', commandId: entry.commandId, commandType: entry.type, result };
  const leaves = result.status === 'done' && endsManagement(entry.type);
  const rest = leaves ? [] : queue.filter((other) => other !== entry);
  return handOut(cell, 'result', rest, nowMs, [change], options);
}

/** Nothing is in flight (any more): the command of the highest priority that is due (F5.4), or the idle command (F5.6). */
function handOut(
  cell: StateCell<ManagementServerState>,
  input: string,
  queue: readonly QueueEntry[],
  nowMs: number,
  changes: readonly QueueChange[],
  options: ManagementServerOptions,
): ManagementReply {
  const open = queue.filter((entry) => entry.state === 'queued');
  const expired = open.filter((entry) => isOver(entry, nowMs));
  const all: QueueChange[] = [...changes, ...expired.map((entry): QueueChange => ({ type: 'expired', commandId: entry.commandId }))];
  const waiting = open.filter((entry) => !isOver(entry, nowMs));
  const next = highestPriority(waiting.filter((entry) => (entry.notBeforeMs ?? 0) <= nowMs));
  if (next !== undefined) {
    cell.take(`${input}, command due`);
    return { ...again(next), changes: [...all, { type: 'sent', commandId: next.commandId }] };
  }
  cell.take(`${input}, nothing due`);
  const dueMs = Math.min(...waiting.map((entry) => entry.notBeforeMs as number));
  const pollAfterS = waiting.length === 0 ? undefined : Math.min(MAX_POLL_AFTER_S, Math.ceil((dueMs - nowMs) / 1000));
  const frame = idle.encode({ ...options.schedule, pollAfterS, serverTimeEpochS: Math.floor(nowMs / 1000) });
  return { frame, step: 'F5.6', changes: all };
}

function isOver(entry: QueueEntry, nowMs: number): boolean {
  return entry.expiresAtMs !== undefined && entry.expiresAtMs <= nowMs;
}

/** Lowest number first, then the oldest; of equals the one that stands first in the queue. */
function highestPriority(entries: readonly QueueEntry[]): QueueEntry | undefined {
  let best: QueueEntry | undefined;
  for (const entry of entries) {
    if (best === undefined || entry.priority < best.priority || (entry.priority === best.priority && entry.createdAtMs < best.createdAtMs)) best = entry;
  }
  return best;
}

/** The command frame of an entry: the same bytes each time. */
function again(entry: QueueEntry): Pick<ManagementReply, 'frame' | 'step' | 'commandId'> {
  const frame = command.encode({
    commandId: entry.commandId,
    type: entry.type,
    properties: entry.properties,
    issuedAtEpochS: Math.floor(entry.createdAtMs / 1000),
    expiresAtEpochS: entry.expiresAtMs === undefined ? undefined : Math.ceil(entry.expiresAtMs / 1000),
  });
  return { frame, step: 'F5.4', commandId: entry.commandId };
}
