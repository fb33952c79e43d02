import { commandPriority } from '@uemkit/protocol';

/** One command as far as its place in the order matters. */
interface OrderedCommand {
  readonly type: string;
  /** Rank of its priority (F5.4): lower is more urgent. */
  readonly rank: number;
  readonly acceptedAtMs: number;
  arrival?: Arrival;
}

/** When the device asked for the command that it got, and the place of that in the order of all arrivals. */
interface Arrival {
  readonly askedAtMs: number;
  readonly place: number;
}

/** What was seen of the order of F5.4. */
export interface OrderReport {
  /** Pairs of commands of different priority that were both pending when the device asked for the first of them. */
  readonly pairs: number;
  /** Such pairs in which the less urgent one came first. */
  readonly wrong: readonly { readonly device: number; readonly first: string; readonly second: string }[];
  /** Among the pairs: a lock and a request for information. */
  readonly lockAndInventory: number;
  /** A device that shows it best: the order of sending and the order of arrival. */
  readonly example?: { readonly device: number; readonly sent: readonly string[]; readonly received: readonly string[] } | undefined;
}

/**
 * Watches the order in which commands reach devices. Only pairs that were pending together prove something: a lock that is sent after the device already
 * has its inventory request cannot overtake it.
 */
export class OrderProof {
  // BOUNDED by the commands of the run.
  readonly #devices: Map<number, Map<string, OrderedCommand>> = new Map();
  readonly #early: Map<string, Arrival> = new Map();
  #arrivals = 0;

  /** The server has taken a command into its queue. */
  accepted(index: number, commandId: string, type: string, nowMs: number): void {
    const commands = this.#devices.get(index) ?? new Map<string, OrderedCommand>();
    this.#devices.set(index, commands);
    const arrival = this.#early.get(commandId);
    this.#early.delete(commandId);
    commands.set(commandId, { type, rank: commandPriority(type), acceptedAtMs: nowMs, ...(arrival === undefined ? {} : { arrival }) });
  }

  /** A device got the command that it asked for at `askedAtMs`; the answer to its sender may still be on its way. */
  received(index: number, commandId: string, askedAtMs: number): void {
    const command = this.#devices.get(index)?.get(commandId);
    const arrival: Arrival = { askedAtMs, place: this.#arrivals++ };
    if (command === undefined) this.#early.set(commandId, arrival);
    // The first time counts; after a crash the same command comes again.
    else command.arrival ??= arrival;
  }

  report(): OrderReport {
    const wrong: { device: number; first: string; second: string }[] = [];
    let pairs = 0;
    let lockAndInventory = 0;
    let example: OrderReport['example'];
    for (const [device, commands] of this.#devices) {
      const arrived = [...commands.values()].flatMap((command) => (command.arrival === undefined ? [] : [{ ...command, arrival: command.arrival }]));
      const sent = arrived.map(({ type }) => type);
      arrived.sort((a, b) => a.arrival.place - b.arrival.place);
      arrived.forEach((first, place) => {
        for (const second of arrived.slice(place + 1)) {
          const together = Math.max(first.acceptedAtMs, second.acceptedAtMs) <= first.arrival.askedAtMs;
          if (!together || first.rank === second.rank) continue;
          pairs++;
          if (first.rank > second.rank) wrong.push({ device, first: first.type, second: second.type });
          else if (first.type === 'LOCK_DEVICE' && second.type.startsWith('REQUEST_')) {
            lockAndInventory++;
            const received = arrived.map(({ type }) => type);
            if (sent.indexOf('LOCK_DEVICE') > sent.indexOf(second.type)) example ??= { device, sent, received };
          }
        }
      });
    }
    return { pairs, wrong, lockAndInventory, example };
  }
}
