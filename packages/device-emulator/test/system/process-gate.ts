import type { CancelTimer, Clock, Store } from '@uemkit/protocol';
import type { MemoryStore } from '@uemkit/protocol/testing';

const never = <T>(): Promise<T> => new Promise<T>(() => {});

/** One life of a process: once it is dead nothing that it has begun goes on, as after SIGKILL. */
export class ProcessGate {
  #killed = false;
  readonly #timers: Set<CancelTimer> = new Set();
  readonly #deaths: (() => void)[] = [];
  readonly #store: Pick<MemoryStore, 'crashed'> | undefined;

  /** A process whose store has crashed is dead. */
  constructor(store?: Pick<MemoryStore, 'crashed'>) {
    this.#store = store;
  }

  get dead(): boolean {
    return this.#killed || this.#store?.crashed === true;
  }

  kill(): void {
    this.#killed = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    for (const death of this.#deaths.splice(0)) death();
  }

  /** Called once the process is dead, so that others can notice: its connections break. */
  onDeath(listener: () => void): void {
    this.#deaths.push(listener);
  }

  /** What a living process makes of `work`; a dead one never hears of it. */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    if (this.dead) return never();
    try {
      const result = await work();
      return this.dead ? never() : result;
    } catch (error) {
      if (this.dead) return never();
      throw error;
    }
  }

  clock(clock: Clock): Clock {
    return {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      setTimer: (delayMs, callback) => {
        if (this.dead) return () => undefined;
        const cancel = clock.setTimer(delayMs, () => {
          this.#timers.delete(cancel);
          if (!this.dead) callback();
        });
        this.#timers.add(cancel);
        return () => {
          this.#timers.delete(cancel);
          cancel();
        };
      },
    };
  }

  store(store: Store): Store {
    return { get: (key) => this.guard(() => store.get(key)), commit: (writes) => this.guard(() => store.commit(writes)) };
  }
}
