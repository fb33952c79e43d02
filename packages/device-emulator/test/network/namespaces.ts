import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The machines of the test. `outside` has the app, `company` the web server; nothing forwards packets. */
export const MACHINES = ['outside', 'noc', 'uem', 'node', 'company'] as const;
export type Machine = (typeof MACHINES)[number];

/** The cables. The NOC is between all, and none leads from it, or from outside, to the company. */
const CABLES: readonly (readonly [Machine, Machine])[] = [
  ['outside', 'noc'],
  ['uem', 'noc'],
  ['node', 'noc'],
  ['node', 'uem'],
  ['node', 'company'],
];
/** 1 in these files: the machine passes packets on. */
export const FORWARDING = ['/proc/sys/net/ipv4/ip_forward', '/proc/sys/net/ipv6/conf/all/forwarding'] as const;
/** Names that a machine can resolve, beside its own. */
export type Hosts = Readonly<Partial<Record<Machine, Readonly<Record<string, Machine>>>>>;

const PREFIX = `uemkit-${process.pid}`;

/** Address of a machine: one on its loopback interface, so that it is the same on each of its cables. */
export function addressOf(machine: Machine): string {
  return `10.77.0.${MACHINES.indexOf(machine) + 1}`;
}

/** Interface of a machine at the cable to another one. At most 15 characters. */
export function interfaceOf(machine: Machine, to: Machine): string {
  return `${machine.slice(0, 6)}-${to.slice(0, 6)}`;
}

/** Network namespaces of Linux, one for each machine, and cables between them. Needs root. */
export class Network {
  readonly #children = new Set<ChildProcess>();

  /** @throws Error where no namespaces can be made */
  constructor(hosts: Hosts) {
    try {
      for (const machine of MACHINES) {
        ip('netns', 'add', nameOf(machine));
        // A new namespace takes this from the machine below, which may be a router.
        for (const switched of FORWARDING) this.run(machine, 'sh', ['-c', `[ "$(cat ${switched})" = 0 ] || echo 0 > ${switched}`]);
        ip('-n', nameOf(machine), 'link', 'set', 'lo', 'up');
        ip('-n', nameOf(machine), 'address', 'add', `${addressOf(machine)}/32`, 'dev', 'lo');
      }
      for (const [one, other] of CABLES) this.#connect(one, other);
      for (const [machine, names] of Object.entries(hosts)) {
        const folder = join('/etc/netns', nameOf(machine as Machine));
        mkdirSync(folder, { recursive: true });
        const lines = Object.entries(names).map(([name, to]) => `${addressOf(to)} ${name}\n`);
        writeFileSync(join(folder, 'hosts'), `127.0.0.1 localhost\n${lines.join('')}`);
      }
    } catch (error) {
      this.#takeDown();
      throw error;
    }
  }

  /** Starts a program on a machine; it ends with the network at the latest. */
  start(machine: Machine, command: string, args: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', nameOf(machine), command, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  /** Runs a program on a machine to its end and gives what it printed. */
  run(machine: Machine, command: string, args: readonly string[]): string {
    return execFileSync('ip', ['netns', 'exec', nameOf(machine), command, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Ends all programs and takes the machines away. */
  async close(): Promise<void> {
    await Promise.all([...this.#children].map(ended));
    this.#takeDown();
  }

  #connect(one: Machine, other: Machine): void {
    const [ours, theirs] = [interfaceOf(one, other), interfaceOf(other, one)];
    ip('-n', nameOf(one), 'link', 'add', ours, 'type', 'veth', 'peer', 'name', theirs, 'netns', nameOf(other));
    for (const [from, to, device] of [
      [one, other, ours],
      [other, one, theirs],
    ] as const) {
      ip('-n', nameOf(from), 'link', 'set', device, 'up');
      ip('-n', nameOf(from), 'route', 'add', addressOf(to), 'dev', device, 'src', addressOf(from));
    }
  }

  #takeDown(): void {
    for (const machine of MACHINES) {
      try {
        ip('netns', 'delete', nameOf(machine));
      } catch {
        // It was never made.
      }
      rmSync(join('/etc/netns', nameOf(machine)), { recursive: true, force: true });
    }
  }
}

/** Ends a program and resolves when it is gone. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

function nameOf(machine: Machine): string {
  return `${PREFIX}-${machine}`;
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
