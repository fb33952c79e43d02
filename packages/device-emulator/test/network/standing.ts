import { readFileSync } from 'node:fs';
import { interfaceOf, type Network } from './namespaces.ts';

/** How long a cable has to be silent to be taken for still, milliseconds. */
const STILL_MS = 3_000;

/** Looks at processes while a transfer stands. */
export class Standing {
  readonly #network: Network;
  readonly #processes: Readonly<Record<string, number>>;
  readonly #before: Readonly<Record<string, number>>;

  /** Memory is compared with what it is now. */
  constructor(network: Network, processes: Readonly<Record<string, number>>) {
    this.#network = network;
    this.#processes = processes;
    this.#before = residentBytes(processes);
  }

  /** Resolves when no byte comes from the company any more, with what each process has grown by, bytes. */
  async whenStill(): Promise<Readonly<Record<string, number>>> {
    for (let last = -1; ; ) {
      const now = sentByCompany(this.#network);
      if (now === last) break;
      last = now;
      await new Promise((resolve) => setTimeout(resolve, STILL_MS));
    }
    return Object.fromEntries(Object.entries(residentBytes(this.#processes)).map(([name, bytes]) => [name, bytes - (this.#before[name] ?? 0)]));
  }
}

/** Bytes on the cable of the company, from it. */
export function sentByCompany(network: Network): number {
  return Number(network.run('company', 'cat', [`/sys/class/net/${interfaceOf('company', 'node')}/statistics/tx_bytes`]));
}

function residentBytes(processes: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(processes).map(([name, processId]) => {
      const [, kib = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${processId}/status`, 'utf8')) ?? [];
      return [name, Number(kib) * 1_024];
    }),
  );
}
