import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { ended, interfaceOf, type Machine, type Network } from './namespaces.ts';

/** What tcpdump has seen of one cable. */
export class Capture {
  readonly #child: ChildProcess;
  readonly #path: string;

  private constructor(child: ChildProcess, path: string) {
    this.#child = child;
    this.#path = path;
  }

  /** Resolves when tcpdump listens at the cable. */
  static async start(network: Network, path: string, machine: Machine, to: Machine): Promise<Capture> {
    const args = ['-i', interfaceOf(machine, to), '-s', '0', '-U', '-w', path, '--immediate-mode', '-Z', 'root'];
    const child = network.start(machine, 'sh', ['-c', `exec tcpdump ${args.join(' ')} 2>&1`]);
    await new Promise<void>((resolve, reject) => {
      child.stdout?.once('data', () => resolve());
      child.once('exit', (code) => reject(new Error(`tcpdump ended with ${code}: apt-get install tcpdump`)));
    });
    return new Capture(child, path);
  }

  /** Ends it and gives the packets, headers included. */
  async end(): Promise<Buffer> {
    await ended(this.#child);
    return readFileSync(this.#path);
  }
}

/** Addresses from which connections were begun: senders of TCP segments with SYN and without ACK, in a capture of Ethernet with IPv4 and IPv6. */
export function callers(capture: Buffer): ReadonlySet<string> {
  const from = new Set<string>();
  for (let at = 24; at + 16 <= capture.length; ) {
    const length = capture.readUInt32LE(at + 8);
    const packet = capture.subarray(at + 16, at + 16 + length);
    at += 16 + length;
    const caller = packet.length < 54 ? undefined : callerOf(packet.subarray(14), packet.readUInt16BE(12));
    if (caller !== undefined) from.add(caller);
  }
  return from;
}

const TCP = 6;

function callerOf(packet: Buffer, etherType: number): string | undefined {
  const begins = (tcp: number): boolean => ((packet[tcp + 13] as number) & 0x12) === 0x02;
  if (etherType === 0x0800 && packet[9] === TCP && begins(((packet[0] as number) & 15) * 4)) return packet.subarray(12, 16).join('.');
  return etherType === 0x86dd && packet[6] === TCP && begins(40) ? packet.subarray(8, 24).toString('hex') : undefined;
}
