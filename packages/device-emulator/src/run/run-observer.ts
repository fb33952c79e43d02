import type { Clock, ProtocolError } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import type { ClientState } from '@uemkit/uem-client';
import type { DeviceObserver } from '../fleet/device-observer.ts';
import type { RunMetrics } from '../metrics/run-metrics.ts';
import type { OrderProof } from './order-proof.ts';
import { Condition, OutstandingCommands } from './outstanding.ts';

/** One step of the timeline at one device, from its planned time to idle. */
interface OpenStep {
  readonly intendedMs: number;
  readonly releasedMs: number;
  readonly sentMs: number;
}

/** Wake-ups of one device in this start. */
export interface DevicePushes {
  /** Arrived, and led to idle. */
  through: number;
  /** Lost on purpose. */
  lost: number;
}

const GONE: readonly ClientState[] = ['inactive', 'revoked', 'unknown', 'expired'];

/** Follows all devices of a run: counts, measures, and knows what is still open. */
export class RunObserver implements DeviceObserver {
  readonly outstanding: OutstandingCommands = new OutstandingCommands();
  /** Apart: a device is idle whatever its apps have not heard yet. */
  readonly outstandingOfApps: OutstandingCommands = new OutstandingCommands();
  readonly condition: Condition = new Condition();
  readonly #metrics: RunMetrics;
  readonly #order: OrderProof;
  readonly #clock: Clock;
  /** BOUNDED by the devices, as those below. */
  readonly #pushesOf: Map<number, DevicePushes> = new Map();
  readonly #steps: Map<number, OpenStep[]> = new Map();
  readonly #managed: Set<number> = new Set();
  readonly #connected: Set<number> = new Set();
  #lostPushes = 0;
  #answered: (index: number) => void = () => undefined;

  constructor(metrics: RunMetrics, order: OrderProof, clock: Clock) {
    this.#metrics = metrics;
    this.#order = order;
    this.#clock = clock;
  }

  /** Nothing is open: every command has its status at the server, every lost push is made up for. */
  get drained(): boolean {
    return this.openCommands === 0 && this.#lostPushes === 0;
  }

  /** Commands and updates that are not through, to devices and to apps. */
  get openCommands(): number {
    return this.outstanding.count + this.outstandingOfApps.count;
  }

  /** Devices that are managed and whose push connection is not registered. */
  get unconnected(): number {
    return this.#managed.size - this.#connected.size;
  }

  get lostPushes(): number {
    return this.#lostPushes;
  }

  /** The administrator has sent the commands of a step to a device. */
  stepSent(index: number, step: OpenStep): void {
    const steps = this.#steps.get(index) ?? [];
    this.#steps.set(index, steps);
    steps.push(step);
    // The device may be through with them already.
    if (this.outstanding.of(index) === 0) this.#closeSteps(index);
  }

  /** Is told whenever a device has answered something, before a step counts as through. */
  onAnswered(listener: (index: number) => void): void {
    this.#answered = listener;
  }

  /** A device holds the configuration that a step has assigned. */
  configurationThrough(index: number, id: string): void {
    this.outstanding.answered(index, id);
    this.condition.changed();
  }

  /** An app has carried out a command, and UEM knows it; `id` is the one that it was noted with. */
  appCommandThrough(index: number, id: string): void {
    this.outstandingOfApps.answered(index, id);
    this.condition.changed();
  }

  /** A device is active and has begun to be managed. */
  started(index: number): void {
    this.#managed.add(index);
  }

  stateChanged(index: number, state: ClientState): void {
    if (GONE.includes(state) && this.#managed.delete(index)) {
      this.#connected.delete(index);
      this.outstanding.gone(index);
      this.outstandingOfApps.gone(index);
    }
    this.condition.changed();
  }

  pushReceived(): void {
    this.#metrics.count('pushesReceived');
  }

  pushDropped(index: number): void {
    this.#metrics.count('pushesDropped');
    this.#pushes(index).lost++;
    this.#lostPushes++;
  }

  pushServed(index: number, sinceSentMs: number, sinceReceivedMs: number): void {
    this.#metrics.series('pushToIdle').succeeded({ intendedMs: 0, sentMs: sinceSentMs - sinceReceivedMs, endedMs: sinceSentMs });
    this.#pushes(index).through++;
  }

  pushesRecovered(_index: number, lostForMs: readonly number[]): void {
    for (const endedMs of lostForMs) this.#metrics.series('pollRecovery').succeeded({ intendedMs: 0, sentMs: 0, endedMs });
    this.#metrics.count('pushesRecoveredByPoll', lostForMs.length);
    this.#lostPushes -= lostForMs.length;
    this.condition.changed();
  }

  pushConnected(index: number, connected: boolean): void {
    if (connected && this.#managed.has(index)) this.#connected.add(index);
    else this.#connected.delete(index);
    this.condition.changed();
  }

  polled(_index: number, _reason: wire.PollReason, tookMs: number): void {
    this.#metrics.series('poll').succeeded({ intendedMs: 0, sentMs: 0, endedMs: tookMs });
  }

  pollFailed(_index: number, _error: ProtocolError): void {
    this.#metrics.count('pollsFailed');
  }

  commandReceived(index: number, commandId: string, askedAtMs: number): void {
    this.#order.received(index, commandId, askedAtMs);
  }

  commandDone(): void {
    // Counted when the server has it.
  }

  commandAnswered(index: number, commandId: string): void {
    this.outstanding.answered(index, commandId);
    this.#answered(index);
    this.condition.changed();
  }

  idle(index: number): void {
    this.#answered(index);
    if (this.outstanding.of(index) === 0) this.#closeSteps(index);
    this.condition.changed();
  }

  /** What became of the wake-ups of a device. */
  pushesOf(index: number): Readonly<DevicePushes> {
    return this.#pushes(index);
  }

  #pushes(index: number): DevicePushes {
    const pushes = this.#pushesOf.get(index) ?? { through: 0, lost: 0 };
    this.#pushesOf.set(index, pushes);
    return pushes;
  }

  #closeSteps(index: number): void {
    const endedMs = this.#clock.monotonicMs();
    for (const step of this.#steps.get(index) ?? []) this.#metrics.series('commandToIdle').succeeded({ ...step, endedMs });
    this.#steps.delete(index);
  }
}
