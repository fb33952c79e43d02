import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What `lab-server start` writes for its clients. */
export interface Connection {
  readonly tenantId: string;
  readonly ca: string;
  readonly infrastructure: string;
  readonly activation: string;
  readonly devices: string;
  readonly admin: string;
  readonly notification: string;
  readonly administrator: { readonly username: string; readonly password: string };
}

export interface ServerProcess<Info> {
  readonly info: Info;
  readonly pid: number;
  /** CPU of the process so far, microseconds. */
  cpuMicros(): number;
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
}

/** Starts a script of this workspace from source and resolves with the JSON object of its first line. `flags` are those of Node. */
export async function startProcess<Info>(script: string, args: readonly string[], flags: readonly string[] = []): Promise<ServerProcess<Info>> {
  const child = spawn(process.execPath, [...flags, '--conditions=@uemkit/source', '--import', 'tsx', script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const first = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code} before it was ready`)));
  });
  const pid = child.pid as number;
  return {
    info: JSON.parse(first) as Info,
    pid,
    cpuMicros: () => procCpuMicros(pid),
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** A lab server with an own data folder that goes with it. */
export async function startLab(): Promise<ServerProcess<Connection>> {
  const data = mkdtempSync(join(tmpdir(), 'uemkit-bench-'));
  const started = await startProcess<unknown>('packages/lab-server/src/bin.ts', ['start', '--data', data, '--json']);
  return {
    ...started,
    info: JSON.parse(readFileSync(join(data, 'connection.json'), 'utf8')) as Connection,
    async stop() {
      await started.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** User and system time of a process from /proc (Linux), in microseconds at a resolution of 10 ms. */
export function procCpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}
