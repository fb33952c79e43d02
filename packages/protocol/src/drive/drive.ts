import { isProtocolError, ProtocolError } from '../errors/protocol-error.ts';
import type { Effect, Input, Machine } from '../machine/machine.ts';
import type { CancelTimer, Clock } from '../ports/clock.ts';
import type { Link } from '../ports/link.ts';
import type { Store } from '../ports/store.ts';

/** What a machine is driven with. */
export interface DrivePorts<Request, Result, Event> {
  readonly clock: Clock;
  readonly store: Pick<Store, 'commit'>;
  readonly link: Link;
  /** Does what the machine asks for. A rejection with a `ProtocolError` goes to the machine; any other one ends the run. */
  request(request: Request, signal: AbortSignal): Promise<Result>;
  /** Must not throw. */
  onEvent?(event: Event): void;
  /** Sees each frame; `step` is known for those that are sent. Must not throw. */
  onFrame?(direction: 'sent' | 'received', frame: Uint8Array, step: string | undefined): void;
  /** Ends the run; what was persisted stays, so that a machine restored from the store goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** A machine that is being driven. */
export interface Driven<Call, Output> {
  /**
   * How the machine ended. Rejects with its error, with the store's error when state could not be saved, or with `signal.reason`.
   */
  readonly ended: Promise<Output>;
  /** Hands a call to the machine; does nothing once it has ended. */
  call(call: Call): void;
  /** Ends the run as an abort of `signal` does: `ended` rejects with `reason`. Does nothing once it has ended. */
  stop(reason: unknown): void;
}

/** Inputs that wait for the machine. More means that the peer sends faster than the store takes. */
const MAX_WAITING_INPUTS = 1_024;

/** Runs a machine: the one loop of the project that waits. State is saved before anything that depends on it is sent. */
export function drive<Request, Result, Event, Output, Call = never>(
  machine: Machine<Request, Result, Event, Output, Call>,
  ports: DrivePorts<Request, Result, Event>,
): Driven<Call, Output> {
  return new Run(machine, ports);
}

class Run<Request, Result, Event, Output, Call> implements Driven<Call, Output> {
  readonly #machine: Machine<Request, Result, Event, Output, Call>;
  readonly #ports: DrivePorts<Request, Result, Event>;
  readonly #stop = new AbortController();
  readonly #timers = new Map<string, CancelTimer>();
  /** Bounded: by `MAX_WAITING_INPUTS`. */
  readonly #inputs: Input<Result, Call>[] = [{ type: 'start' }];
  /** Exchanges and requests that are under way. */
  #pending = 0;
  #wake: (() => void) | undefined;
  #broken: unknown;
  #over = false;
  readonly ended: Promise<Output>;

  constructor(machine: Machine<Request, Result, Event, Output, Call>, ports: DrivePorts<Request, Result, Event>) {
    this.#machine = machine;
    this.#ports = ports;
    this.ended = this.#loop();
  }

  call(call: Call): void {
    this.#push({ type: 'call', call });
  }

  stop(reason: unknown): void {
    this.#break(reason);
  }

  #push(input: Input<Result, Call>): void {
    if (this.#over) return;
    if (this.#inputs.length >= MAX_WAITING_INPUTS) return this.#break(new ProtocolError('ERR_WIRE_LIMIT', 'too many inputs wait for the machine'));
    this.#inputs.push(input);
    this.#wake?.();
  }

  async #loop(): Promise<Output> {
    const { signal, link, clock } = this.#ports;
    const onAbort = (): void => this.#break(signal?.reason);
    try {
      signal?.throwIfAborted();
      signal?.addEventListener('abort', onAbort, { once: true });
      if ('receive' in link) link.receive({ received: (frame) => this.#arrived(frame), closed: (error) => this.#push({ type: 'closed', error }) });
      for (;;) {
        const input = await this.#next();
        for (const effect of this.#machine.handle(input, clock.nowMs())) {
          const output = await this.#apply(effect);
          if (output !== undefined) return output.value;
        }
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#over = true;
      if (this.#pending > 0) this.#stop.abort(new ProtocolError('ERR_USAGE_STATE', 'the run has ended'));
      for (const cancel of this.#timers.values()) cancel();
    }
  }

  async #next(): Promise<Input<Result, Call>> {
    while (this.#broken === undefined) {
      const input = this.#inputs.shift();
      if (input !== undefined) return input;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    throw this.#broken;
  }

  async #apply(effect: Effect<Request, Event, Output>): Promise<{ readonly value: Output } | undefined> {
    if (this.#broken !== undefined) throw this.#broken;
    switch (effect.type) {
      case 'persist':
        await this.#ports.store.commit(effect.writes);
        return undefined;
      case 'send':
        this.#ports.onFrame?.('sent', effect.frame, effect.step);
        void this.#send(effect.frame);
        return undefined;
      case 'arm-timer':
        this.#disarm(effect.timer);
        this.#timers.set(
          effect.timer,
          this.#ports.clock.setTimer(effect.afterMs, () => this.#push({ type: 'timer', timer: effect.timer })),
        );
        return undefined;
      case 'cancel-timer':
        this.#disarm(effect.timer);
        return undefined;
      case 'request':
        void this.#request(effect.request);
        return undefined;
      case 'emit':
        this.#ports.onEvent?.(effect.event);
        return undefined;
      case 'done':
        return { value: effect.output };
      case 'fail':
        throw effect.error;
    }
  }

  /** A lost frame is an input like any other: the machine decides what it means. */
  async #send(frame: Uint8Array): Promise<void> {
    this.#pending++;
    try {
      const { link } = this.#ports;
      if ('receive' in link) return link.send(frame);
      const answer = await link.exchange(frame, this.#stop.signal);
      if (answer !== undefined) this.#arrived(answer);
    } catch (error) {
      if (isProtocolError(error)) this.#push({ type: 'closed', error });
      else this.#break(error);
    } finally {
      this.#pending--;
    }
  }

  async #request(request: Request): Promise<void> {
    this.#pending++;
    try {
      this.#push({ type: 'result', result: await this.#ports.request(request, this.#stop.signal) });
    } catch (error) {
      if (isProtocolError(error)) this.#push({ type: 'failed', error });
      else this.#break(error);
    } finally {
      this.#pending--;
    }
  }

  #arrived(frame: Uint8Array): void {
    if (this.#over) return;
    this.#ports.onFrame?.('received', frame, undefined);
    this.#push({ type: 'received', frame });
  }

  #disarm(timer: string): void {
    this.#timers.get(timer)?.();
    this.#timers.delete(timer);
  }

  #break(reason: unknown): void {
    if (this.#over) return;
    this.#broken ??= reason ?? new ProtocolError('ERR_INTERNAL', 'the run was broken off without a reason');
    this.#wake?.();
  }
}
