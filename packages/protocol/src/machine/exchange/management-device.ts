import { sameBytes } from '../../bytes/bytes.ts';
import { isProtocolError, ProtocolError } from '../../errors/protocol-error.ts';
import type { StoreWrite } from '../../ports/store.ts';
import { backoff } from '../../retry/backoff.ts';
import { randomFraction } from '../../retry/jitter.ts';
import { LIMITS } from '../../wire/limits.ts';
import { type Command, type CommandResult, commandResult, type Idle, poll } from '../../wire/management.ts';
import { arm, cancel, persist } from '../effects.ts';
import type { Effect, Input, Machine } from '../machine.ts';
import { StateCell } from '../table.ts';
import { errorOfAlert } from './alerts.ts';
import type {
  CommandOutcome,
  ManagementCall,
  ManagementDeviceOptions,
  ManagementEvent,
  ManagementOutput,
  ManagementRequest,
  ManagementRequestResult,
} from './device-types.ts';
import {
  type AnsweredCommand,
  findAnswered,
  forgetManagementState,
  type OpenCommand,
  type PollSchedule,
  withAnswered,
  writeAnswered,
  writeOpenCommand,
  writePushToken,
  writeSchedule,
} from './journal.ts';
import { decodeAnswer, type ManagementAnswer } from './management-answer.ts';
import { expiredResult, failedOutcome, isExpired, resultOf } from './outcome.ts';
import { coalesce, type PendingPoll } from './poll-request.ts';
import { MANAGEMENT_DEVICE_TRANSITIONS, type ManagementDeviceState } from './transitions.ts';

/** Device role of F5. */
export type ManagementDevice = Machine<ManagementRequest, ManagementRequestResult, ManagementEvent, ManagementOutput, ManagementCall>;

type DeviceEffect = Effect<ManagementRequest, ManagementEvent, ManagementOutput>;
type DeviceInput = Input<ManagementRequestResult, ManagementCall>;

/** A device whose certificate is out of date asks again after its poll interval, and at the latest after this time. */
const LONGEST_EXPIRED_RETRY_S = 3_600;

/** Timers of the device role. */
export const MANAGEMENT_TIMERS = { poll: 'poll', answer: 'answer', exchange: 'exchange', backoff: 'backoff' } as const;

/**
 * The device role of F5: polls, takes one command at a time, has it carried out, reports its status, until the server answers with the idle command.
 * It never ends by itself: only when the device leaves management (`done`) or the server refuses the device for good (`fail`). A certificate that is out of date
 * is not for good: the clock of the server may be wrong, and what would follow cannot be undone.
 */
export function managementDevice(options: ManagementDeviceOptions): ManagementDevice {
  return new DeviceRole(options);
}

class DeviceRole implements ManagementDevice {
  readonly #options: ManagementDeviceOptions;
  readonly #limits: { readonly commandsPerPoll: number; readonly answerMs: number; readonly exchangeMs: number; readonly leavingMs: number };
  readonly #cell: StateCell<ManagementDeviceState>;
  #delays: Iterator<number> | undefined;
  #schedule: PollSchedule;
  #open: OpenCommand | undefined;
  #answered: readonly AnsweredCommand[];
  #pending: PendingPoll | undefined;
  /** The poll that is under way, to be repeated when the exchange fails. */
  #asked: PendingPoll | undefined;
  #deliveredToken: Uint8Array | undefined;
  #newToken: Uint8Array | undefined;
  /** Token of the poll that is under way. */
  #sentToken: Uint8Array | undefined;
  #commands = 0;
  #overtime = false;

