import {
  type Effect,
  type Input,
  type ManagementCall,
  type ManagementDevice,
  type ManagementDeviceOptions,
  type ManagementEvent,
  type ManagementOutput,
  type ManagementRequest,
  type ManagementRequestResult,
  managementDevice,
  type PollSchedule,
  type ProtocolError,
  restoreManagementState,
  type TransitionListener,
} from '../../../src/index.ts';
import { seededEntropy } from '../../../src/testing/index.ts';
import * as wire from '../../../src/wire/index.ts';

export const NOW_MS = Date.UTC(2026, 10, 23);
export const SCHEDULE: PollSchedule = { pollIntervalS: 3_600, pollJitterS: 600 };

type DeviceEffect = Effect<ManagementRequest, ManagementEvent, ManagementOutput>;

export interface BenchOptions {
  readonly onTransition?: TransitionListener | undefined;
  readonly limits?: ManagementDeviceOptions['limits'];
  readonly entropySeed?: string;
}

/** A device with a store, timers and a log, driven by hand. */
export class DeviceBench {
  readonly store = new Map<string, Uint8Array>();
  readonly options: BenchOptions;
  nowMs = NOW_MS;
  machine: ManagementDevice;
  /** Not taken by the test yet. */
  sent: { frame: Uint8Array; step: string }[] = [];
  requests: ManagementRequest[] = [];
  events: ManagementEvent[] = [];
  timers = new Map<string, number>();
  ended: { output: ManagementOutput } | { error: ProtocolError } | undefined;
  /** Effects in the order in which they were carried out. */
  effects: DeviceEffect[] = [];
  /** Dies before the effect with this number, counted over the life of the bench. */
  dieBefore = Number.POSITIVE_INFINITY;
  dead = false;

  constructor(options: BenchOptions = {}) {
    this.options = options;
    this.machine = this.build();
  }

  private build(): ManagementDevice {
    return managementDevice({
      entropy: seededEntropy(this.options.entropySeed ?? 'device bench'),
      state: restoreManagementState((key) => this.store.get(key)),
      schedule: SCHEDULE,
      backoff: { minMs: 500, baseMs: 2_000, maxMs: 300_000 },
      limits: this.options.limits,
      onTransition: this.options.onTransition,
    });
  }

  get state(): string {
    return this.machine.state;
  }

  input(input: Input<ManagementRequestResult, ManagementCall>): readonly DeviceEffect[] {
    const effects = this.machine.handle(input, this.nowMs);
    for (const effect of effects) {
      if (this.effects.length >= this.dieBefore) {
        this.dead = true;
        return effects;
      }
      this.effects.push(effect);
      this.apply(effect);
    }
    return effects;
  }

  private apply(effect: DeviceEffect): void {
    switch (effect.type) {
      case 'persist':
        for (const { key, value } of effect.writes) {
          if (value === null) this.store.delete(key);
          else this.store.set(key, value.slice());
        }
        return;
      case 'send':
        this.sent.push(effect);
        return;
      case 'request':
        this.requests.push(effect.request);
        return;
      case 'emit':
        this.events.push(effect.event);
        return;
      case 'arm-timer':
        this.timers.set(effect.timer, effect.afterMs);
        return;
      case 'cancel-timer':
        this.timers.delete(effect.timer);
        return;
      case 'done':
        this.ended = { output: effect.output };
        return;
      case 'fail':
        this.ended = { error: effect.error };
    }
  }

  start(): this {
    this.input({ type: 'start' });
    return this;
  }

  poll(reason: wire.PollReason = 'wakeUp', wakeUpId?: Uint8Array): this {
    this.input({ type: 'call', call: { type: 'poll', reason, wakeUpId } });
    return this;
  }

  receive(frame: Uint8Array): this {
    this.input({ type: 'received', frame });
    return this;
  }

  fire(timer: string): this {
    this.timers.delete(timer);
    this.input({ type: 'timer', timer });
    return this;
  }

  executed(outcome: Extract<ManagementRequestResult, { type: 'executed' }>['outcome'] = { status: 'done' }, leave?: boolean): this {
    this.requests.shift();
    this.input({ type: 'result', result: { type: 'executed', outcome, writes: [{ key: 'os/state', value: Uint8Array.of(1) }], leave } });
    return this;
  }

  /** A new process: the machine is gone, the store stays. */
  restart(): this {
    this.dead = false;
    this.dieBefore = Number.POSITIVE_INFINITY;
    this.sent = [];
    this.requests = [];
    this.timers.clear();
    this.machine = this.build();
    return this.start();
  }

  /** The frame that was sent last and not taken yet. */
  takeSent(): wire.Frame {
    const sent = this.sent.shift();
    if (sent === undefined) throw new Error('nothing was sent');
    return wire.parseFrame(sent.frame);
  }

  takeResult(): wire.CommandResult {
    return wire.commandResult.decode(this.takeSent());
  }

  takePoll(): wire.Poll {
    return wire.poll.decode(this.takeSent());
  }

  lastEvent(type: ManagementEvent['type']): ManagementEvent | undefined {
    return this.events.findLast((event) => event.type === type);
  }
}

export function id(number: number): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(12, number);
  return bytes;
}

export function commandFrame(number: number, more: Partial<wire.Command> = {}): Uint8Array {
  return wire.command.encode({ commandId: id(number), type: 'LOCK_DEVICE', properties: {}, issuedAtEpochS: NOW_MS / 1000, ...more });
}

export function idleFrame(more: Partial<wire.Idle> = {}): Uint8Array {
  return wire.idle.encode({ ...SCHEDULE, serverTimeEpochS: NOW_MS / 1000, ...more });
}

export function alertFrame(code: wire.AlertCode): Uint8Array {
  return wire.alert.encode({ code });
}
