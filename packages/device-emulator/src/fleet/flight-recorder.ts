import { type Clock, ProtocolError, type StoreWrite, utf8 } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import * as v from 'valibot';
import type { StepSink } from '../trace/step-sink.ts';
import type { FleetStore } from './fleet-store.ts';

/** Steps of a device that can be looked at; a few more are kept. */
export const MAX_RECORDED_STEPS = 200;
/** Steps of all devices that wait to be written; beyond it they are written at once. */
export const MAX_WAITING_STEPS = 20_000;

/** The steps of a device lie in a ring of slots: one write touches the newest slot only, however many steps are kept. */
const SLOT_STEPS = 32;
const SLOTS = Math.ceil(MAX_RECORDED_STEPS / SLOT_STEPS) + 1;
const PREFIX = 'recorder/';
/** Between two writes while devices are at work; after a failure sooner. */
const CHECKPOINT_MS = 5_000;
const AFTER_FAILURE_MS = 250;

/** One step as it is kept: what happened, not what was said. */
export interface RecordedStep {
  readonly atMs: number;
  readonly step?: string | undefined;
  readonly from: string;
  readonly to: string;
  readonly message: string;
  readonly bytes?: number | undefined;
  readonly trouble?: string | undefined;
  readonly reason?: string | undefined;
}

/** Longest reason that is kept. */
const MAX_REASON_CHARACTERS = 120;

const text = v.optional(v.string());
const recorded = v.strictObject({
  atMs: v.number(),
  step: text,
  from: v.string(),
  to: v.string(),
  message: v.string(),
  bytes: v.optional(v.number()),
  trouble: text,
  reason: text,
});
const slot = v.strictObject({ first: v.number(), steps: v.array(recorded) });
type Slot = v.InferOutput<typeof slot>;

export interface FlightRecorderOptions {
  readonly store: FleetStore;
  readonly clock: Clock;
}

/**
 * Keeps the last steps of every device for `inspect`: names, ways, sizes and troubles, no contents. A step waits in memory until the next checkpoint, so
 * that a device at rest costs nothing and many devices share one transaction. A process that is killed loses at most the steps since then.
 */
export class FlightRecorder {
  readonly #options: FlightRecorderOptions;
  /** BOUNDED by MAX_WAITING_STEPS in all. */
  #waiting: Map<number, RecordedStep[]> = new Map();
  #waitingSteps = 0;
  /** Number of the next step of each device. BOUNDED by the devices. */
  readonly #next: Map<number, number> = new Map();
  #cancel: (() => void) | undefined;
  #soon = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: FlightRecorderOptions) {
    this.#options = options;
  }

  /** Takes the steps of one device. */
  device(index: number): StepSink {
    return {
      message: ({ timeMs, step, from, to, frame }) => {
        const name = wire.peekFrameName(frame) ?? 'unknown';
        const trouble = name === 'alert' ? 'refused' : undefined;
        this.#record(index, { atMs: timeMs, step, from: actor(from), to: actor(to), message: name, bytes: frame.length, trouble });
      },
      noted: ({ timeMs, step, from, to, message, trouble, reason }) =>
        this.#record(index, { atMs: timeMs, step, from, to, message, trouble, reason: reason?.slice(0, MAX_REASON_CHARACTERS) }),
    };
  }

  /** Resolves when everything recorded so far is in the store, or could not be written. Never rejects: a recorder does not end a run. */
  checkpoint(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#soon = false;
    const waiting = this.#waiting;
    this.#waiting = new Map();
    this.#waitingSteps = 0;
    if (waiting.size > 0) this.#writing = this.#writing.then(() => this.#write(waiting)).catch(() => undefined);
    return this.#writing;
  }

  /** Writes what waits and ends. */
  close(): Promise<void> {
    return this.checkpoint();
  }

  #record(index: number, step: RecordedStep): void {
    const steps = this.#waiting.get(index);
    if (steps === undefined) this.#waiting.set(index, [step]);
    else steps.push(step);
    this.#waitingSteps++;
    if (this.#waitingSteps >= MAX_WAITING_STEPS) void this.checkpoint();
    else this.#arm(step.trouble === 'failed' || step.trouble === 'refused');
  }

  #arm(soon: boolean): void {
    if (this.#cancel !== undefined && (!soon || this.#soon)) return;
    this.#cancel?.();
    this.#soon = soon;
    this.#cancel = this.#options.clock.setTimer(soon ? AFTER_FAILURE_MS : CHECKPOINT_MS, () => void this.checkpoint());
  }

  async #write(waiting: ReadonlyMap<number, readonly RecordedStep[]>): Promise<void> {
    const { store } = this.#options;
    const writes: StoreWrite[] = [];
    for (const [index, steps] of waiting) {
      const first = this.#next.get(index) ?? endOf(slotsOf(store, index));
      this.#next.set(index, first + steps.length);
      writes.push(...slotWrites(store, index, first, steps));
    }
    await store.commit(PREFIX, writes);
  }
}

/** The last steps of a device, oldest first. @throws ProtocolError `ERR_STORE_READ` */
export function recordedSteps(store: FleetStore, index: number): readonly RecordedStep[] {
  const slots = slotsOf(store, index).sort((a, b) => a.first - b.first);
  return slots.flatMap(({ steps }) => steps).slice(-MAX_RECORDED_STEPS);
}

function slotWrites(store: FleetStore, index: number, first: number, steps: readonly RecordedStep[]): readonly StoreWrite[] {
  const slots = new Map<string, { first: number; steps: RecordedStep[] }>();
  // One slot less than the ring has, so that no two parts of one write meet in a slot.
  const from = Math.max(first, first + steps.length - (SLOTS - 1) * SLOT_STEPS);
  for (let number = from; number < first + steps.length; number++) {
    const key = slotKey(index, Math.floor(number / SLOT_STEPS) % SLOTS);
    let open = slots.get(key);
    if (open === undefined) {
      const found = number % SLOT_STEPS === 0 || number !== first ? undefined : readSlot(store.get(PREFIX + key));
      // Of an earlier round of the ring, when a write in between could not be made.
      const before = found !== undefined && found.first > number - SLOT_STEPS ? found : undefined;
      open = { first: before?.first ?? number, steps: [...(before?.steps ?? [])] };
      slots.set(key, open);
    }
    open.steps.push(steps[number - first] as RecordedStep);
  }
  return [...slots].map(([key, value]) => ({ key, value: utf8(JSON.stringify(value)) }));
}

function slotsOf(store: FleetStore, index: number): Slot[] {
  return store.entries(PREFIX + slotPrefix(index)).map(({ value }) => readSlot(value) as Slot);
}

function endOf(slots: readonly Slot[]): number {
  return Math.max(0, ...slots.map(({ first, steps }) => first + steps.length));
}

function readSlot(value: Uint8Array | undefined): Slot | undefined {
  if (value === undefined) return undefined;
  try {
    return v.parse(slot, JSON.parse(new TextDecoder().decode(value)));
  } catch (cause) {
    throw new ProtocolError('ERR_STORE_READ', 'the recorded steps of a device are damaged', { cause });
  }
}

function slotPrefix(index: number): string {
  return `${String(index).padStart(6, '0')}/`;
}

function slotKey(index: number, place: number): string {
  return slotPrefix(index) + String(place);
}

/** The client has a name of its own. */
function actor(name: string): string {
  return name.startsWith('device-') ? 'device' : name;
}