  constructor(options: ManagementDeviceOptions) {
    const { state, limits = {} } = options;
    this.#options = options;
    this.#limits = {
      commandsPerPoll: limits.commandsPerPoll ?? LIMITS.commandsPerPoll,
      answerMs: limits.answerMs ?? LIMITS.answerMs,
      exchangeMs: limits.exchangeMs ?? LIMITS.exchangeMs,
      leavingMs: limits.leavingMs ?? LIMITS.leavingMs,
    };
    this.#cell = new StateCell(MANAGEMENT_DEVICE_TRANSITIONS, 'managementDevice', 'stopped', options.onTransition);
    this.#schedule = state.schedule ?? options.schedule;
    this.#open = state.open;
    this.#answered = state.answered;
    this.#deliveredToken = state.pushToken;
  }

  get state(): ManagementDeviceState {
    return this.#cell.state;
  }

  handle(input: DeviceInput, nowMs: number): readonly DeviceEffect[] {
    if (this.state === 'ended') return [];
    switch (input.type) {
      case 'start':
        return this.#start(nowMs);
      case 'call':
        return this.#call(input.call);
      case 'timer':
        return this.#timer(input.timer, nowMs);
      case 'received':
        return this.#received(input.frame, nowMs);
      case 'closed':
        return this.#waiting() ? this.#lost(input.error ?? new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection closed before the answer'), nowMs) : [];
      case 'result':
        return input.result.type === 'left'
          ? this.#left(input.result.writes)
          : this.#executed(input.result.outcome, input.result.writes, input.result.leave === true, nowMs);
      case 'failed':
        return this.state === 'leaving' ? this.#leaveFailed(input.error) : this.#executed(failedOutcome(input.error), [], false, nowMs);
    }
  }

  /** A frame is under way and its answer is awaited. */
  #waiting(): boolean {
    return this.state === 'polling' || this.state === 'answering';
  }

  #start(nowMs: number): readonly DeviceEffect[] {
    const open = this.#open;
    if (open === undefined) {
      this.#cell.take('start');
      return [arm(MANAGEMENT_TIMERS.poll, randomFraction(this.#options.entropy) * this.#schedule.pollIntervalS * 1000)];
    }
    if (open.leaving) return [requestLeave(this.#cell.take('start with answered leave').step)];
    if (open.phase === 'received' && isExpired(open.command, nowMs)) {
      this.#open = { ...open, phase: 'done', result: expiredResult(open.command) };
      return [persist(writeOpenCommand(this.#open)), ...this.#beginExchange(), ...this.#answer(this.#cell.take('start with open answer').step)];
    }
    if (open.phase === 'done') return [...this.#beginExchange(), ...this.#answer(this.#cell.take('start with open answer').step)];
    return [...this.#beginExchange(), ...this.#execute(open, this.#cell.take('start with open command').step)];
  }

  #call(call: ManagementCall): readonly DeviceEffect[] {
    if (call.type === 'pushToken') {
      const known = this.#deliveredToken !== undefined && sameBytes(this.#deliveredToken, call.token);
      this.#newToken = known ? undefined : call.token;
      return [];
    }
    return this.#wantPoll({ reason: call.reason, wakeUpId: call.wakeUpId });
  }

  #wantPoll(wanted: PendingPoll): readonly DeviceEffect[] {
    if (!this.#cell.accepts('poll')) return [];
    const atRest = this.state === 'atRest';
    this.#pending = coalesce(this.#pending, wanted);
    const { step } = this.#cell.take('poll');
    return atRest ? [cancel(MANAGEMENT_TIMERS.poll), ...this.#poll(step)] : [];
  }

  #poll(step: string): readonly DeviceEffect[] {
    const asked = this.#pending ?? { reason: 'schedule' };
    this.#asked = asked;
    this.#pending = undefined;
    const begun = this.#beginExchange();
    this.#sentToken = this.#newToken;
    const frame = poll.encode({ ...asked, pushToken: this.#sentToken });
    return [...begun, ...this.#send(frame, step), { type: 'emit', event: { type: 'polled', reason: asked.reason } }];
  }

  #beginExchange(): readonly DeviceEffect[] {
    this.#commands = 0;
    this.#overtime = false;
    return [arm(MANAGEMENT_TIMERS.exchange, this.#limits.exchangeMs)];
  }

  #send(frame: Uint8Array, step: string): readonly DeviceEffect[] {
    return [arm(MANAGEMENT_TIMERS.answer, this.#limits.answerMs), { type: 'send', frame, step }];
  }

  /** Whatever woke the device before this frame is covered by the answer to it, as it is by that to a poll; but a result carries no push token. */
  #answer(step: string): readonly DeviceEffect[] {
    if (this.#newToken === undefined) this.#pending = undefined;
    return this.#send(commandResult.encode((this.#open as OpenCommand).result as CommandResult), step);
  }

  #timer(timer: string, nowMs: number): readonly DeviceEffect[] {
    switch (timer) {
      case MANAGEMENT_TIMERS.poll:
        return this.state === 'atRest' ? this.#wantPoll({ reason: 'schedule' }) : [];
      case MANAGEMENT_TIMERS.answer:
        return this.#waiting() ? this.#lost(new ProtocolError('ERR_PEER_TIMEOUT', 'the server did not answer in time'), nowMs) : [];
      case MANAGEMENT_TIMERS.exchange:
        this.#overtime = true;
        return [];
      default:
        return this.#backoffOver();
    }
  }

  #backoffOver(): readonly DeviceEffect[] {
    const input = this.state === 'backingOff' && this.#open !== undefined ? 'back-off over with open answer' : 'back-off over';
    if (!this.#cell.accepts(input)) return [];
    const { next, step } = this.#cell.take(input);
    if (next === 'leaving') return [requestLeave(step)];
    return next === 'answering' ? [...this.#beginExchange(), ...this.#answer(step)] : this.#poll(step);
  }

  #received(bytes: Uint8Array, nowMs: number): readonly DeviceEffect[] {
    if (!this.#waiting()) return [{ type: 'emit', event: { type: 'frameDropped' } }];
    let answer: ManagementAnswer;
    try {
      answer = decodeAnswer(bytes);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return this.#lost(error, nowMs);
    }
    if (answer.name === 'command') return this.#command(answer.command, nowMs);
    return answer.name === 'idle' ? this.#idle(answer.idle) : this.#lost(errorOfAlert(answer.alert.code), nowMs);
  }

  #command(next: Command, nowMs: number): readonly DeviceEffect[] {
    this.#commands += 1;
    const repeated = this.#open !== undefined && sameBytes(this.#open.command.commandId, next.commandId);
    const { writes, effects } = repeated ? { writes: [], effects: [] } : this.#taken();
    if (this.#open?.leaving === true) return this.#leave(effects);
    // check: F5 commands of one exchange
    if (this.#commands > this.#limits.commandsPerPoll) {
      return [
        ...persistAll(writes),
        ...effects,
        ...this.#lost(new ProtocolError('ERR_WIRE_LIMIT', 'the server has more commands than one exchange takes'), nowMs),
      ];
    }
    // check: F5 time of one exchange
    if (this.#overtime) return [...persistAll(writes), ...effects, ...this.#lost(new ProtocolError('ERR_PEER_TIMEOUT', 'the exchange takes too long'), nowMs)];
    if (repeated) return this.#answer(this.#cell.take('answered command').step);
    const known = findAnswered(this.#answered, next.commandId);
    // check: F5 command carried out once
    if (known !== undefined) {
      const message = known.status === 'failed' ? 'the command failed earlier' : undefined;
      this.#open = { phase: 'done', command: next, result: { commandId: next.commandId, status: known.status, message }, leaving: false };
      return [...persistAll(writes), ...effects, ...this.#answer(this.#cell.take('answered command').step)];
    }
    const received: DeviceEffect = { type: 'emit', event: { type: 'commandReceived', commandId: next.commandId, commandType: next.type } };
    // check: F5 command expiry
    if (isExpired(next, nowMs)) {
      this.#open = { phase: 'done', command: next, result: expiredResult(next), leaving: false };
      const { step } = this.#cell.take('expired command');
      return [persist(...writes, writeOpenCommand(this.#open)), ...effects, received, this.#finished(), ...this.#answer(step)];
    }
    const open: OpenCommand = { phase: 'received', command: next, leaving: false };
    const { step } = this.#cell.take('command');
    return [persist(...writes, writeOpenCommand(open)), ...effects, cancel(MANAGEMENT_TIMERS.answer), received, ...this.#execute(open, step)];
  }

  #execute(open: OpenCommand, step: string): readonly DeviceEffect[] {
    this.#open = { ...open, phase: 'started' };
    const request: DeviceEffect = { type: 'request', request: { type: 'execute', command: open.command, resumed: open.phase === 'started' }, step };
    return open.phase === 'started' ? [request] : [persist(writeOpenCommand(this.#open)), request];
  }

  #executed(outcome: CommandOutcome, writes: readonly StoreWrite[], leave: boolean, nowMs: number): readonly DeviceEffect[] {
    if (!this.#cell.accepts('executed')) return [];
    const { step } = this.#cell.take('executed');
    const open = this.#open as OpenCommand;
    const leaveByEpochS = leave ? Math.floor((nowMs + this.#limits.leavingMs) / 1000) : undefined;
    this.#open = { ...open, phase: 'done', result: resultOf(open.command, outcome), leaveByEpochS };
    return [persist(writeOpenCommand(this.#open), ...writes), this.#finished(), ...this.#answer(step)];
  }

  #finished(): DeviceEffect {
    const { command: finished, result } = this.#open as OpenCommand & { readonly result: CommandResult };
    return {
      type: 'emit',
      event: { type: 'commandFinished', commandId: finished.commandId, commandType: finished.type, status: result.status, message: result.message },
    };
  }

  /** The server has answered: what was sent before has reached it, and the command that it was about is answered. */
  #taken(): { readonly writes: readonly StoreWrite[]; readonly effects: readonly DeviceEffect[] } {
    this.#delays = undefined;
    const writes: StoreWrite[] = [];
    const effects: DeviceEffect[] = [];
    if (this.state === 'polling' && this.#sentToken !== undefined) {
      writes.push(writePushToken(this.#sentToken));
      this.#deliveredToken = this.#sentToken;
      if (this.#newToken === this.#sentToken) this.#newToken = undefined;
    }
    this.#asked = undefined;
    if (this.#open === undefined) return { writes, effects };
    const result = this.#open.result as CommandResult;
    effects.push({ type: 'emit', event: { type: 'commandAnswered', commandId: result.commandId } });
    if (this.#open.leaveByEpochS !== undefined) {
      this.#open = { ...this.#open, leaving: true };
      return { writes, effects };
    }
    this.#answered = withAnswered(this.#answered, result);
    this.#open = undefined;
    writes.push(writeAnswered(this.#answered), writeOpenCommand(undefined));
    return { writes, effects };
  }

  #idle(message: Idle): readonly DeviceEffect[] {
    const { writes, effects } = this.#taken();
    if (this.#open?.leaving === true) return this.#leave(effects);
    const { pollIntervalS, pollJitterS, pollAfterS, serverTimeEpochS } = message;
    const changed = pollIntervalS !== this.#schedule.pollIntervalS || pollJitterS !== this.#schedule.pollJitterS;
    if (changed) this.#schedule = { pollIntervalS, pollJitterS };
    const ended: DeviceEffect[] = [...persistAll(changed ? [...writes, writeSchedule(this.#schedule)] : writes), ...effects, ...this.#endExchange()];
    if (this.#pending !== undefined) return [...ended, ...this.#poll(this.#cell.take('idle with pending poll').step)];
    this.#cell.take('idle');
    const regularMs = (pollIntervalS + randomFraction(this.#options.entropy) * pollJitterS) * 1000;
    const nextPollMs = pollAfterS === undefined ? regularMs : Math.min(regularMs, pollAfterS * 1000);
    return [
      ...ended,
      arm(MANAGEMENT_TIMERS.poll, nextPollMs),
      { type: 'emit', event: { type: 'idle', commands: this.#commands, serverTimeEpochS, nextPollMs } },
    ];
  }

  #endExchange(): readonly DeviceEffect[] {
    return [cancel(MANAGEMENT_TIMERS.answer), cancel(MANAGEMENT_TIMERS.exchange)];
  }

  /** The exchange ends with an error: leave, give up for good, or try again later. */
  #lost(error: ProtocolError, nowMs: number): readonly DeviceEffect[] {
    const outOfDate = error.code === 'ERR_REJECTED_EXPIRED';
    const refused = outOfDate || error.retry === 'reactivate';
    const leaveByEpochS = this.#open?.leaveByEpochS;
    if (leaveByEpochS !== undefined && (refused || Math.floor(nowMs / 1000) >= leaveByEpochS)) {
      this.#open = { ...(this.#open as OpenCommand), leaving: true };
      return this.#leave([]);
    }
    if (refused && !outOfDate) {
      const { step } = this.#cell.take('refusal');
      return [...this.#endExchange(), { type: 'fail', error: error.at(step) }];
    }
    const { step } = this.#cell.take('error');
    if (this.#asked !== undefined) this.#pending = this.#pending === undefined ? this.#asked : coalesce(this.#asked, this.#pending);
    const retryAfterMs = this.#nextDelayMs(error);
    return [
      ...this.#endExchange(),
      arm(MANAGEMENT_TIMERS.backoff, retryAfterMs),
      { type: 'emit', event: { type: 'exchangeFailed', error: error.at(step), retryAfterMs } },
    ];
  }

  /**
   * The server may ask for more patience than the back-off has (`retry-after`), within the longest poll interval. A certificate that is out of date only a clock
   * or a person can mend, so the device asks at the pace of its polls.
   */
  #nextDelayMs(error: ProtocolError): number {
    this.#delays ??= backoff({ ...this.#options.backoff, attempts: undefined }, this.#options.entropy)[Symbol.iterator]();
    const delayMs = this.#delays.next().value as number;
    if (error.code === 'ERR_REJECTED_EXPIRED') return Math.max(delayMs, Math.min(this.#schedule.pollIntervalS, LONGEST_EXPIRED_RETRY_S) * 1000);
    const { retryAfterS } = error.details;
    return typeof retryAfterS === 'number' ? Math.max(delayMs, Math.min(retryAfterS, this.#schedule.pollIntervalS) * 1000) : delayMs;
  }

  #leave(effects: readonly DeviceEffect[]): readonly DeviceEffect[] {
    const { step } = this.#cell.take('leave');
    return [persist(writeOpenCommand(this.#open)), ...effects, ...this.#endExchange(), requestLeave(step)];
  }

  #leaveFailed(error: ProtocolError): readonly DeviceEffect[] {
    const { step } = this.#cell.take('leave failed');
    const retryAfterMs = this.#nextDelayMs(error);
    return [arm(MANAGEMENT_TIMERS.backoff, retryAfterMs), { type: 'emit', event: { type: 'exchangeFailed', error: error.at(step), retryAfterMs } }];
  }

  #left(writes: readonly StoreWrite[]): readonly DeviceEffect[] {
    if (!this.#cell.accepts('left')) return [];
    this.#cell.take('left');
    return [persist(...forgetManagementState(), ...writes), { type: 'done', output: { reason: 'left' } }];
  }
}

function persistAll(writes: readonly StoreWrite[]): readonly DeviceEffect[] {
  return writes.length === 0 ? [] : [persist(...writes)];
}

function requestLeave(step: string): DeviceEffect {
  return { type: 'request', request: { type: 'leave' }, step };
}
